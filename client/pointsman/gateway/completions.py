"""Completions: judged, edited, forwarded, and the reply passed back as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

import aiohttp
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from pointsman import answers
from pointsman.body import RequestBody
from pointsman.errors import PointsmanError
from pointsman.gateway.exchange import ClientGoneError, Exchange, HttpError, Limits
from pointsman.gateway.metrics import Metrics
from pointsman.gateway.upstream import Body, Upstream, base_url, forwarded
from pointsman.guard import Guard, Verdict
from pointsman.restore import ReplyRestorer, reply_restorer
from pointsman_backends.router.policy import PolicyFile

__all__ = ["KINDS", "Completions", "Endpoints", "Gateway"]

_log = logging.getLogger(__name__)

KINDS: Mapping[str, answers.Kind] = {
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
}
_NO_REPLY = HttpError(504, "upstream_timeout", "the model's server did not reply in time")
_IDLE = HttpError(504, "upstream_broke_off", "the model's server ceased to reply")


class Endpoints:
    """Where each model is asked."""

    def __init__(self, policies: PolicyFile, upstream: str | None) -> None:
        self._all = base_url(upstream) if upstream is not None else None
        self._each = {name: base_url(model.endpoint) for name, model in policies.models.items()}

    def of(self, model: str | None) -> str | None:
        """The base URL for a model; None when the policy file lacks it."""
        return self._all or self._each.get(model or "")


@dataclass
class _Record:
    """What is counted of a request when it has ended."""

    action: str = "none"


class Gateway:
    """Judges completions and forwards them."""

    def __init__(self, guard: Guard, endpoints: Endpoints, limits: Limits) -> None:
        self.guard = guard
        self.limits = limits
        self.metrics = Metrics()
        self.upstream = Upstream()
        self._endpoints = endpoints
        self._under_way = 0

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place among the requests under way.

        Raises:
            HttpError: 503, all are taken.
        """
        if self._under_way >= self.limits.in_flight:
            raise HttpError(
                503, "overloaded", "too many requests; ask again later", retry_after="1"
            )
        self._under_way += 1
        self.metrics.in_flight.inc()
        try:
            yield
        finally:
            self._under_way -= 1
            self.metrics.in_flight.dec()

    async def read_body(self, request: Request) -> bytes:
        """Read the body of a request for another route, within the same limits.

        Raises:
            HttpError: 408, 415, or 503 when too many requests are under way.
            RequestError: It is over the limit, or not gzip although it says so.
            ClientGoneError: The client went away.
        """
        body = bytearray()

        async def read() -> None:
            async for piece in exchange.body():
                body.extend(piece)

        async def send(_: Message) -> None:
            raise RuntimeError("only the body is read here")

        with self.place():
            exchange = Exchange(request.scope, request.receive, send, self.limits)
            await exchange.run(read)
        return bytes(body)

    async def complete(self, exchange: Exchange, path: str, record: _Record) -> None:
        """Answer one request for a completion."""
        body = RequestBody(KINDS[path], max_body_bytes=self.limits.body_bytes)
        pieces = exchange.body()
        some_exempt = bool(self.guard.policy.exempt_models)
        early = self.guard.early_look()
        try:
            async for piece in pieces:
                body.feed(piece)
                if some_exempt and self.guard.exempt(body.model):
                    record.action = "exempt"
                    return await self._stream_through(exchange, path, body, pieces)
                if (
                    early
                    and early.due(body.size, body.model)
                    and (rule := await asyncio.to_thread(early.rule, body.so_far()))
                ):
                    record.action = "block"
                    verdict = self.guard.blocked_early(rule)
                    verdict.headers["connection"] = "close"  # the rest need not be sent
                    return await self._answer(exchange, verdict)
            if some_exempt and self.guard.exempt(body.end()):  # named at the very end
                record.action = "exempt"
                return await self._stream_through(exchange, path, body, pieces)
            begun = time.perf_counter()
            verdict = await self.guard.judge(body.finish())
            self.metrics.decision.observe(time.perf_counter() - begun)
        except PointsmanError as error:
            verdict = self.guard.refuse(error)
        del body
        record.action = verdict.headers["x-pointsman-action"]
        if verdict.blocked:
            return await self._answer(exchange, verdict)
        length = sum(map(len, verdict.body))
        return await self._forward(exchange, path, verdict, verdict.body, length)

    async def _answer(self, exchange: Exchange, verdict: Verdict) -> None:
        """Answer in the place of a model."""
        await exchange.answer(verdict.status, b"".join(verdict.body), verdict.headers)

    async def _stream_through(
        self, exchange: Exchange, path: str, body: RequestBody, pieces: AsyncIterator[bytes]
    ) -> None:
        """Pass on a request for an exempt model while it arrives."""
        failure: list[Exception] = []

        async def rest() -> AsyncIterator[bytes]:
            try:
                yield body.stream_through()
                async for piece in pieces:
                    # Before it leaves: a body that names a second model never leaves whole.
                    body.feed(piece)
                    exchange.watch.until(self.limits.idle_s, _NO_REPLY)
                    yield piece
            except (PointsmanError, HttpError, ClientGoneError) as error:
                failure.append(error)
                raise
            exchange.watch.until(self.limits.reply_s, _NO_REPLY)

        verdict = self.guard.exemption(body.model or "")
        length = exchange.header(b"content-length")
        as_it_is = length.isdigit() and not exchange.header(b"content-encoding")
        try:
            await self._forward(exchange, path, verdict, rest, int(length) if as_it_is else None)
        except HttpError:
            if failure and not exchange.status:  # the model's server only missed the rest
                raise failure[0] from None
            raise

    async def _forward(
        self, exchange: Exchange, path: str, verdict: Verdict, body: Body, length: int | None
    ) -> None:
        """Ask the model and pass on what it replies."""
        base = self._endpoints.of(verdict.model)
        if base is None:
            _log.error("the server chose %r, which policy.yaml here lacks", verdict.model)
            raise HttpError(502, "no_endpoint", "the chosen model has no endpoint")
        url = base + path.removeprefix("/v1")
        if query := exchange.scope["query_string"]:
            url += "?" + query.decode("latin-1")
        sent = forwarded(
            exchange.scope["headers"],
            without=(b"host", b"content-length", b"content-encoding", b"expect")
            + ((b"accept-encoding",) if verdict.placeholders else ()),
        )
        if verdict.placeholders:
            sent.append((b"accept-encoding", b"identity"))
        exchange.watch.until(self.limits.reply_s, _NO_REPLY)
        begun = time.perf_counter()
        reply = await self.upstream.post(url, sent, body, length)
        self.metrics.first_byte.observe(time.perf_counter() - begun)
        try:
            await self._relay(exchange, reply, verdict)
        finally:
            reply.close()

    async def _relay(
        self, exchange: Exchange, reply: aiohttp.ClientResponse, verdict: Verdict
    ) -> None:
        restorer = _restorer(reply, verdict)
        headers = forwarded(
            reply.raw_headers,
            without=[name.encode() for name in verdict.headers]
            + ([b"content-length"] if restorer else []),
        )
        headers += [(name.encode(), value.encode()) for name, value in verdict.headers.items()]
        await exchange.begin(reply.status, headers)
        async for chunk in self._chunks(exchange, reply):
            piece = restorer.feed(chunk) if restorer else chunk
            if piece:
                await exchange.send(piece)
        await exchange.send(restorer.flush() if restorer else b"", more=False)

    async def _chunks(
        self, exchange: Exchange, reply: aiohttp.ClientResponse
    ) -> AsyncIterator[bytes]:
        """The reply's body in the pieces that arrive."""
        while True:
            exchange.watch.until(self.limits.idle_s, _IDLE)
            try:
                chunk = await reply.content.readany()
            except (aiohttp.ClientError, OSError) as error:
                raise HttpError(
                    502, "upstream_broke_off", "the model's server broke off"
                ) from error
            if not chunk:
                return
            yield chunk


