"""``/healthz``: a readiness endpoint over HTTP that tells the truth."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal

from pointsman.embedded import check_port

HEALTH_PATH = "/healthz"
_CLIENT_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Health:
    """The state of the server as a whole.

    Attributes:
        status: ``ready`` when a request would be answered; ``starting`` before the first time;
            ``healing`` while a model or the server is being replaced; ``down`` when the server
            does not run.
        detail: what is wrong, one line; empty when ready.
    """

    status: Literal["ready", "starting", "healing", "down"]
    detail: str = ""


class HealthServer:
    """Serves ``GET /healthz`` as long as the ``with`` block: 200 when ready, else 503.

    The body is JSON: ``{"status": ..., "detail": ...}``.

    Args:
        host: IPv4 address to bind to.
        port: TCP port; 0 takes a free one.
        health: called for every request, from several threads.

    Raises:
        PortInUseError: the port is taken.
        SetupError: this machine has no such address.
    """

    def __init__(self, host: str, port: int, health: Callable[[], Health]) -> None:
        check_port(host, port)
        self._server = ThreadingHTTPServer((host, port), _handler(health))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="healthz", daemon=True
        )
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> HealthServer:
        """Start to answer."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(health: Callable[[], Health]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _CLIENT_TIMEOUT_S  # a silent client does not hold a thread

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != HEALTH_PATH:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            state = health()
            body = json.dumps(asdict(state)).encode()
            ready = state.status == "ready"
            self.send_response(HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 (http.server's name)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing: probes come every few seconds."""

    return Handler
