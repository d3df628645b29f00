"""Serves the external processor over gRPC until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
from envoy.service.ext_proc.v3 import external_processor_pb2_grpc as service
from envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest, ProcessingResponse
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pointsman.embedded import check_port
from pointsman.errors import PortInUseError
from pointsman.extproc.exchange import Exchange
from pointsman.guard import Guard
from pointsman.router import DEFAULT_TIMEOUT_S, AsyncRouter
from pointsman_backends.router.policy import PolicyFile

__all__ = ["Processor", "serve"]

_log = logging.getLogger(__name__)

_SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"
_DRAIN_S = 30.0
_OPTIONS = [
    # A buffered body comes in one message. What Envoy buffers, its configuration limits; what is
    # judged, RequestBody does, with an answer that the client can read.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Two processors on one port would each get some of the requests.
    ("grpc.so_reuseport", 0),
    # Envoy's pings, which tell it early that a processor hangs.
    ("grpc.http2.min_ping_interval_without_data_ms", 1000),
    ("grpc.keepalive_permit_without_calls", 1),
]


class Processor(service.ExternalProcessorServicer):  # type: ignore[misc]  # no types there
    """The gRPC service: one stream for each request that Envoy holds.

    Args:
        guard: Judges the requests.
        verdict_timeout_s: Seconds that a verdict takes at most.
    """

    def __init__(self, guard: Guard, *, verdict_timeout_s: float) -> None:
        self._guard = guard
        self._verdict_timeout_s = verdict_timeout_s

    async def Process(  # noqa: N802 (the name in the protocol)
        self,
        request_iterator: AsyncIterator[ProcessingRequest],
        context: grpc.aio.ServicerContext[ProcessingRequest, ProcessingResponse],
    ) -> AsyncIterator[ProcessingResponse]:
        """Hold the conversation on one request.

        A stream that ends well tells Envoy to go on unchecked. So every failure ends it with an
        error, which makes Envoy refuse the request.
        """
        exchange = Exchange(self._guard, verdict_timeout_s=self._verdict_timeout_s)
        try:
            async for message in request_iterator:
                async for answer in exchange.answers(message):
                    yield answer
        except Exception as error:  # noqa: BLE001 (what is not foreseen must not end it well)
            # Not the error's own text, which may quote the prompt.
            name, where = type(error).__name__, traceback.extract_tb(error.__traceback__)[-1]
            _log.error("a request is refused: %s in %s:%s", name, where.filename, where.lineno)
            await context.abort(grpc.StatusCode.INTERNAL, name)


async def serve(
    router: AsyncRouter,
    policies: PolicyFile,
    policy: str | None,
    *,
    host: str,
    port: int,
    model_repository: Path | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; exchanges under way then have half a minute to end.

    Args:
        router: Asks the server, which need not be there yet; with its default time-out.
        policies: The policy file that the server has too.
        policy: The policy for every request; None for the default one.
        host: Address to bind to.
        port: TCP port.
        model_repository: Where early blocks find the compressor; default: see
            `paths.model_repository`.

    Raises:
        PortInUseError: The port is taken.
        SetupError: This machine has no such address; or the policy blocks early, and what this
            needs is not there.
        UnknownPolicyError: `policies` has no such policy.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    guard = Guard(router, policies, policy, model_repository)
    processor = Processor(guard, verdict_timeout_s=DEFAULT_TIMEOUT_S)
    server = grpc.aio.server(options=_OPTIONS)
    service.add_ExternalProcessorServicer_to_server(processor, server)
    status = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    check_port(host, port)
    try:
        server.add_insecure_port(f"{host}:{port}")
    except RuntimeError:
        raise PortInUseError(host, port) from None
    await server.start()
    for name in ("", _SERVICE):
        await status.set(name, health_pb2.HealthCheckResponse.SERVING)
    sys.stderr.write(f"pointsman: external processor for Envoy on {host}:{port}\n")
    await stop.wait()
    sys.stderr.write(f"pointsman: no new requests; {_DRAIN_S:g} s for those under way\n")
    await status.enter_graceful_shutdown()
    await server.stop(_DRAIN_S)
