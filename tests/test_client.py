"""`Router` and `AsyncRouter` against sockets that are no Triton: clear errors, and never a hang."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import grpc
import pytest

from pointsman import errors
from pointsman.chat import plain_text
from pointsman.router import (
    AsyncRouter,
    Router,
    _CallError,
    _classify,
    _Deadline,
    _request,
    _translate,
)


def call_sync(url: str, timeout_s: float) -> None:
    with Router(url, timeout_s=timeout_s) as router:
        router.route_text("hello")


def call_async(url: str, timeout_s: float) -> None:
    async def call() -> None:
        async with AsyncRouter(url, timeout_s=timeout_s) as router:
            await router.route_text("hello")

    asyncio.run(call())


Call = Callable[[str, float], None]
both = pytest.mark.parametrize("call", [call_sync, call_async])


@contextlib.contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A real port; every connection is given to `answer`."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.05)
        done = threading.Event()
        connections: list[socket.socket] = []

        def serve() -> None:
            while not done.is_set():
                with contextlib.suppress(OSError):
                    connection, _ = server.accept()
                    connections.append(connection)
                    answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            done.set()
            thread.join()
            for connection in connections:
                connection.close()


def silent(connection: socket.socket) -> None:
    """Accept and never answer."""


def hang_up(connection: socket.socket) -> None:
    connection.close()


def speak_http(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@both
def test_no_server_at_all(call: Call) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening: refused, and nobody else takes it
        url = f"127.0.0.1:{unused.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(errors.ServerUnavailableError) as caught:
            call(url, 5.0)
        assert time.monotonic() - began < 3
    assert f"Triton is not running at {url}; start it with `pointsman serve`" in str(caught.value)


@both
def test_a_port_that_accepts_and_never_answers_ends_at_the_time_out(call: Call) -> None:
    with listening(silent) as url:
        began = time.monotonic()
        with pytest.raises(errors.ServerTimeoutError, match=r"within 0\.5 s"):
            call(url, 0.5)
        assert 0.4 < time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("budget", "advice"),
    [
        (None, "is the server overloaded"),
        (0, "is the server overloaded"),
        (64, "is the server overloaded"),
        (-1, "reading all of a long text.*timeout_s.*smaller budget"),
        (20_000, "reading 20,000 tokens of a long text.*timeout_s.*smaller budget"),
    ],
)
async def test_a_time_out_says_what_to_do(budget: int | None, advice: str) -> None:
    with listening(silent) as url:
        with (
            Router(url, timeout_s=0.1) as router,
            pytest.raises(errors.ServerTimeoutError, match=advice),
        ):
            router.route_text("hello", budget=budget)
        async with AsyncRouter(url, timeout_s=0.1) as router:
            with pytest.raises(errors.ServerTimeoutError, match=advice):
                await router.route_text("hello", budget=budget)


@both
def test_a_port_that_never_answers_is_given_up_before_a_long_time_out(call: Call) -> None:
    with listening(silent) as url:
        began = time.monotonic()
        with pytest.raises(errors.ServerUnavailableError, match="does not answer"):
            call(url, 8.0)
        assert time.monotonic() - began < 8


@both
@pytest.mark.parametrize(
    ("answer", "complaint"), [(hang_up, "broke"), (speak_http, "speaks HTTP, not gRPC")]
)
def test_a_port_that_is_no_triton(
    call: Call, answer: Callable[[socket.socket], None], complaint: str
) -> None:
    with listening(answer) as url, pytest.raises(errors.ServerUnavailableError, match=complaint):
        call(url, 3.0)


@pytest.mark.parametrize(
    "url",
    ["", "localhost", "http://127.0.0.1:8001", "127.0.0.1:99999", "127.0.0.1:0", "a b:1", ":8001"],
)
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    for router in (Router, AsyncRouter):
        with pytest.raises(errors.ServerUnavailableError, match="HOST:PORT"):
            router(url)


@pytest.mark.parametrize("timeout_s", [0, -1, float("inf"), float("nan")])
def test_there_is_no_call_without_a_finite_time_out(timeout_s: float) -> None:
    for router in (Router, AsyncRouter):
        with pytest.raises(ValueError, match="timeout_s"):
            router("127.0.0.1:9", timeout_s=timeout_s)
    with Router("127.0.0.1:9") as one, pytest.raises(ValueError, match="timeout_s"):
        one.route_text("hello", timeout_s=timeout_s)


def test_negative_retries_are_refused() -> None:
    with pytest.raises(ValueError, match="retries"):
        Router("127.0.0.1:9", retries=-1)


@pytest.mark.parametrize("budget", [-2, -(2**40), 1.5, "512", True])
def test_a_budget_that_means_nothing_is_refused_before_any_call(budget: object) -> None:
    with Router("127.0.0.1:9") as router, pytest.raises(errors.InvalidBudgetError):
        router.route_text("hello", budget=budget)  # type: ignore[arg-type]


def test_a_policy_name_that_is_not_unicode_is_unknown() -> None:
    with Router("127.0.0.1:9") as router, pytest.raises(errors.UnknownPolicyError):
        router.route_text("hello", policy="\ud800")


async def test_a_bad_request_is_refused_before_any_call() -> None:
    with Router("127.0.0.1:9") as router, pytest.raises(errors.InvalidRequestError):
        router.route(b"not json")
    async with AsyncRouter("127.0.0.1:9") as router:
        with pytest.raises(errors.EmptyRequestError):
            await router.route({"messages": [{"role": "user", "content": ""}]})


async def test_a_closed_router_says_so() -> None:
    router = Router("127.0.0.1:9")
    router.close()
    with pytest.raises(RuntimeError, match="closed"):
        router.route_text("hello")
    asynchronous = AsyncRouter("127.0.0.1:9")
    await asynchronous.close()
    with pytest.raises(RuntimeError, match="closed"):
        await asynchronous.route_text("hello")


async def test_a_call_that_closing_ends_is_an_error_of_ours() -> None:
    with listening(silent) as url:
        asynchronous = AsyncRouter(url, timeout_s=20)
        call = asyncio.create_task(asynchronous.route_text("hello"))
        synchronous = Router(url, timeout_s=20)
        blocking = asyncio.create_task(asyncio.to_thread(synchronous.route_text, "hello"))
        while not (asynchronous._under_way and synchronous._under_way):
            await asyncio.sleep(0.01)
        await asynchronous.close()
        await asyncio.to_thread(synchronous.close)
        for task in (call, blocking):
            with pytest.raises(errors.ServerUnavailableError):
                await task


def test_the_tensors_are_those_of_the_ensemble() -> None:
    request = _request(plain_text("hé\0"), 2**40, "strict")
    assert request.model_name == "chat_router"
    assert [(i.name, i.datatype, list(i.shape)) for i in request.inputs] == [
        ("TEXT", "BYTES", [1, 1]),
        ("MESSAGE_OFFSETS", "INT32", [1, 1]),
        ("TOKEN_BUDGET", "INT32", [1, 1]),
        ("POLICY", "BYTES", [1, 1]),
    ]
    assert list(request.raw_input_contents) == [
        b"\4\0\0\0h\xc3\xa9\0",
        b"\0\0\0\0",
        (2**31 - 1).to_bytes(4, "little"),
        b"\6\0\0\0strict",
    ]

    def names(budget: int | None, policy: str | None) -> list[str]:
        return [i.name for i in _request(plain_text("x"), budget, policy).inputs]

    assert names(None, None) == ["TEXT", "MESSAGE_OFFSETS"]
    assert names(0, "") == ["TEXT", "MESSAGE_OFFSETS", "TOKEN_BUDGET"]


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        ("INTERNAL", "in ensemble 'x', [pointsman:invalid_text] no", errors.InvalidRequestError),
        ("INTERNAL", "[pointsman:invalid_offsets] no", errors.InvalidRequestError),
        ("INTERNAL", "[pointsman:invalid_budget] no", errors.InvalidBudgetError),
        ("INTERNAL", "[pointsman:too_large] no", errors.RequestTooLargeError),
        ("INTERNAL", "[pointsman:unknown_policy] no", errors.UnknownPolicyError),
        ("INTERNAL", "[pointsman:internal] no", errors.CheckFailedError),
        ("INTERNAL", "[pointsman:of_the_future] no", errors.CheckFailedError),
        ("INTERNAL", "[pointsman:internal] the stub process", errors.CheckFailedError),
        ("INTERNAL", "anything else", errors.CheckFailedError),
        ("UNKNOWN", "", errors.CheckFailedError),
        ("INTERNAL", "Stub process 'a_0_0' is not healthy.", errors.ServerUnavailableError),
        ("UNAVAILABLE", "Socket closed", errors.ServerUnavailableError),
        ("UNAVAILABLE", "Exceeds maximum queue size", errors.OverloadedError),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", errors.ServerTimeoutError),
        ("UNAVAILABLE", "Request timeout expired", errors.ServerTimeoutError),
        ("UNIMPLEMENTED", "Received http2 header with status: 404", errors.ProtocolError),
        ("INVALID_ARGUMENT", "unexpected inference input 'TEXT'", errors.ProtocolError),
    ],
)
def test_every_failure_has_its_class_and_one_line(
    status: str, message: str, expected: type[errors.PointsmanError]
) -> None:
    failure = _CallError(grpc.StatusCode[status], message)
    translated = _translate(failure, "127.0.0.1:1", _Deadline(1.0))
    assert type(translated) is expected
    assert "\n" not in str(translated)
    assert str(translated)
    assert _classify(failure)
