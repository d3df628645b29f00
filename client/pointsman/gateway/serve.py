"""`pointsman gateway`: the application in a web server, with an embedded Triton if need be."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from pointsman import paths
from pointsman.embedded import EmbeddedTriton, check_port
from pointsman.errors import SetupError, UnknownPolicyError
from pointsman.gateway.app import Trouble, application
from pointsman.gateway.exchange import Limits
from pointsman.gateway.http import BoundedHttp
from pointsman.guard import read_policies
from pointsman.router import AsyncRouter
from pointsman.supervisor import Supervisor

__all__ = ["serve"]

# Longer than clients keep a connection: they close it, not we while they send.
_KEEPALIVE_S = 75
_DRAIN_S = 30
# Beside two connections for each request: idle ones, gRPC's, files.
_OTHER_DESCRIPTORS = 1000


class _StopAskedError(BaseException):
    """SIGINT or SIGTERM came."""


def serve(
    *,
    host: str = "127.0.0.1",
    port: int,
    triton: str | None = None,
    upstream: str | None = None,
    policy: str | None = None,
    model_repository: str | Path | None = None,
    limits: Limits | None = None,
) -> None:
    """Run the gateway in the foreground until SIGINT or SIGTERM; streams get 30 s to end.

    Args:
        host: IPv4 address to bind to.
        port: TCP port; 0 takes a free one.
        triton: HOST:PORT of a server's gRPC endpoint; None starts one of our own.
        upstream: Base URL that every model is asked at; None for those of policy.yaml.
        policy: The policy for every request; None for the default one.
        model_repository: Whose policy.yaml to read; default: see `paths.model_repository`.
        limits: What a request may take.

    Raises:
        SetupError: The server cannot be started, or policy.yaml or an address is wrong.
    """
    limits = limits or Limits()
    _allow_descriptors(2 * limits.in_flight + _OTHER_DESCRIPTORS)
    logging.basicConfig(level=logging.WARNING, format="pointsman: %(message)s")
    repository = paths.model_repository(model_repository)
    policies = read_policies(repository)
    check_port(host, port)
    with _until_signalled(), _decider(repository, triton) as (url, trouble):
        try:
            app = application(
                # One limit is enough; the server has its own.
                AsyncRouter(url, max_in_flight=limits.in_flight),
                policies,
                policy=policy,
                upstream=upstream,
                model_repository=repository,
                limits=limits,
                trouble=trouble,
            )
        except (UnknownPolicyError, ValueError) as error:
            raise SetupError(str(error)) from None
        config = uvicorn.Config(
            app,
            host,
            port,
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            http=BoundedHttp,
            timeout_keep_alive=_KEEPALIVE_S,
            timeout_graceful_shutdown=_DRAIN_S,
        )
        _Server(config).run()


class _Server(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            _say(f"gateway on http://{host}:{port}/v1")


def _allow_descriptors(count: int) -> None:
    """Let this process hold so many connections and files, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        most = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


@contextlib.contextmanager
def _decider(repository: Path, triton: str | None) -> Iterator[tuple[str, Trouble | None]]:
    """The server that decides: the one at an address, or one of our own, kept healthy."""
    if triton is not None:
        yield triton, None
        return
    server = EmbeddedTriton(repository, log=sys.stderr)
    supervisor = Supervisor(server, _say)

    async def trouble() -> str:
        state = await asyncio.to_thread(supervisor.health)
        return "" if state.status == "ready" else f"{state.status}: {state.detail}"

    with server, supervisor:
        yield server.grpc_url, trouble


@contextlib.contextmanager
def _until_signalled() -> Iterator[None]:
    """Leave the block in good order when SIGINT or SIGTERM comes.

    The web server handles both while it runs, and raises them again when it has ended.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _StopAskedError

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _StopAskedError:
        _say("stopped")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads it
        print(f"pointsman: {line}", flush=True)
