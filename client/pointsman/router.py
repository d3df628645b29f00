"""`Router` and `AsyncRouter`: ask a running server for decisions over gRPC.

An exception is never a permission: a request without a decision must not be forwarded.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import math
import re
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import grpc
import tenacity
from tritonclient.grpc import service_pb2 as protocol
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

from pointsman.body import ChatBody
from pointsman.chat import ChatText, parse_chat, plain_text
from pointsman.decision import Decision, parse_decision
from pointsman.errors import (
    CheckFailedError,
    InvalidBudgetError,
    InvalidRequestError,
    OverloadedError,
    PointsmanError,
    ProtocolError,
    RequestTooLargeError,
    ServerError,
    ServerTimeoutError,
    ServerUnavailableError,
    UnknownPolicyError,
)

__all__ = ["AsyncRouter", "Router"]

MODEL = "chat_router"
DEFAULT_URL = "127.0.0.1:8001"
DEFAULT_TIMEOUT_S = 5.0
DEFAULT_RETRIES = 10
DEFAULT_MAX_IN_FLIGHT = 128

# Triton up to 25.01 can crash when a call is cancelled, and a deadline on the wire is a
# cancellation (triton-inference-server/server, issues 7368 and 8034). So a call that is given up
# stays under way until Triton has answered it, or at last until gRPC ends it, this much later: more
# than a server takes that has as many texts of 32,768 tokens before it as it admits.
_WIRE_GRACE_S = 3600.0
# How long closing waits for such calls, since closing cancels them: more than one such text takes.
# A server that does not say within this time that it lives is not waited for.
_DRAIN_S = 60.0
_ALIVE_S = 0.5
# Nobody wonders that a text of more than that takes time to read: it is the shipped default.
_USUAL_BUDGET = 512

_INT32_MAX = 2**31 - 1
# How often a server that is gone is asked again; one that is full, or heals a model, is asked until
# the time-out.
_BRIEF_RETRIES = 2

_CHANNEL = [
    ("grpc.max_send_message_length", _INT32_MAX),
    ("grpc.max_receive_message_length", _INT32_MAX),
    # gRPC's own default waits for up to two minutes before it looks again for a server.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 2000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # The text of every request goes to the address that was given and nowhere else.
    ("grpc.enable_http_proxy", 0),
]


class Router:
    """Asks a server for decisions. Thread-safe; one connection for all calls.

    Use it as a context manager, or call :meth:`close`.

    Args:
        url: HOST:PORT of Triton's gRPC endpoint.
        timeout_s: Seconds that a call may take in all, retries included.
        retries: How often a call that failed is repeated at most within the time-out: until the
            time-out while the server is full or reloads a model, twice when it is gone.
        max_in_flight: How many calls may wait for the server at once, those that were given up
            and that it has not yet answered included. One more is an error at once: overload is
            never a pile-up.

    Raises:
        ServerUnavailableError: ``url`` is not HOST:PORT.
        ValueError: ``timeout_s`` is not a positive, finite number, ``retries`` is negative or
            ``max_in_flight`` is not positive.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
        max_in_flight: int = DEFAULT_MAX_IN_FLIGHT,
    ) -> None:
        self.url = _checked_url(url)
        self._timeout_s = _checked_timeout(timeout_s)
        self._retries = _at_least(0, "retries", retries)
        self._max_in_flight = _at_least(1, "max_in_flight", max_in_flight)
        self._closed = False
        self._channel = grpc.insecure_channel(url, _CHANNEL)
        self._server = GRPCInferenceServiceStub(self._channel)
        self._under_way: set[grpc.Future[protocol.ModelInferResponse]] = set()

    def route(
        self,
        chat_request: ChatBody | ChatText | Mapping[str, Any] | bytes | str,
        *,
        budget: int | None = None,
        policy: str | None = None,
        timeout_s: float | None = None,
    ) -> Decision:
        """Get the decision on a chat-completions request.

        Args:
            chat_request: The body, as JSON or decoded, of which ``messages`` is what matters; or
                what `parse_chat` or `RequestBody` made of it, which is not parsed again.
            budget: How many tokens the classifiers may read: None or 0 for the server's default,
                -1 for all. More than the models can read is as much as they can. Tens of thousands
                take many seconds on a CPU: give a ``timeout_s`` to match.
            policy: A policy of the server's policy.yaml; None for its default.
            timeout_s: Seconds for this call; None for the router's.

        Raises:
            RequestError: The request cannot be judged; its subclasses say why.
            ServerError: There is no decision: do not forward the request.
            RuntimeError: The router is closed.
        """
        deadline = _Deadline(self._timeout_s if timeout_s is None else timeout_s, budget)
        return self._decide(_chat_text(chat_request), budget, policy, deadline)

    def route_text(
        self,
        text: str,
        *,
        budget: int | None = None,
        policy: str | None = None,
        timeout_s: float | None = None,
    ) -> Decision:
        """Get the decision on a bare text; everything else is as in :meth:`route`."""
        deadline = _Deadline(self._timeout_s if timeout_s is None else timeout_s, budget)
        return self._decide(plain_text(text), budget, policy, deadline)

    def _decide(
        self, chat: ChatText, budget: int | None, policy: str | None, deadline: _Deadline
    ) -> Decision:
        request = _request(chat, budget, policy)
        try:
            return self._ask(request, chat, deadline)
        except ServerError as error:
            first = error
        # Not for the first attempt, too: tenacity takes a tenth of what a call costs the client.
        for attempt in tenacity.Retrying(**_retrying(self._retries, deadline)):
            with attempt:
                if attempt.retry_state.attempt_number == 1:
                    raise first
                return self._ask(request, chat, deadline)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _ask(
        self, request: protocol.ModelInferRequest, chat: ChatText, deadline: _Deadline
    ) -> Decision:
        if self._closed:
            raise RuntimeError("this Router is closed")
        try:
            response = self._infer(request, deadline)
        except _CallError as error:
            raise _translate(error, self.url, deadline) from error
        return _decision(response, chat)

    def _infer(
        self, request: protocol.ModelInferRequest, deadline: _Deadline
    ) -> protocol.ModelInferResponse:
        _refuse_overload(len(self._under_way), self._max_in_flight, self.url)
        call = self._server.ModelInfer.future(request, timeout=_timeouts(request, deadline))
        self._under_way.add(call)
        call.add_done_callback(self._under_way.discard)
        try:
            return call.result(deadline.remaining_s())
        except grpc.FutureTimeoutError:
            raise _CallError(grpc.StatusCode.DEADLINE_EXCEEDED) from None
        except grpc.FutureCancelledError:
            raise _CallError(grpc.StatusCode.CANCELLED) from None
        except grpc.RpcError as error:
            raise _CallError(error.code(), error.details()) from error

    def close(self) -> None:
        """Close the connection. Calls under way have a minute to end, then they fail."""
        self._closed = True
        under_way = tuple(self._under_way)
        if under_way and self._alive():
            drained = _Deadline(_DRAIN_S)
            for call in under_way:
                with contextlib.suppress(
                    grpc.RpcError, grpc.FutureTimeoutError, grpc.FutureCancelledError
                ):
                    call.result(drained.remaining_s())
        self._channel.close()

    def _alive(self) -> bool:
        try:
            return bool(
                self._server.ServerLive(protocol.ServerLiveRequest(), timeout=_ALIVE_S).live
            )
        except grpc.RpcError:
            return False

    def __enter__(self) -> Router:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncRouter:
    """:class:`Router` for asyncio: the same calls, awaited, any number at a time.

    One event loop for the life of the object. A call can be cancelled; the server ends it anyway.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
        max_in_flight: int = DEFAULT_MAX_IN_FLIGHT,
    ) -> None:
        self.url = _checked_url(url)
        self._timeout_s = _checked_timeout(timeout_s)
        self._retries = _at_least(0, "retries", retries)
        self._max_in_flight = _at_least(1, "max_in_flight", max_in_flight)
        self._closed = False
        self._channel: grpc.aio.Channel | None = None
        self._under_way: set[asyncio.Task[protocol.ModelInferResponse]] = set()

    async def route(
        self,
        chat_request: ChatBody | ChatText | Mapping[str, Any] | bytes | str,
        *,
        budget: int | None = None,
        policy: str | None = None,
        timeout_s: float | None = None,
    ) -> Decision:
        """Get the decision on a chat-completions request, as :meth:`Router.route` does."""
        deadline = _Deadline(self._timeout_s if timeout_s is None else timeout_s, budget)
        return await self._decide(_chat_text(chat_request), budget, policy, deadline)

    async def route_text(
        self,
        text: str,
        *,
        budget: int | None = None,
        policy: str | None = None,
        timeout_s: float | None = None,
    ) -> Decision:
        """Get the decision on a bare text, as :meth:`Router.route_text` does."""
        deadline = _Deadline(self._timeout_s if timeout_s is None else timeout_s, budget)
        return await self._decide(plain_text(text), budget, policy, deadline)

    async def _decide(
        self, chat: ChatText, budget: int | None, policy: str | None, deadline: _Deadline
    ) -> Decision:
        request = _request(chat, budget, policy)
        try:
            return await self._ask(request, chat, deadline)
        except ServerError as error:
            first = error
        async for attempt in tenacity.AsyncRetrying(**_retrying(self._retries, deadline)):
            with attempt:
                if attempt.retry_state.attempt_number == 1:
                    raise first
                return await self._ask(request, chat, deadline)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _ask(
        self, request: protocol.ModelInferRequest, chat: ChatText, deadline: _Deadline
    ) -> Decision:
        if self._closed:
            raise RuntimeError("this AsyncRouter is closed")
        try:
            response = await self._infer(request, deadline)
        except _CallError as error:
            raise _translate(error, self.url, deadline) from error
        return _decision(response, chat)

    async def _infer(
        self, request: protocol.ModelInferRequest, deadline: _Deadline
    ) -> protocol.ModelInferResponse:
        _refuse_overload(len(self._under_way), self._max_in_flight, self.url)
        if self._channel is None:
            # Here and not in __init__: the channel belongs to the running event loop.
            self._channel = grpc.aio.insecure_channel(self.url, _CHANNEL)
            self._server = GRPCInferenceServiceStub(self._channel)
        call = self._server.ModelInfer(request, timeout=_timeouts(request, deadline))
        task = asyncio.ensure_future(call)
        self._under_way.add(task)
        task.add_done_callback(self._complete)
        # `wait` leaves the task alone when the time is over or the caller is cancelled.
        done, _ = await asyncio.wait({task}, timeout=deadline.remaining_s())
        if not done:
            raise _CallError(grpc.StatusCode.DEADLINE_EXCEEDED)
        if task.cancelled():  # by nobody but `close`
            raise _CallError(grpc.StatusCode.CANCELLED)
        try:
            return task.result()
        except grpc.RpcError as error:
            raise _CallError(error.code(), error.details()) from error

    def _complete(self, task: asyncio.Task[protocol.ModelInferResponse]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # asyncio complains about one that nobody looked at

    async def close(self) -> None:
        """Close the connection. Calls under way have a minute to end, then they fail."""
        self._closed = True
        if self._channel is None:
            return
        # Before anything is awaited: a set that has become empty cannot be waited for.
        under_way = tuple(self._under_way)
        if under_way and await self._alive():
            await asyncio.wait(under_way, timeout=_DRAIN_S)
        await self._channel.close()

    async def _alive(self) -> bool:
        try:
            answer = await self._server.ServerLive(protocol.ServerLiveRequest(), timeout=_ALIVE_S)
        except grpc.RpcError:
            return False
        return bool(answer.live)

    async def __aenter__(self) -> AsyncRouter:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


# -- what both share: pure functions ----------------------------------------------------------


class _Deadline:
    """The moment by which a call must be over, and why it has taken until now."""

    def __init__(self, timeout_s: float, budget: int | None = None) -> None:
        self.timeout_s = _checked_timeout(timeout_s)
        self.budget = budget
        self.earlier_failure: BaseException | None = None
        self._end = time.monotonic() + self.timeout_s

    def remaining_s(self) -> float:
        return max(0.001, self._end - time.monotonic())

    def why_missed(self) -> str:
        if self.earlier_failure is not None:
            return f"before that, {self.earlier_failure}"
        if self.budget is None or 0 <= self.budget <= _USUAL_BUDGET:
            return "is the server overloaded, or the time-out too short?"
        asked = "all" if self.budget == -1 else f"{self.budget:,} tokens"
        return (
            f"reading {asked} of a long text can take many seconds: give more time (timeout_s; "
            "--timeout of `pointsman route`), or a smaller budget"
        )


def _checked_url(url: str) -> str:
    """Refuse what gRPC would take for another server: it reads port 99999 as 34463."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):([0-9]{1,5})", url)
    if match is None or not 0 < int(match[2]) < 2**16:
        raise ServerUnavailableError(
            f"{url!r} is no server; give Triton's gRPC endpoint as HOST:PORT, e.g. {DEFAULT_URL}"
        )
    return url