def _restorer(reply: aiohttp.ClientResponse, verdict: Verdict) -> ReplyRestorer | None:
    if verdict.placeholders is None:
        return None
    if reply.headers.get("Content-Encoding", "identity") != "identity":
        return None  # it was asked not to
    return reply_restorer(verdict.placeholders, reply.headers.get("Content-Type", ""))


class Completions:
    """The ASGI endpoint of one of the two routes."""

    def __init__(self, gateway: Gateway, path: str) -> None:
        self._gateway = gateway
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        gateway = self._gateway
        exchange = Exchange(scope, receive, send, gateway.limits)
        record = _Record()
        gone = False
        try:
            with gateway.place():
                await exchange.run(lambda: gateway.complete(exchange, self._path, record))
        except ClientGoneError:
            gone = True
        except HttpError as error:
            if error.code.startswith("upstream"):
                gateway.metrics.upstream_failures.labels(error.code).inc()
                # The cause's text may quote the reply.
                _log.warning("%s (%s)", error, type(error.__cause__).__name__)
            # A reply that has begun is not completed: the server breaks the connection.
            if not exchange.status:
                await exchange.fail(error)
        except Exception:  # noqa: BLE001 (one request's trouble is not the others')
            _log.exception("a request failed")
            if not exchange.status:
                await exchange.fail(HttpError(500, "internal_error", "the gateway failed"))
        finally:
            status = "499" if gone else str(exchange.status)
            gateway.metrics.requests.labels(self._path, record.action, status).inc()
