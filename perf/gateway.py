"""What the gateway adds to a call of a model's server, and whether many streams leave something.

The decision is a double here, in the gateway's own process, that always says "route": the ensemble
is measured elsewhere (perf/overhead.py, perf/compression_time.py). Everything else is real: the
gateway's process and application, HTTP on loopback, and a model's server in a third process
(tests/upstream.py). A call through the gateway and a call of the server itself follow each other in
turn, over one connection each.

Usage: ``python perf/gateway.py [--calls 500]`` and ``python perf/gateway.py --streams 200``
"""

from __future__ import annotations

import asyncio
import json
import select
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import machine
import psutil
import typer
import uvicorn

sys.path.insert(0, str(Path(__file__).parents[1]))
from pointsman import ChatText, Coverage, Decision, Domain, Safety
from pointsman.gateway.app import application
from pointsman.router import AsyncRouter
from pointsman_backends.router.policy import PolicyFile
from tests import upstream

CALLS = Path(__file__).parent / "results" / "gateway.json"
STREAMS = CALLS.with_name("gateway_streams.json")
SIZES = {"200 B": 200, "4 KB": 4096, "64 KB": 65_536, "1 MB": 2**20}
WARM_UP = 50
EXEMPT = "named"
_POLICY = {
    "default_model": "model",
    "domain_threshold": 0.5,
    "safety": {},
    "pii": {"threshold": 0.5, "default": "allow", "types": {"US_SSN": "block"}},
    "coverage": {"compressed": "allow", "truncated": "allow"},
    "exempt_models": [EXEMPT],
}
POLICIES = PolicyFile.model_validate(
    {
        "version": 1,
        "default_policy": "default",
        "models": {"model": {"endpoint": "http://127.0.0.1:1/v1"}},
        "policies": {"default": _POLICY, "early": {**_POLICY, "early_block": True}},
    }
)


DECISION = Decision(
    action="route",
    model="model",
    rule="default",
    policy="default",
    safety=Safety(label="benign", score=1.0, scores={"benign": 1.0}),
    domain=Domain(label="other", score=1.0, scores={"other": 1.0}),
    pii=(),
    coverage=Coverage(
        tokens=1, classified_tokens=1, scanned_characters=1, kept=(), truncated=False
    ),
    flags=(),
    errors=(),
    timings_us={},
)


class DecisionDouble(AsyncRouter):
    """Says "route" at once. For this measurement only: it checks nothing."""

    async def route(self, chat_request: Any, **_: Any) -> Decision:  # noqa: ANN401
        """Decide."""
        if not isinstance(chat_request, ChatText):
            raise TypeError("the gateway hands on what it has parsed")
        return DECISION