def _checked_timeout(timeout_s: float) -> float:
    if not (math.isfinite(timeout_s) and timeout_s > 0):
        raise ValueError(f"timeout_s must be a positive, finite number of seconds, not {timeout_s}")
    return timeout_s


def _at_least(least: int, name: str, value: int) -> int:
    if value < least:
        raise ValueError(f"{name} must be at least {least}, and is {value}")
    return value


def _refuse_overload(under_way: int, most: int, url: str) -> None:
    if under_way >= most:
        raise OverloadedError(
            f"{under_way} calls wait for {url}, as many as may (max_in_flight); ask again later"
        )


def _chat_text(chat_request: ChatBody | ChatText | Mapping[str, Any] | bytes | str) -> ChatText:
    if isinstance(chat_request, ChatBody):
        return chat_request.chat
    return chat_request if isinstance(chat_request, ChatText) else parse_chat(chat_request)


def _request(chat: ChatText, budget: int | None, policy: str | None) -> protocol.ModelInferRequest:
    """What the ensemble is asked; each tensor has the batch dimension 1.

    Built as a message: by tritonclient's classes, a short text takes several times as long.
    """
    request = protocol.ModelInferRequest(model_name=MODEL)

    def add(name: str, datatype: str, count: int, content: bytes) -> None:
        request.inputs.add(name=name, datatype=datatype, shape=(1, count))
        request.raw_input_contents.append(content)

    offsets = chat.message_offsets
    add("TEXT", "BYTES", 1, _bytes_element(chat.utf8))
    add("MESSAGE_OFFSETS", "INT32", len(offsets), offsets.astype("<i4").tobytes())
    if budget is not None:
        if isinstance(budget, bool) or not isinstance(budget, int) or budget < -1:
            raise InvalidBudgetError(
                f"the budget is a number of tokens, 0 for the default or -1 for all, not {budget!r}"
            )
        tokens = min(budget, _INT32_MAX)
        add("TOKEN_BUDGET", "INT32", 1, tokens.to_bytes(4, "little", signed=True))
    if policy:
        try:
            name = policy.encode()
        except UnicodeEncodeError:
            raise UnknownPolicyError(f"no policy {policy!r}: the name is not Unicode") from None
        add("POLICY", "BYTES", 1, _bytes_element(name))
    return request


