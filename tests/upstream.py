"""A model's server for tests: a process of its own that speaks OpenAI's protocol over real HTTP.

It replies with the text of the prompt, in pieces when a stream is asked for, and tells on
``/seen`` what it received. The header ``x-behave`` (JSON, see `Behaviour`) makes it misbehave.

``python tests/upstream.py`` prints the port that it has taken, then runs until its standard input
is closed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")


@dataclass(frozen=True)
class Behaviour:
    """What to do other than to reply.

    Attributes:
        status: Reply with this status and `body`.
        body: Of that reply.
        headers: Beside the usual ones.
        early: Reply before the request's body has been read.
        silent: Read the request and say nothing, until the client goes.
        hold_after: After so many pieces, wait until somebody gets ``/release``.
        cut_after: After so many pieces, break the connection. 0: without any reply.
        piece: Characters in a piece of a stream.
        pause_s: Seconds between the pieces.
        pieces: Base64 of pieces to send in the place of a reply, as they are.
        repeat: How many times to send them.
        content_type: Of `pieces`.
        text: What to reply in the place of the prompt.
    """

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    early: bool = False
    silent: bool = False
    hold_after: int | None = None
    cut_after: int | None = None
    piece: int = 5
    pause_s: float = 0.0
    pieces: list[str] | None = None
    repeat: int = 1
    content_type: str = "text/event-stream"
    text: str | None = None


@dataclass
class Seen:
    """What one request was, and what became of it: open, done, or gone (the client went)."""

    path: str
    headers: list[list[str]]
    body: str = ""  # base64
    received: int = 0
    sent: int = 0
    state: str = "open"


class Server:
    def __init__(self) -> None:
        self._seen: list[Seen] = []
        self._released = asyncio.Event()
        self.app = web.Application(client_max_size=2**30)
        self.app.router.add_get("/seen", self._report)
        self.app.router.add_get("/forget", self._forget)
        self.app.router.add_get("/release", self._release)
        self.app.router.add_post("/{path:.*}", self._complete)

    async def _report(self, _: web.Request) -> web.Response:
        return web.json_response([seen.__dict__ for seen in self._seen])

    async def _forget(self, _: web.Request) -> web.Response:
        self._seen.clear()
        self._released.clear()
        return web.Response()

    async def _release(self, _: web.Request) -> web.Response:
        self._released.set()
        return web.Response()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(request.path_qs, [list(pair) for pair in request.headers.items()])
        # A measurement of many requests must not grow with them.
        if "x-forget" not in request.headers:
            self._seen.append(seen)
        try:
            response = await self._reply(request, seen)
        except (asyncio.CancelledError, ConnectionError):
            seen.state = "gone"
            raise
        seen.state = "done"
        return response

    async def _reply(self, request: web.Request, seen: Seen) -> web.StreamResponse:
        behaviour = Behaviour(**json.loads(request.headers.get("x-behave", "{}")))
        body = bytearray()
        if not behaviour.early:
            async for chunk in request.content.iter_any():
                body += chunk
                seen.received = len(body)
            seen.body = base64.b64encode(body).decode()
        if behaviour.silent:
            await asyncio.Event().wait()
        if behaviour.status != 200:
            return web.Response(
                status=behaviour.status, text=behaviour.body, headers=behaviour.headers
            )
        pieces, content_type = _pieces(request.path, bytes(body), behaviour)
        response = web.StreamResponse(headers={"x-upstream": "yes", **behaviour.headers})
        response.content_type = content_type
        if behaviour.cut_after == 0:
            self._cut(request)
            return response
        await response.prepare(request)
        for number, piece in enumerate(pieces, 1):
            await response.write(piece)
            seen.sent = number
            if behaviour.cut_after == number:
                self._cut(request)
                return response
            if behaviour.hold_after == number:
                await self._released.wait()
            if behaviour.pause_s:
                await asyncio.sleep(behaviour.pause_s)
        await response.write_eof()
        return response

    @staticmethod
    def _cut(request: web.Request) -> None:
        assert request.transport is not None
        request.transport.close()


def _pieces(path: str, body: bytes, behaviour: Behaviour) -> tuple[list[bytes], str]:
    """The bodies' pieces and the content type."""
    if behaviour.pieces is not None:
        pieces = [base64.b64decode(piece) for piece in behaviour.pieces]
        return pieces * behaviour.repeat, behaviour.content_type
    request = json.loads(body)
    chat = path.endswith("/chat/completions")
    text = behaviour.text if behaviour.text is not None else _prompt(request)
    head = {"id": "cmpl-1", "created": 1, "model": request.get("model")}
    if not request.get("stream"):
        if not chat:
            choice: dict[str, Any] = {"text": text, "index": 0, "finish_reason": "stop"}
        elif request.get("tools"):
            message = {"role": "assistant", "content": None, "tool_calls": [_call(text)]}
            choice = {"message": message, "index": 0, "finish_reason": "tool_calls"}
        else:
            message = {"role": "assistant", "content": text}
            choice = {"message": message, "index": 0, "finish_reason": "stop"}
        kind = "chat.completion" if chat else "text_completion"
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        reply = {**head, "object": kind, "choices": [choice], "usage": usage}
        return [json.dumps(reply).encode()], "application/json"

    def event(content: dict[str, Any], reason: str | None = None) -> bytes:
        kind = "chat.completion.chunk" if chat else "text_completion"
        choice = {"index": 0, **content, "finish_reason": reason}
        document = json.dumps({**head, "object": kind, "choices": [choice]})
        return f"data: {document}\n\n".encode()

    if not chat:
        parts = [event({"text": part}) for part in _cut_up(text, behaviour.piece)]
        return [*parts, event({"text": ""}, "stop"), b"data: [DONE]\n\n"], "text/event-stream"
    begin = event({"delta": {"role": "assistant", "content": ""}})
    if request.get("tools"):
        call = _call(text)
        arguments = call["function"].pop("arguments")
        call["function"]["arguments"] = ""
        parts = [event({"delta": {"tool_calls": [{"index": 0, **call}]}})] + [
            event({"delta": {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}})
            for part in _cut_up(arguments, behaviour.piece)
        ]
        end = event({"delta": {}}, "tool_calls")
    else:
        parts = [event({"delta": {"content": p}}) for p in _cut_up(text, behaviour.piece)]
        end = event({"delta": {}}, "stop")
    return [begin, *parts, end, b"data: [DONE]\n\n"], "text/event-stream"


