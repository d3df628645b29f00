"""`pointsman extproc`."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from pointsman import paths
from pointsman.errors import PackageNotFoundError
from pointsman.router import AsyncRouter


def run(
    *, host: str, port: int, triton: str, policy: str | None, model_repository: Path | None
) -> None:
    """Serve Envoy until SIGINT or SIGTERM.

    Raises:
        PackageNotFoundError: A package of ``pointsman[extproc]`` is missing.
        SetupError: The policy file cannot be used, the port cannot be bound, or the policy blocks
            early and what this needs is not there.
        ServerUnavailableError: `triton` is not HOST:PORT.
        UnknownPolicyError: The policy file has no such policy.
    """
    try:
        from pointsman.extproc.server import serve
        from pointsman.guard import read_policies
    except ModuleNotFoundError as error:
        raise PackageNotFoundError(str(error.name), "extproc") from None
    logging.basicConfig(format="pointsman: %(levelname)s: %(message)s")
    repository = paths.model_repository(model_repository)
    policies = read_policies(repository)

    async def serve_until_signalled() -> None:
        async with AsyncRouter(triton) as router:
            await serve(router, policies, policy, host=host, port=port, model_repository=repository)

    asyncio.run(serve_until_signalled())