def _bytes_element(content: bytes) -> bytes:
    """An element of a BYTES tensor: its length, then itself."""
    return len(content).to_bytes(4, "little") + content


def _timeouts(request: protocol.ModelInferRequest, deadline: _Deadline) -> float:
    """Give the time that is left to queues that heed it; return the seconds for the wire."""
    remaining_s = deadline.remaining_s()
    request.parameters["timeout"].int64_param = int(remaining_s * 1e6)  # microseconds
    return remaining_s + _WIRE_GRACE_S


def _decision(response: protocol.ModelInferResponse, chat: ChatText) -> Decision:
    for output, content in zip(response.outputs, response.raw_output_contents, strict=False):
        if output.name == "DECISION":
            length, document = int.from_bytes(content[:4], "little"), content[4:]
            if len(document) == length:
                return parse_decision(document, skipped_parts=chat.skipped_parts)
    raise ProtocolError(f"{MODEL} answered without one DECISION; is it another version?")


class _CallError(Exception):
    """A call that Triton did not answer, as gRPC puts it."""

    def __init__(self, code: grpc.StatusCode, details: str | None = None) -> None:
        super().__init__(details or code.value[1])
        self.code = code


class _Failure(enum.Enum):
    """Why a call failed, as far as it matters for what to say and whether to ask again."""

    JUDGED = enum.auto()  # a backend of ours says why
    TIMEOUT = enum.auto()
    QUEUED = enum.auto()  # too long in one of Triton's queues
    OVERLOADED = enum.auto()
    GONE = enum.auto()  # no server, or not any more
    HEALING = enum.auto()  # a model is not loaded, or its process has died
    FOREIGN = enum.auto()  # not Triton, or not our model
    CLOSED = enum.auto()
    OTHER = enum.auto()


