"""The gateway when what it needs is not there, and its own embedded server."""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import uvicorn
import yaml

from pointsman.embedded import EmbeddedTriton
from pointsman.errors import PointsmanError
from pointsman.gateway import http as bounded
from pointsman.gateway import upstream as pool
from pointsman.gateway.serve import serve
from pointsman.gateway.upstream import Upstream, base_url, forwarded
from tests import gateways, upstream
from tests.tiny_models import write_repository
from tests.waiting import wait_until

HELLO = [{"role": "user", "content": "hello there"}]


@pytest.fixture(scope="module")
def models() -> Iterator[upstream.Upstream]:
    with upstream.running() as server:
        yield server


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections, and stays ours."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def policy(more: str = "", endpoint: str = "http://127.0.0.1:1/v1") -> str:
    return f"""
version: 1
default_policy: only
models:
  small: {{endpoint: "{endpoint}"}}
policies:
  only:
    default_model: small
    domain_threshold: 0.5
    safety: {{}}
    pii: {{threshold: 0.8, default: redact}}
    coverage: {{compressed: allow, truncated: allow}}
    {more}
"""


def test_without_a_server_nothing_passes(
    models: upstream.Upstream, closed_port: int, tmp_path: Path
) -> None:
    models.forget()
    repository = gateways.repository_with(tmp_path, policy("exempt_models: [free]"))
    with (
        gateways.running(
            *("--triton", f"127.0.0.1:{closed_port}", "--upstream", models.url),
            *("--model-repository", repository),
        ) as gateway,
        gateway.client() as client,
    ):
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model="auto", messages=HELLO)
        reply = caught.value.response
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
        assert caught.value.code == "check_unavailable"
        assert reply.headers["x-pointsman-action"] == "block"
        assert reply.headers["x-pointsman-rule"] == "on_error"
        assert models.seen() == []
        # What went wrong is for the log, not for the client.
        assert str(closed_port) not in reply.text
        assert any(str(closed_port) in line for line in gateway.log)

        free = client.chat.completions.create(model="free", messages=HELLO)
        assert free.choices[0].message.content == "hello there"
        assert gateway.get("/healthz")[0] == 200
        status, ready = gateway.get("/readyz")
        assert (status, json.loads(ready)["status"]) == (503, "down")


def test_without_a_server_requests_pass_flagged_where_the_policy_says_so(
    models: upstream.Upstream, closed_port: int, tmp_path: Path
) -> None:
    models.forget()
    repository = gateways.repository_with(tmp_path, policy("on_error: flag"))
    with (
        gateways.running(
            *("--triton", f"127.0.0.1:{closed_port}", "--upstream", models.url),
            *("--model-repository", repository),
        ) as gateway,
        gateway.client() as client,
    ):
        raw = client.chat.completions.with_raw_response.create(model="auto", messages=HELLO)
        assert raw.parse().choices[0].message.content == "hello there"
        assert json.loads(models.body())["model"] == "small"
        assert raw.headers["x-pointsman-action"] == "flag"
        assert raw.headers["x-pointsman-rule"] == "on_error"
        # A request that is wrong is no failure of the check.
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="auto", messages=[])
        status, ready = gateway.get("/readyz")
        assert status == 200
        assert "Triton is not running" in json.loads(ready)["detail"]


