"""HTTP with limits for a request's headers, which the web server itself does not have."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["BoundedHttp"]

_HEADERS_S = 20.0
_HEADERS_BYTES = 65_536


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request's headers take over 20 s, or are over 64 KiB.

    The time runs from the beginning of the connection, and anew from that of each request. It also
    runs once something comes after a reply that is no request: the rest of a body that nobody
    reads, or empty lines. While nothing comes, the web server's own time for idle connections runs.
    """

    _late: asyncio.TimerHandle | None = None
    _bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._wait()
        self._bytes = 1

    def on_headers_complete(self) -> None:
        """Its headers are there."""
        self._cease()
        self._bytes = 0
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        super().data_received(data)
        if self._bytes:  # of headers that have not ended
            self._bytes += len(data)
            if self._bytes > _HEADERS_BYTES:
                self.transport.close()
        if self._late is None and self.cycle is not None and self.cycle.response_complete:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._cease()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._cease()
        self._late = self.loop.call_later(_HEADERS_S, self._close)

    def _cease(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait()  # they were sent ahead, and the reply to the last ones is under way
        else:
            self.transport.close()