_OUR_ERROR = re.compile(r"\[pointsman:(\w+)\] *([^\n]*)")
_MESSAGES = (
    (_Failure.OVERLOADED, re.compile(r"\[pointsman:overloaded\]|maximum queue size", re.I)),
    (_Failure.JUDGED, _OUR_ERROR),
    (_Failure.QUEUED, re.compile(r"request timeout expired", re.I)),
    (
        _Failure.HEALING,
        re.compile(r"stub process|unknown model|not ready|no available version", re.I),
    ),
)
_CODES = {
    grpc.StatusCode.DEADLINE_EXCEEDED: _Failure.TIMEOUT,
    grpc.StatusCode.UNAVAILABLE: _Failure.GONE,
    grpc.StatusCode.RESOURCE_EXHAUSTED: _Failure.OVERLOADED,
    grpc.StatusCode.UNIMPLEMENTED: _Failure.FOREIGN,
    grpc.StatusCode.INVALID_ARGUMENT: _Failure.FOREIGN,
    grpc.StatusCode.CANCELLED: _Failure.CLOSED,
}
_OUR_CLASSES: dict[str, type[PointsmanError]] = {
    "invalid_text": InvalidRequestError,
    "invalid_offsets": InvalidRequestError,
    "invalid_budget": InvalidBudgetError,
    "too_large": RequestTooLargeError,
    "unknown_policy": UnknownPolicyError,
}


