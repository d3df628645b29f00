"""The gateway as an ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pointsman import answers
from pointsman.errors import OverloadedError, PointsmanError
from pointsman.gateway import classify
from pointsman.gateway.completions import KINDS, Completions, Endpoints, Gateway
from pointsman.gateway.exchange import ClientGoneError, Limits
from pointsman.gateway.metrics import Metrics
from pointsman.guard import Guard
from pointsman.router import AsyncRouter
from pointsman_backends.router.policy import AUTO, PolicyFile

__all__ = ["Trouble", "application"]

Trouble = Callable[[], Awaitable[str]]
"""Says why there would be no decision, one line; empty when there would be one."""

_PROBE_TIMEOUT_S = 2.0
_PROBE_HOLDS_S = 1.0


def application(
    router: AsyncRouter,
    policies: PolicyFile,
    *,
    policy: str | None = None,
    upstream: str | None = None,
    model_repository: Path | None = None,
    limits: Limits | None = None,
    trouble: Trouble | None = None,
) -> Starlette:
    """Return the gateway.

    Args:
        router: Asks the server that decides; closed with the application.
        policies: The policy file that the server has too.
        policy: The policy for every request; None for the default one.
        upstream: Base URL that every model is asked at; None for each model's own of `policies`.
        model_repository: Where early blocks find the compressor; default: see
            `paths.model_repository`.
        limits: What a request may take.
        trouble: Looks after the server; None asks it for a decision now and then.

    Raises:
        UnknownPolicyError: There is no such policy.
        SetupError: The policy blocks early, and what this needs is not there.
        ValueError: `upstream` is no base URL, or an exempt model has no endpoint.
    """
    guard = Guard(router, policies, policy, model_repository)
    endpoints = Endpoints(policies, upstream)
    for name in guard.policy.exempt_models:
        if endpoints.of(name) is None:
            raise ValueError(
                f'the exempt model "{name}" has no endpoint: add it under "models" in policy.yaml, '
                "or give one upstream for all"
            )
    gateway = Gateway(guard, endpoints, limits or Limits())
    names = dict.fromkeys((AUTO, *policies.models, *guard.policy.exempt_models))
    pages = _Pages(
        tuple(names),
        gateway.metrics,
        trouble or _Probe(router, policy).trouble,
        passes_unchecked=guard.policy.on_error == "flag",
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with router, gateway.upstream:
            yield

    return Starlette(
        routes=[
            *(Route(path, Completions(gateway, path), methods=["POST"]) for path in KINDS),
            Route("/v1/models", pages.models),
            Route("/v1/models/{name:path}", pages.model),
            Route("/healthz", pages.alive),
            Route("/readyz", pages.ready),
            Route("/metrics", pages.metrics),
            *classify.routes(router, policy=policy, read_body=gateway.read_body),
        ],
        exception_handlers={HTTPException: _http_exception, ClientGoneError: _to_nobody},
        lifespan=lifespan,
    )


class _Probe:
    """Asks the server for a decision: Triton says that it is ready when a model has died."""

    def __init__(self, router: AsyncRouter, policy: str | None) -> None:
        self._router = router
        self._policy = policy
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._trouble = ""

    async def trouble(self) -> str:
        async with self._asking:
            if time.monotonic() - self._asked_at > _PROBE_HOLDS_S:
                self._trouble = await self._ask()
                self._asked_at = time.monotonic()
        return self._trouble

    async def _ask(self) -> str:
        try:
            await self._router.route_text(
                "Are you ready?", policy=self._policy, timeout_s=_PROBE_TIMEOUT_S
            )
        except OverloadedError:
            return ""  # it is at work
        except PointsmanError as error:
            return str(error)
        return ""


class _Pages:
    """What is told about the gateway itself."""

    def __init__(
        self, models: Sequence[str], metrics: Metrics, trouble: Trouble, *, passes_unchecked: bool
    ) -> None:
        created = int(time.time())
        self._models = {
            name: {"id": name, "object": "model", "created": created, "owned_by": "pointsman"}
            for name in models
        }
        self._metrics = metrics
        self._trouble = trouble
        self._passes_unchecked = passes_unchecked

    async def models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": list(self._models.values())})

    async def model(self, request: Request) -> Response:
        model = self._models.get(request.path_params["name"])
        if model is None:
            raise HTTPException(404, "there is no such model")
        return JSONResponse(model)

    async def alive(self, _: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(self, _: Request) -> Response:
        """200 when requests would be answered, be it unchecked because the policy says so."""
        trouble = await self._trouble()
        ready = not trouble or self._passes_unchecked
        return JSONResponse(
            {"status": "ready" if ready else "down", "detail": trouble},
            200 if ready else 503,
            {"cache-control": "no-store"},
        )

    async def metrics(self, _: Request) -> Response:
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4")


async def _http_exception(_: Request, error: Exception) -> Response:
    """No such path, or not with this method."""
    assert isinstance(error, HTTPException)  # noqa: S101 (for the type checker)
    body = answers.error(
        error.status_code, error.detail, code=_CODES.get(error.status_code, "http")
    )
    return Response(body, error.status_code, error.headers, media_type=answers.JSON)


async def _to_nobody(_: Request, __: Exception) -> Response:
    return Response(status_code=400)


_CODES = {404: "not_found", 405: "method_not_allowed"}