def _prompt(request: dict[str, Any]) -> str:
    """The text of a request, as the model reads it."""
    if "prompt" in request:
        prompt = request["prompt"]
        return prompt if isinstance(prompt, str) else "\n".join(map(str, prompt))
    texts = []
    for message in request.get("messages", ()):
        content = message.get("content") or ""
        parts = [{"text": content}] if isinstance(content, str) else content
        texts += [part["text"] for part in parts if "text" in part]
    return "\n".join(texts)


def _call(text: str) -> dict[str, Any]:
    function = {"name": "look_up", "arguments": json.dumps({"query": text})}
    return {"id": "call-1", "type": "function", "function": function}


def _cut_up(text: str, size: int) -> list[str]:
    return [text[begin : begin + size] for begin in range(0, len(text), size)]


@dataclass(frozen=True)
class Upstream:
    """A running server, as a test sees it."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def seen(self) -> list[Seen]:
        """All requests since the last `forget`."""
        return [Seen(**seen) for seen in json.loads(self._get("seen"))]

    def body(self, number: int = -1) -> bytes:
        """The body of one of them."""
        return base64.b64decode(self.seen()[number].body)

    def forget(self) -> None:
        """Forget all requests, and hold again."""
        self._get("forget")

    def release(self) -> None:
        """Let those go on that hold."""
        self._get("release")

    def wait(self, condition: Callable[[Seen], T], timeout_s: float = 10.0) -> T:
        """Wait until a condition holds for the last request; return what it returned."""
        end = time.monotonic() + timeout_s
        while True:
            if (seen := self.seen()) and (result := condition(seen[-1])):
                return result
            assert time.monotonic() < end, f"in vain: {seen[-1:]}"
            time.sleep(0.01)

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=10) as reply:
            return bytes(reply.read())


def behave(**how: Any) -> dict[str, str]:
    """The header that asks for a `Behaviour`."""
    if "pieces" in how:
        how["pieces"] = [base64.b64encode(piece).decode() for piece in how["pieces"]]
    Behaviour(**how)
    return {"x-behave": json.dumps(how)}


@contextmanager
def running() -> Iterator[Upstream]:
    """A server, as long as the block."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Upstream(int(process.stdout.readline()), process.pid)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


async def _main() -> None:
    runner = web.AppRunner(Server().app, handler_cancellation=True, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_main())