def test_a_model_that_is_not_there(closed_port: int, tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{closed_port}/v1"
    repository = gateways.repository_with(tmp_path, policy("exempt_models: [small]", endpoint))
    with (
        gateways.running(
            *("--triton", f"127.0.0.1:{closed_port}"), *("--model-repository", repository)
        ) as gateway,
        gateway.client() as client,
    ):
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(model="small", messages=HELLO)
        assert (caught.value.status_code, caught.value.code) == (502, "upstream_unreachable")
        metrics = gateway.get("/metrics")[1].decode()
    assert 'upstream_failures_total{code="upstream_unreachable"} 1.0' in metrics
    assert (
        'requests_total{action="exempt",route="/v1/chat/completions",status="502"} 1.0' in metrics
    )


def test_a_client_may_go_while_its_request_is_judged(
    models: upstream.Upstream, tmp_path: Path
) -> None:
    """By a server that takes the connection and never answers."""
    models.forget()
    repository = gateways.repository_with(tmp_path, policy("exempt_models: [free]"))
    body = json.dumps({"model": "auto", "messages": HELLO}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n"
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        gateways.running(
            *("--triton", f"127.0.0.1:{silent.getsockname()[1]}", "--upstream", models.url),
            *("--model-repository", repository),
        ) as gateway,
    ):
        path = "/v1/chat/completions"
        gone = f'requests_total{{action="none",route="{path}",status="499"}} 3.0'
        # Before the five seconds are over in which there would be an answer: 503.
        begun = time.monotonic()
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", gateway.port)) as sock:
                sock.sendall(head.encode() + body)
                wait_until(tells(gateway, "requests_in_flight 1.0"), 10)
        wait_until(tells(gateway, gone), 10)
        assert time.monotonic() < begun + 4.5
        wait_until(tells(gateway, "requests_in_flight 0.0"), 10)
        with gateway.client() as client:
            free = client.chat.completions.create(model="free", messages=HELLO)  # type: ignore[arg-type]
            assert free.choices[0].message.content == "hello there"
    assert [json.loads(base64.b64decode(seen.body))["model"] for seen in models.seen()] == ["free"]


def tells(gateway: gateways.Gateway, metric: str) -> Callable[[], bool]:
    """Whether a line stands in /metrics."""
    return lambda: metric in gateway.get("/metrics")[1].decode()


@pytest.mark.server
def test_what_a_busy_server_refuses_is_never_passed(
    models: upstream.Upstream, tmp_path: Path
) -> None:
    """Not even where the policy lets requests pass that could not be checked."""
    models.forget()
    served = write_repository(tmp_path / "models")
    config = served / "compressor" / "config.pbtxt"
    limit = 'key: "max_in_flight" value {{ string_value: "{}" }}'
    text = config.read_text().replace(limit.format(32), limit.format(1))
    assert limit.format(1) in text
    config.write_text(text)
    (tmp_path / "own").mkdir()
    named = (served / "router" / "1" / "policy.yaml").read_text()
    repository = gateways.repository_with(
        tmp_path / "own", named.replace("on_error: block", "on_error: flag")
    )
    body = {"model": "auto", "messages": [{"role": "user", "content": "so it goes. " * 30_000}]}

    def ask(client: openai.OpenAI) -> openai.RateLimitError | None:
        try:
            client.chat.completions.create(**body)  # type: ignore[call-overload]
        except openai.RateLimitError as error:
            return error
        return None

    with (
        EmbeddedTriton(served) as triton,
        gateways.running(
            *("--triton", triton.grpc_url, "--upstream", models.url),
            *("--model-repository", repository),
        ) as gateway,
        gateway.client() as client,
        concurrent.futures.ThreadPoolExecutor(16) as pool,
    ):
        results: list[openai.RateLimitError | None] = []

        def some_of_both() -> bool:
            results.extend(pool.map(ask, [client] * 16))
            return 0 < results.count(None) < len(results)

        # How many find it busy at once is up to the machine.
        wait_until(some_of_both, 60)
        assert gateway.get("/readyz")[0] == 200
    refused = [result for result in results if result is not None]
    assert {error.code for error in refused} == {"overloaded"}
    assert {error.response.headers["retry-after"] for error in refused} == {"1"}
    assert {error.response.headers["x-pointsman-action"] for error in refused} == {"block"}
    assert len(models.seen()) == results.count(None)


# -- headers ------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def web_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The gateway's HTTP with less patience, before a slow application; its port."""
    monkeypatch.setattr(bounded, "_HEADERS_S", 0.4)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(0.8)
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    config = uvicorn.Config(
        application, port=0, http=bounded.BoundedHttp, lifespan="off", log_level="critical"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"


@pytest.mark.parametrize(
    ("begin", "drip"),
    [
        (b"", b""),
        (b"", b"\r\n"),
        (HEAD, b""),
        (HEAD + b"X: ", b"x"),
        (HEAD + b"X: " + b"x" * 70_000, b""),
        (HEAD + b"\r\nok", b"\r\n"),  # after a whole request
        (HEAD + b"\r\nok" + HEAD, b""),  # sent ahead
    ],
)
async def test_headers_that_do_not_come_end_the_connection(
    monkeypatch: pytest.MonkeyPatch, begin: bytes, drip: bytes
) -> None:
    async with web_server(monkeypatch) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        reading = asyncio.create_task(reader.read())
        begun = time.monotonic()
        writer.write(begin)
        while not reading.done() and time.monotonic() < begun + 5:
            writer.write(drip)
            await asyncio.wait([reading], timeout=0.1)
        assert reading.done()
        answered = b"\r\n\r\nok" in begin
        try:
            answer = await reading
        except ConnectionError:  # closed while we sent
            answer = b""
            assert not answered
        assert (b" 200 " in answer[:20]) == answered
        writer.close()


async def test_slow_bodies_replies_and_pauses_are_not_slow_headers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with web_server(monkeypatch) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            for piece in (HEAD + b"\r\n", b"o", b"k"):
                writer.write(piece)
                await asyncio.sleep(0.5)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            assert await reader.readexactly(2) == b"ok"
            await asyncio.sleep(0.6)
        writer.close()


async def test_connecting_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_PAUSES_S", (0.05,) * 100)
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        async with Upstream() as upstream:
            asking = asyncio.create_task(upstream.post(url, [], [b"h", b"i"], 2))
            await asyncio.sleep(0.12)
            assert not asking.done()
            async with await asyncio.start_server(answer, sock=held):
                reply = await asking
                assert await reply.read() == b"ok"
                reply.close()
    assert len(asked) == 1
    assert asked[0].endswith(b"\r\n\r\nhi")


@pytest.mark.server
def test_it_brings_its_own_server_and_asks_each_model_where_it_is(
    models: upstream.Upstream, tmp_path: Path
) -> None:
    repository = write_repository(tmp_path / "models")
    path = repository / "router" / "1" / "policy.yaml"
    document = yaml.safe_load(path.read_text())
    with upstream.running() as mathematician:
        for name, model in document["models"].items():
            model["endpoint"] = mathematician.url if name == "qwen3-math" else models.url
        path.unlink()
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        models.forget()
        with gateways.running("--model-repository", repository, timeout_s=60) as gateway:
            with gateway.client() as client:
                for text in ("find the integral of x", "write some python", "hello there"):
                    messages = [{"role": "user", "content": text}]
                    client.chat.completions.create(model="auto", messages=messages)  # type: ignore[arg-type]
                names = [model.id for model in client.models.list()]
                assert client.models.retrieve("auto").owned_by == "pointsman"
                with pytest.raises(openai.NotFoundError):
                    client.models.retrieve("nobody")
            assert names == ["auto", *document["models"]]
            assert gateway.get("/readyz") == (200, b'{"status":"ready","detail":""}')
            sent = [json.loads(base64.b64decode(s.body))["model"] for s in models.seen()]
            assert sent == ["qwen3-coder", "qwen3-8b"]
            assert json.loads(mathematician.body())["model"] == "qwen3-math"
            gateway.process.send_signal(signal.SIGTERM)
            assert gateway.process.wait(30) == 0
    assert gateway.log[-1] == "pointsman: stopped"


@pytest.mark.parametrize(
    ("arguments", "more", "complaint"),
    [
        ({"policy": "none"}, "", 'no policy "none"; there are: only'),
        ({"upstream": "localhost:8000"}, "", "is no base URL"),
        ({}, "exempt_models: [free]", 'the exempt model "free" has no endpoint'),
        ({}, "on_block: no", "policies.only.on_block"),
        ({"triton": "127.0.0.1"}, "", "HOST:PORT"),
        ({"host": "192.0.2.1"}, "", "192.0.2.1"),
    ],
)
def test_what_is_set_wrong_is_told(
    tmp_path: Path, arguments: dict[str, str], more: str, complaint: str
) -> None:
    repository = gateways.repository_with(tmp_path, policy(more))
    with pytest.raises(PointsmanError, match=re.escape(complaint)):
        serve(port=0, model_repository=repository, **{"triton": "127.0.0.1:1"} | arguments)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    repository = gateways.repository_with(tmp_path, policy())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [str(Path(sys.executable).with_name("pointsman")), "gateway"]
        command += ["--port", str(port), "--model-repository", str(repository)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 5
    assert ended.stderr.startswith(f"pointsman: port {port} ")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/", "http://h:1/v1"),
        ("https://h/v1/", "https://h/v1"),
        ("http://h/api/openai", "http://h/api/openai"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
    ],
)
def test_base_urls(url: str, base: str) -> None:
    assert base_url(url) == base


@pytest.mark.parametrize("url", ["", "h:1", "ftp://h", "http://", "http://h/v1?x=1", "http://h:x"])
def test_what_is_no_base_url(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        base_url(url)


def test_headers_named_by_connection_are_dropped() -> None:
    headers = [(b"Connection", b"X-A, close"), (b"x-a", b"1"), (b"X-B", b"2"), (b"Host", b"h")]
    assert forwarded(headers, without=(b"host",)) == [(b"x-b", b"2")]