def _classify(error: _CallError) -> _Failure:
    for failure, pattern in _MESSAGES:
        if pattern.search(str(error)):
            return failure
    return _CODES.get(error.code, _Failure.OTHER)


def _translate(error: _CallError, url: str, deadline: _Deadline) -> PointsmanError:
    """The exception of our tree that says what happened, where, and what to do."""
    message = " ".join(str(error).split())
    match _classify(error):
        case _Failure.JUDGED:
            code, line = _OUR_ERROR.search(message).groups()  # type: ignore[union-attr]
            return _OUR_CLASSES.get(code, CheckFailedError)(line)
        case _Failure.TIMEOUT:
            return ServerTimeoutError(
                f"no decision from {url} within {deadline.timeout_s:g} s; {deadline.why_missed()}"
            )
        case _Failure.QUEUED:
            return ServerTimeoutError(
                f"the request waited too long in a queue of Triton at {url}; it is overloaded"
            )
        case _Failure.OVERLOADED:
            return OverloadedError(
                f"Triton at {url} has as many requests waiting as it accepts; ask again later"
            )
        case _Failure.GONE:
            return ServerUnavailableError(_why_gone(message, url))
        case _Failure.HEALING:
            return ServerUnavailableError(
                f"Triton at {url} has a model that is not loaded or has died ({message}); "
                "`pointsman serve` reloads it, else restart the server"
            )
        case _Failure.FOREIGN:
            return ProtocolError(
                f"the server at {url} does not speak as {MODEL} does ({message}); "
                "do client and server have the same version?"
            )
        case _Failure.CLOSED:
            return ServerUnavailableError(f"the call to {url} was cancelled ({message})")
    return CheckFailedError(f"Triton at {url} failed: {message}")


def _why_gone(message: str, url: str) -> str:
    """What gRPC's many words for "unavailable" mean to somebody who runs Triton."""
    for pattern, line in (
        ("connection refused", f"Triton is not running at {url}; start it with `pointsman serve`"),
        ("http1", f"{url} speaks HTTP, not gRPC; give Triton's gRPC port (8001 by default)"),
        ("SETTINGS frame|timed out", f"{url} does not answer; is Triton's gRPC port there?"),
        ("resolv|lookup", f"there is no host {url}; give Triton's gRPC endpoint as HOST:PORT"),
    ):
        if re.search(pattern, message, re.I):
            return f"{line} ({message})"
    return f"the connection to Triton at {url} broke; was it stopped? ({message})"


def _worth_another_attempt(state: tenacity.RetryCallState) -> bool:
    """Whether asking again may help; it never harms, since a decision changes nothing."""
    cause = state.outcome and getattr(state.outcome.exception(), "__cause__", None)
    if not isinstance(cause, _CallError):
        return False
    match _classify(cause):
        case _Failure.HEALING | _Failure.OVERLOADED:
            return True
        case _Failure.GONE:
            return state.attempt_number <= _BRIEF_RETRIES
    return False


def _retrying(retries: int, deadline: _Deadline) -> dict[str, Any]:
    """Exponential back-off with jitter that ends in time for the deadline."""

    def stop(state: tenacity.RetryCallState) -> bool:
        return state.attempt_number > retries or state.upcoming_sleep >= deadline.remaining_s()

    def remember(state: tenacity.RetryCallState) -> None:
        deadline.earlier_failure = state.outcome.exception() if state.outcome else None

    return {
        "before_sleep": remember,
        "retry": _worth_another_attempt,
        "wait": tenacity.wait_exponential(multiplier=0.1, max=1.0) + tenacity.wait_random(0, 0.1),
        "stop": stop,
        "reraise": True,
    }
