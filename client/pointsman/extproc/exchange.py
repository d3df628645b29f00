"""The conversation with Envoy on one request and its reply.

How a body goes on depends on how Envoy sends it:

- ``BUFFERED``: whole, in one message; the headers wait for the answer to it.
- ``FULL_DUPLEX_STREAMED``, and ``STREAMED`` with ``send_body_without_waiting_for_header_response``:
  in chunks; the headers wait until they are answered, which is after the verdict. Then the body is
  answered, in the first with any number of chunks, in the second with one for each that came.
- ``STREAMED`` otherwise: in chunks, when the headers may have gone on. So the verdict cannot be
  sure to choose the route, and each chunk is answered at once, with nothing in its place until the
  verdict is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Final

from envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import ProcessingMode
from envoy.service.ext_proc.v3.external_processor_pb2 import (
    HttpBody,
    HttpHeaders,
    ProcessingRequest,
    ProcessingResponse,
    ProtocolConfiguration,
)

from pointsman import answers
from pointsman.body import RequestBody
from pointsman.errors import RequestError
from pointsman.extproc import messages
from pointsman.extproc.admission import OURS, Judge, Pass, Refuse, admit
from pointsman.extproc.messages import Edits
from pointsman.guard import Guard, Verdict
from pointsman.inflate import Gunzip
from pointsman.placeholders import Placeholders
from pointsman.restore import ReplyRestorer, reply_restorer

__all__ = ["Exchange"]

_log = logging.getLogger(__name__)

BUFFERED: Final = ProcessingMode.BUFFERED
STREAMED: Final = ProcessingMode.STREAMED
FULL_DUPLEX: Final = ProcessingMode.FULL_DUPLEX_STREAMED

# A verdict that takes longer asks Envoy to wait: its own patience is 200 ms unless configured.
_PROMPT_S = 0.1
# What Envoy is to wait beyond the longest that a verdict takes.
_MARGIN_S = 1.0
# A compressed reply could not be restored.
_PLAIN_REPLY = {"accept-encoding": "identity"}

Told = Iterator[ProcessingResponse]
ToldLater = AsyncIterator[ProcessingResponse]


class Exchange:
    """One request and its reply, as Envoy tells of them.

    Args:
        guard: Judges the request.
        verdict_timeout_s: Seconds that a verdict takes at most.
    """

    def __init__(self, guard: Guard, *, verdict_timeout_s: float) -> None:
        self._guard = guard
        self._patience_s = verdict_timeout_s + _MARGIN_S
        # Where no model is exempt, nobody need look for a name before the body is whole.
        self._looks = bool(guard.policy.exempt_models)
        self._early = guard.early_look()
        self._protocol = ProtocolConfiguration()
        self._headers: dict[str, str] = {}
        self._headers_wait = False
        self._chunks = 0  # of the request's body, that Envoy has no answer to
        self._body: RequestBody | None = None
        self._gunzip: Gunzip | None = None
        self._exempt = False
        self._answered = False  # the client, by us: nothing that Envoy says after that matters
        self._placeholders: Placeholders | None = None
        self._restorer: ReplyRestorer | None = None

    async def answers(self, message: ProcessingRequest) -> ToldLater:
        """Take what Envoy says next; give what it is to be told."""
        if self._answered:
            return
        if message.HasField("protocol_config"):
            self._protocol = message.protocol_config
        match message.WhichOneof("request"):
            case "request_headers":
                told: ToldLater | Told = self._request_headers(message.request_headers)
            case "request_body":
                told = self._request_body(message.request_body)
            case "request_trailers":
                told = self._request_trailers()
            case "response_headers":
                told = self._response_headers(message.response_headers)
            case "response_body":
                told = self._response_body(message.response_body)
            case "response_trailers":
                told = self._response_trailers()
            case unknown:
                raise RuntimeError(f"Envoy sent {unknown}; is it a later version?")
        try:
            async for answer in _each(told):
                yield answer
        except RequestError as error:
            yield self._block(self._guard.refuse(error))

    # -- the request --------------------------------------------------------------------------

    async def _request_headers(self, received: HttpHeaders) -> ToldLater:
        self._headers = messages.read_headers(received.headers)
        mode = self._protocol.request_body_mode
        match admit(self._headers, has_body=not received.end_of_stream):
            case Refuse() as refused:
                yield self._refuse(refused)
                return
            case Pass():
                yield messages.headers("request", self._edits())
                return
            case Judge() as judge:
                self._body = RequestBody(judge.kind)
                self._gunzip = Gunzip() if judge.gzipped else None
        if received.end_of_stream:
            async for answer in self._complete(end_of_stream=True):
                yield answer
        elif mode not in (BUFFERED, STREAMED, FULL_DUPLEX):
            _log.error(
                "Envoy does not send the bodies of requests: set request_body_mode of its filter "
                "to FULL_DUPLEX_STREAMED, STREAMED or BUFFERED"
            )
            yield self._refuse(Refuse(500, "misconfigured", "requests cannot be checked"))
        elif mode == FULL_DUPLEX or self._streams_unasked:
            self._headers_wait = True
        elif mode == STREAMED and judge.gzipped:
            reason = "the body must be sent as it is, without compression"
            yield self._refuse(Refuse(415, "unsupported_encoding", reason))
        else:
            # These headers may go on before there is a verdict.
            edits = self._edits(_PLAIN_REPLY if self._guard.policy.pii.restore else None)
            yield messages.headers("request", edits, mode=self._mode_for_reply(None))

    async def _request_body(self, received: HttpBody) -> ToldLater:
        self._chunks += 1
        mode = self._protocol.request_body_mode
        if self._body is None:
            _log.error("Envoy does not send headers: set request_header_mode of its filter to SEND")
            yield self._refuse(Refuse(500, "misconfigured", "requests cannot be checked"))
            return
        self._feed(received.body)
        if self._exempt:
            for answer in self._forward(received.body, end_of_stream=received.end_of_stream):
                yield answer
        # A buffered body is whole, also where Envoy says that trailers follow.
        elif received.end_of_stream or mode == BUFFERED:
            async for answer in self._complete(end_of_stream=received.end_of_stream):
                yield answer
        # A compressed one could grow beyond measure in a single chunk.
        elif self._gunzip is None and self._looks and self._guard.exempt(self._body.model):
            for answer in self._pass_exempt(self._body, end_of_stream=False):
                yield answer
        elif (rule := await self._blocked_already(self._body)) is not None:
            yield self._block(self._guard.blocked_early(rule))
        elif not self._headers_wait:
            self._chunks -= 1
            yield messages.body("request", b"")

    async def _request_trailers(self) -> ToldLater:
        if self._body is not None and not self._exempt:
            if self._protocol.request_body_mode == STREAMED:
                # Every chunk has its answer: there is no place for the body any more.
                reason = "the request must end without trailers"
                yield self._refuse(Refuse(400, "unsupported_trailers", reason))
                return
            async for answer in self._complete(end_of_stream=False):
                yield answer
        if not self._answered:
            yield messages.trailers("request")

    def _feed(self, data: bytes) -> None:
        assert self._body is not None  # noqa: S101 (for the type checker)
        if self._gunzip is None:
            self._body.feed(data)
        else:
            for piece in self._gunzip.feed(data):
                self._body.feed(piece)

    async def _complete(self, *, end_of_stream: bool) -> ToldLater:
        """The body has come whole: judge it, and pass it on or answer the client."""
        assert self._body is not None  # noqa: S101 (for the type checker)
        body, self._body = self._body, None
        if self._gunzip is not None:
            self._gunzip.finish()
        if self._looks and self._guard.exempt(body.end()):
            for answer in self._pass_exempt(body, end_of_stream=end_of_stream):
                yield answer
            return
        chat = body.finish()
        judging = asyncio.ensure_future(self._guard.judge(chat))
        try:
            await asyncio.wait({judging}, timeout=_PROMPT_S)
            # Envoy has no time limit, and so no use for this, with FULL_DUPLEX_STREAMED.
            if not judging.done() and self._protocol.request_body_mode != FULL_DUPLEX:
                yield messages.more_time(self._patience_s)
            verdict = await judging
        finally:
            judging.cancel()
        if verdict.blocked:
            yield self._block(verdict)
            return
        self._placeholders = verdict.placeholders
        to_set = verdict.headers | (_PLAIN_REPLY if verdict.placeholders else {})
        content = b"".join(verdict.body)
        for answer in self._forward(content, to_set=to_set, end_of_stream=end_of_stream):
            yield answer

    async def _blocked_already(self, body: RequestBody) -> str | None:
        """The rule that blocks what has come so far, whatever follows, where the policy looks."""
        look = self._early
        if look is None or not look.due(body.size, body.model):
            return None
        return await asyncio.to_thread(look.rule, body.so_far())

    def _pass_exempt(self, body: RequestBody, *, end_of_stream: bool) -> Told:
        """The model that the request names is exempt: let everything pass from here on."""
        self._exempt = True
        to_set = self._guard.exemption(body.model or "").headers
        yield from self._forward(body.stream_through(), to_set=to_set, end_of_stream=end_of_stream)

    def _forward(
        self, content: bytes, *, to_set: dict[str, str] | None = None, end_of_stream: bool
    ) -> Told:
        """Let the request's body go on.

        Args:
            content: What goes on in the place of all chunks without an answer.
            to_set: Headers; None with the second chunk and later: it goes on as it came.
            end_of_stream: Whether these chunks end the request.
        """
        chunks, self._chunks = self._chunks, 0
        mode = self._protocol.request_body_mode
        edits = None
        if to_set is not None:
            # Where the headers may have gone on, Envoy must not be asked for another route.
            edits = self._edits(to_set, reroute=mode != STREAMED or self._headers_wait)
            if self._gunzip is not None:
                edits.remove.append("content-encoding")
        if mode == BUFFERED:
            if edits is not None and "content-length" in self._headers:
                edits.set["content-length"] = str(len(content))
            yield messages.body("request", content, edits)
            return
        if self._headers_wait:
            self._headers_wait = False
            yield messages.headers("request", edits)
            edits = None
        if mode == FULL_DUPLEX:
            yield from messages.streamed("request", content, end_of_stream=end_of_stream)
            return
        for _ in range(chunks - 1):
            yield messages.body("request", b"")
        yield messages.body("request", None if to_set is None else content, edits)

    def _edits(self, to_set: dict[str, str] | None = None, *, reroute: bool = True) -> Edits:
        """Set headers, and remove those that a client may not set."""
        to_set = dict(to_set or {})
        remove = [name for name in self._headers if name.startswith(OURS) and name not in to_set]
        return Edits(to_set, remove, reroute)

    def _refuse(self, refused: Refuse) -> ProcessingResponse:
        self._answered = True
        content = answers.error(refused.status, refused.reason, code=refused.code)
        to_set = {"content-type": answers.JSON, "x-pointsman-action": "block"}
        return messages.immediate(refused.status, content, to_set, details=refused.code)

    def _block(self, verdict: Verdict) -> ProcessingResponse:
        self._answered = True
        content = b"".join(verdict.body)
        return messages.immediate(verdict.status, content, verdict.headers, details="blocked")

    # -- the reply ----------------------------------------------------------------------------

    def _response_headers(self, received: HttpHeaders) -> Told:
        headers = messages.read_headers(received.headers)
        if (
            self._placeholders is not None
            and not received.end_of_stream
            and headers.get("content-encoding", "identity") == "identity"
        ):
            content_type = headers.get("content-type", "")
            self._restorer = reply_restorer(self._placeholders, content_type)
        if self._restorer is None:
            yield messages.headers("response")
            return
        edits = Edits(remove=["content-length"])
        yield messages.headers("response", edits, mode=self._mode_for_reply(STREAMED))

    def _response_body(self, received: HttpBody) -> Told:
        mode = self._protocol.response_body_mode
        content, end = received.body, received.end_of_stream
        if self._restorer is not None:
            content = self._restorer.feed(content)
            if end or mode == BUFFERED:
                content += self._restorer.flush()
                self._restorer = None
        elif mode != FULL_DUPLEX:
            yield messages.body("response")
            return
        if mode == FULL_DUPLEX:
            yield from messages.streamed("response", content, end_of_stream=end)
        else:
            yield messages.body("response", content)

    def _response_trailers(self) -> Told:
        rest = self._restorer.flush() if self._restorer is not None else b""
        if rest and self._protocol.response_body_mode != FULL_DUPLEX:
            raise RuntimeError("the reply ends with trailers: there is no place for its last words")
        yield from messages.streamed("response", rest, end_of_stream=False)
        yield messages.trailers("response")

    def _mode_for_reply(self, body_mode: int | None) -> ProcessingMode | None:
        """Ask for a reply that may have to be restored, where Envoy lets us ask.

        It does not with FULL_DUPLEX_STREAMED, nor when bodies do not wait for headers; there the
        filter's configuration says what is sent.
        """
        protocol = self._protocol
        if (
            not self._guard.policy.pii.restore
            or protocol.response_body_mode != ProcessingMode.NONE
            or protocol.request_body_mode == FULL_DUPLEX
            or self._streams_unasked
        ):
            return None
        return ProcessingMode(
            response_header_mode=ProcessingMode.SEND,
            request_body_mode=protocol.request_body_mode,
            response_body_mode=body_mode or ProcessingMode.NONE,
        )

    @property
    def _streams_unasked(self) -> bool:
        protocol = self._protocol
        unasked: bool = protocol.send_body_without_waiting_for_header_response
        return unasked and protocol.request_body_mode == STREAMED


async def _each(told: ToldLater | Told) -> ToldLater:
    if isinstance(told, AsyncIterator):
        async for answer in told:
            yield answer
    else:
        for answer in told:
            yield answer
