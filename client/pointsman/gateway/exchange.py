"""One HTTP exchange: ASGI with limits, time-outs, and a client that may go at any time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from pointsman import answers
from pointsman.chat import MAX_BODY_BYTES
from pointsman.errors import RequestTooLargeError
from pointsman.inflate import Gunzip

__all__ = ["ClientGoneError", "Exchange", "HttpError", "Limits", "Watch"]

# A body may take the time-out and besides what it needs at this pace: a client that drips bytes
# does not hold a place for ever, and a slow line is served.
_SLOWEST_BYTES_PER_S = 16_384


class HttpError(Exception):
    """A request ends with an error of HTTP's own; its text is one line for the client."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class ClientGoneError(Exception):
    """The client has closed its connection."""


_SLOW_BODY = HttpError(
    408, "request_timeout", "the request's body did not arrive in time", connection="close"
)
_SLOW_CLIENT = HttpError(408, "request_timeout", "the reply was not read in time")


@dataclass(frozen=True)
class Limits:
    """What a request may take.

    Attributes:
        body_bytes: The largest body, once inflated.
        body_s: Seconds without a byte of the body, and for all of it beyond what 16 KiB/s need.
        reply_s: Seconds until a model's server begins to reply.
        idle_s: Seconds between two pieces of its reply; and until the client reads one.
        in_flight: Requests at once.
    """

    body_bytes: int = MAX_BODY_BYTES
    body_s: float = 30.0
    reply_s: float = 600.0
    idle_s: float = 120.0
    in_flight: int = 1000


class Watch:
    """The moment by which the next thing must happen, and what to say when it does not.

    To move it costs next to nothing: one timer looks again when the moment has been put off.

    Attributes:
        error: What to say.
        over: Done when the moment has come.
    """

    def __init__(self) -> None:
        self.error = _SLOW_BODY
        self._loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = self._loop.create_future()
        self._end = self._look_at = float("inf")
        self._timer: asyncio.TimerHandle | None = None

    def until(self, seconds: float, error: HttpError) -> None:
        """Wait for the next thing for so many seconds from now."""
        self._end = self._loop.time() + seconds
        self.error = error
        if self._end < self._look_at:
            self._set_timer()

    def close(self) -> None:
        """Wait for nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self) -> None:
        self.close()
        self._look_at = self._end
        self._timer = self._loop.call_at(self._end, self._look)

    def _look(self) -> None:
        if self._loop.time() < self._end:
            self._set_timer()
        elif not self.over.done():
            self.over.set_result(None)


class Exchange:
    """A request as it arrives and the reply to it.

    Attributes:
        scope: ASGI's description of the request.
        watch: Set it before anything that may take long.
        status: Of the reply once it has begun, else 0.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self.scope = scope
        self.watch = Watch()
        self.status = 0
        self.limits = limits
        self._receive = receive
        self._send = send
        self._arrived = asyncio.Event()

    def header(self, name: bytes) -> bytes:
        """The values of a request header, joined by commas."""
        return b",".join(value for key, value in self.scope["headers"] if key == name)

    async def body(self) -> AsyncIterator[bytes]:
        """The body in pieces as they arrive, inflated.

        Raises:
            HttpError: 415 for an encoding other than gzip.
            RequestTooLargeError: It is over the limit; nothing beyond it is kept.
            InvalidRequestError: It is not gzip although it says so.
            ClientGoneError: The client went away before the end.
        """
        encoding = self.header(b"content-encoding").strip().lower()
        if encoding not in (b"", b"identity", b"gzip", b"x-gzip"):
            raise HttpError(
                415,
                "unsupported_encoding",
                "the request's Content-Encoding must be gzip, or none",
                accept_encoding="gzip",
            )
        length = self.header(b"content-length")
        if length.isdigit() and int(length) > self.limits.body_bytes:
            raise self._too_large()
        gunzip = Gunzip() if encoding.endswith(b"gzip") else None
        size = 0
        async for chunk in self._chunks():
            for piece in gunzip.feed(chunk) if gunzip else (chunk,):
                size += len(piece)
                if size > self.limits.body_bytes:
                    raise self._too_large()
                yield piece
        if gunzip:
            gunzip.finish()

    async def _chunks(self) -> AsyncIterator[bytes]:
        begun, size, more = time.monotonic(), 0, True
        while more:
            left = begun + self.limits.body_s + size / _SLOWEST_BYTES_PER_S - time.monotonic()
            self.watch.until(min(left, self.limits.body_s), _SLOW_BODY)
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            more = message.get("more_body", False)
            size += len(message.get("body", b""))
            if size > self.limits.body_bytes:
                raise self._too_large()
            if not more:
                self._arrived.set()
            if message.get("body"):
                yield message["body"]

    def _too_large(self) -> RequestTooLargeError:
        return RequestTooLargeError(
            f"the request's body is over the limit of {self.limits.body_bytes:,} bytes; shorten it"
        )

    async def gone(self) -> None:
        """Return when the client has closed its connection; not before its body has arrived."""
        await self._arrived.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Send the reply's status and headers."""
        self.status = status
        await self._send(
            {"type": "http.response.start", "status": status, "headers": list(headers)}
        )

    async def send(self, piece: bytes, *, more: bool = True) -> None:
        """Send a piece of the reply; wait until the client takes it."""
        self.watch.until(self.limits.idle_s, _SLOW_CLIENT)
        message: Message = {"type": "http.response.body", "body": piece, "more_body": more}
        await self._send(message)

    async def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Send a whole reply."""
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self.begin(status, [*encoded, (b"content-length", str(len(body)).encode())])
        await self.send(body, more=False)

    async def fail(self, error: HttpError) -> None:
        """Send an error object."""
        body = answers.error(error.status, str(error), code=error.code)
        await self.answer(error.status, body, {"content-type": answers.JSON} | error.headers)

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do the work, until it is done, the client goes or the watch runs out.

        Raises:
            ClientGoneError: The client went; the work was cancelled.
            HttpError: The watch ran out; the work was cancelled.
            Exception: What the work raises.
        """
        working = asyncio.ensure_future(work())
        gone = asyncio.ensure_future(self.gone())
        try:
            await asyncio.wait(
                (working, gone, self.watch.over), return_when=asyncio.FIRST_COMPLETED
            )
            if working.done():
                return working.result()
            if gone.done():
                raise ClientGoneError
            raise self.watch.error
        finally:
            self.watch.close()
            gone.cancel()
            if not working.done():
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