@contextmanager
def gateway(models: str, policy: str = "default") -> Iterator[tuple[int, psutil.Process]]:
    """The gateway with the double, in a process of its own: its port, and the process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--serve-double", models, "--policy", policy, "--port", str(port)]
    process = psutil.Popen([sys.executable, __file__, *options])
    try:
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port, process
    finally:
        process.terminate()
        process.wait(40)


class Connection:
    """One connection that is kept; as plain as can be, so that little but the server is timed."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, body: bytes, until: bytes) -> tuple[float, float]:
        """Post a body; milliseconds to the first byte of the reply, and to its end `until`."""
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/json\r\nx-forget: 1\r\n"
            f"x-behave: {upstream.behave(text='word ' * 8)['x-behave']}\r\n\r\n"
        )
        request = head.encode() + body
        begun = time.perf_counter()
        self._socket.sendall(request)
        data = self._socket.recv(65_536)
        first = time.perf_counter() - begun
        while not data.endswith(until):
            part = self._socket.recv(65_536)
            if not part:
                raise ConnectionError(data[-500:])
            data += part
        if not data.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(data[:500])
        return first * 1e3, (time.perf_counter() - begun) * 1e3

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def request(size: int, *, model: str, stream: bool) -> bytes:
    """A chat request of about `size` bytes; the prompt is its last message."""
    messages = [{"role": "user", "content": "word " * ((size - 120) // 5)}]
    body = {"model": model, "stream": stream, "max_tokens": 16, "messages": messages}
    return json.dumps(body).encode()


def latency(direct_port: int, gateway_port: int, calls: int) -> list[dict[str, Any]]:
    """Milliseconds of calls in turn, for each kind of call."""
    found = []
    for what, model, stream in (
        ("JSON reply", "auto", False),
        ("first event", "auto", True),
        ("first event, exempt model", EXEMPT, True),
    ):
        for name, size in SIZES.items():
            body = request(size, model=model, stream=stream)
            count = calls if size <= 65_536 else calls // 5
            direct, through = Connection(direct_port), Connection(gateway_port)
            until = b"0\r\n\r\n"
            times: dict[str, list[float]] = {"direct": [], "gateway": []}
            for number in range(count + WARM_UP):
                for which, line in (("direct", direct), ("gateway", through)):
                    first, whole = line.call(body, until)
                    if number >= WARM_UP:
                        times[which].append(first if stream else whole)
            direct.close()
            through.close()
            row: dict[str, Any] = {"what": what, "size": name, "bytes": len(body), "calls": count}
            for which, values in times.items():
                row[f"{which}_ms"] = [round(value, 4) for value in values]
                row[f"{which}_p50_ms"] = statistics.median(values)
                row[f"{which}_p99_ms"] = statistics.quantiles(values, n=100)[98]
                row[f"{which}_p5_ms"] = statistics.quantiles(values, n=20)[0]
            for part in ("p5", "p50"):
                row[f"added_{part}_ms"] = row[f"gateway_{part}_ms"] - row[f"direct_{part}_ms"]
            found.append(row)
    return found


def early(ports: dict[str, int]) -> list[dict[str, Any]]:
    """Seconds until the answer to a 1 MB request that its first message blocks.

    The body leaves at the rate of a line. Without early blocks the double lets it pass, but not
    before its end: that is what waiting for the whole body costs.
    """
    first = {"role": "user", "content": "my number is 536-22-8412"}
    rest = [{"role": "user", "content": "word " * 2000}] * 105
    body = json.dumps({"model": "auto", "messages": [first, *rest]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n"
    found = []
    for mbit in (1, 10, 100):
        row: dict[str, Any] = {"mbit_per_s": mbit, "bytes": len(body)}
        for policy, port in ports.items():
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(head.encode())
                begun, sent, step = time.perf_counter(), 0, 4096
                while sent < len(body) and not select.select([line], [], [], 0)[0]:
                    line.sendall(body[sent : sent + step])
                    sent += step
                    due = begun + sent * 8 / mbit / 1e6
                    time.sleep(max(0.0, due - time.perf_counter()))
                row[f"{policy}_status"] = int(line.recv(65_536).split()[1])
                row[f"{policy}_s"] = round(time.perf_counter() - begun, 4)
                row[f"{policy}_sent_bytes"] = min(sent, len(body))
        found.append(row)
    return found


async def streams(port: int, process: psutil.Process, count: int, seconds: float) -> dict[str, Any]:
    """Keep so many streams going; memory and descriptors of the gateway, each second."""
    end = time.monotonic() + seconds
    done = {"read": 0, "left": 0, "failed": 0}
    # 40 events, 50 ms apart.
    how = upstream.behave(piece=5, pause_s=0.05, text="word " * 40) | {"x-forget": "1"}

    async def keep(number: int, session: aiohttp.ClientSession) -> None:
        turn = number
        while time.monotonic() < end:
            turn += 1
            body = request(2000, model=("auto", EXEMPT)[turn % 2], stream=True)
            try:
                async with session.post("/v1/chat/completions", data=body, headers=how) as reply:
                    events = 0
                    last = b""
                    async for line in reply.content:
                        events += line.startswith(b"data:")
                        last = line if line.strip() else last
                        if turn % 10 == 0 and events == 20:
                            break
                    if turn % 10 == 0:
                        done["left"] += 1
                    elif reply.status == 200 and last.strip() == b"data: [DONE]":
                        done["read"] += 1
                    else:
                        done["failed"] += 1
            except aiohttp.ClientError:
                done["failed"] += 1

    samples: list[dict[str, float]] = []

    async def sample() -> None:
        begun = time.monotonic()
        while time.monotonic() < end:
            await asyncio.sleep(1)
            samples.append(
                {
                    "s": round(time.monotonic() - begun, 1),
                    "rss_mib": round(process.memory_info().rss / 2**20, 2),
                    "descriptors": process.num_fds(),
                }
            )

    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}", connector=aiohttp.TCPConnector(limit=0)
    ) as session:
        await asyncio.gather(sample(), *(keep(number, session) for number in range(count)))
    await asyncio.sleep(6)  # idle connections to the model's server close after 4 s
    return {
        "streams": count,
        "seconds": seconds,
        **done,
        "samples": samples,
        "after": {
            "rss_mib": round(process.memory_info().rss / 2**20, 2),
            "descriptors": process.num_fds(),
        },
    }


def show(results: dict[str, Any]) -> None:
    """Print the tables of docs/gateway.md."""
    print("| What | Body | Direct, p50 ms | Gateway, p50 ms | Added, p50 ms | Added, p5 ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in results["latency"]:
        keys = ("direct_p50_ms", "gateway_p50_ms", "added_p50_ms", "added_p5_ms")
        figures = " | ".join(f"{row[key]:.2f}" for key in keys)
        print(f"| {row['what']} | {row['size']} | {figures} |")
    print("\n| Line, Mbit/s | Whole body, s | Early block, s |")
    print("| --- | --- | --- |")
    for row in results["early"]:
        print(f"| {row['mbit_per_s']} | {row['default_s']:.2f} | {row['early_s']:.3f} |")


def show_streams(run: dict[str, Any]) -> None:
    """Print the table of docs/gateway.md on many streams."""
    print("\n| Gateway | Second 10 | Second 30 | Last second | After |")
    print("| --- | --- | --- | --- | --- |")
    for name, what in (("rss_mib", "Memory, MiB"), ("descriptors", "Descriptors")):
        samples = [run["samples"][number][name] for number in (9, 29, -1)]
        print(f"| {what} | {' | '.join(map(str, samples))} | {run['after'][name]} |")
    print(f"\n{run['read']} streams read, {run['left']} left, {run['failed']} failed")


def main(
    calls: Annotated[int, typer.Option(help="Calls of each kind.")] = 500,
    streams_: Annotated[
        int, typer.Option("--streams", help="Run so many streams at once instead of calls.")
    ] = 0,
    seconds: Annotated[float, typer.Option(help="How long the streams go on.")] = 60,
    report: Annotated[bool, typer.Option(help="Only print the tables of earlier results.")] = False,
    serve_double: Annotated[str | None, typer.Option(hidden=True)] = None,
    port: Annotated[int, typer.Option(hidden=True)] = 0,
    policy: Annotated[str, typer.Option(hidden=True)] = "default",
) -> None:
    """Measure; print the tables and write the raw results."""
    if serve_double is not None:
        router = DecisionDouble("127.0.0.1:1")
        app = application(router, POLICIES, policy=policy, upstream=serve_double)
        uvicorn.run(app, port=port, access_log=False, log_level="warning", server_header=False)
        return
    if report:
        show(json.loads(CALLS.read_text()))
        show_streams(json.loads(STREAMS.read_text()))
        return
    results: dict[str, Any] = {"machine": machine.describe(), "decision": "double"}
    with upstream.running() as models, gateway(models.url) as (gateway_port, process):
        if streams_:
            results |= asyncio.run(streams(gateway_port, process, streams_, seconds))
            show_streams(results)
        else:
            results["latency"] = latency(models.port, gateway_port, calls)
            with gateway(models.url, "early") as (early_port, _):
                results["early"] = early({"default": gateway_port, "early": early_port})
            show(results)
    output = STREAMS if streams_ else CALLS
    output.write_text(json.dumps(results) + "\n")


if __name__ == "__main__":
    typer.run(main)
