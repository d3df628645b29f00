"""What a call costs the client: its parts, and many calls at once.

The parts are timed alone. Whole calls go to the shipped ensemble with constants for its models, by
`AsyncRouter` and, in turn, the plain way: `json.loads`, tritonclient's own classes, `json.loads` of
the decision. Each text is another one, and each answer is checked to be about it.

Usage: ``python perf/client.py [--output FILE.json]``
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import machine
import numpy as np
import overhead
import typer
from prose import Prose
from rich.console import Console
from rich.table import Table
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient

from pointsman import AsyncRouter, parse_chat
from pointsman.decision import parse_decision
from pointsman.embedded import EmbeddedTriton
from pointsman.router import _request

# Tokens; about 2, 8, 64 and 380 KiB.
SIZES = (512, 2048, 16384, 98304)
AT_ONCE = (1, 8, 32, 64)
# Triton takes no more; beyond, `AsyncRouter` asks again, and the plain way only fails.
ADMITTED = 32
# Tokens of each of many texts at once.
SHORT = 512
SEED = 22
TIMEOUT_S = 60
RESULTS = Path(__file__).parent / "results"

Ask = Callable[[bytes], Awaitable[int]]


def body_of(text: str) -> bytes:
    """Return a chat-completions request."""
    return json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]}).encode()


def microseconds(work: Callable[[], object], at_least: int = 60) -> float:
    """Return the 10th percentile of the time of `work`: what it takes when not interrupted."""
    spent: list[float] = []
    end = time.perf_counter() + 0.3
    while len(spent) < at_least or time.perf_counter() < end:
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return round(float(np.percentile(spent, 10)) * 1e6, 1)


def parts(document: bytes, body: bytes) -> dict[str, object]:
    """Return the microseconds of each part of a call but gRPC's own."""
    chat = parse_chat(body)
    request = _request(chat, None, None)
    return {
        "body_bytes": len(body),
        "decision_bytes": len(document),
        "parse_chat_us": microseconds(lambda: parse_chat(body)),
        "request_us": microseconds(lambda: _request(chat, None, None)),
        "protobuf_us": microseconds(request.SerializeToString),
        "decision_us": microseconds(lambda: parse_decision(document)),
        "json_loads_us": microseconds(lambda: json.loads(body)),
    }


async def ask_plainly(client: InferenceServerClient, body: bytes) -> dict[str, Any]:
    """Ask for a decision as one would without Pointsman's client; nothing is checked."""
    messages = json.loads(body)["messages"]
    text = "\n".join(message["content"] for message in messages).encode()
    tensor = InferInput("TEXT", [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[text]], dtype=np.object_))
    result = await client.infer("chat_router", [tensor], client_timeout=TIMEOUT_S)
    decision: dict[str, Any] = json.loads(result.as_numpy("DECISION")[0, 0])
    return decision


async def measure(ask: Ask, bodies: list[bytes], at_once: int) -> dict[str, object]:
    """Ask about all bodies, so many at once; each answer must be the length of its text."""
    turn = asyncio.Semaphore(at_once)
    spent: list[float] = []

    async def one(body: bytes) -> None:
        async with turn:
            began = time.perf_counter()
            characters = await ask(body)
            spent.append((time.perf_counter() - began) * 1e3)
        if characters != len(json.loads(body)["messages"][0]["content"]):
            raise RuntimeError("the answer is about another text")

    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one(body) for body in bodies))
    ended, cpu_ended = time.perf_counter(), time.process_time()
    low, median, high = np.percentile(spent, (5, 50, 95))
    return {
        "calls_per_s": round(len(bodies) / (ended - began), 1),
        "p5_ms": round(float(low), 2),
        "p50_ms": round(float(median), 2),
        "p95_ms": round(float(high), 2),
        "client_cpu_ms": round((cpu_ended - cpu) * 1e3 / len(bodies), 3),
    }


async def measure_all(url: str, prose: Prose, rounds: int) -> tuple[list[Any], list[Any]]:
    """Return the parts for each size, and whole calls for each number at once and way."""
    async with (
        AsyncRouter(url, timeout_s=TIMEOUT_S) as router,
        InferenceServerClient(url) as plain,
    ):

        async def by_router(body: bytes) -> int:
            return (await router.route(body)).coverage.scanned_characters

        async def plainly(body: bytes) -> int:
            return int((await ask_plainly(plain, body))["coverage"]["scanned_characters"])

        alone = []
        for size in SIZES:
            body = body_of(prose.draw(size))
            document = json.dumps(await ask_plainly(plain, body)).encode()
            alone.append({"tokens": size} | parts(document, body))
        ways: dict[str, Ask] = {"AsyncRouter": by_router, "plain": plainly}
        rows = []
        for at_once in AT_ONCE:
            for turn in range(-1, rounds):  # the first is to warm up
                for way, ask in ways.items():
                    if at_once > ADMITTED and way == "plain":
                        continue
                    bodies = [body_of(prose.draw(SHORT)) for _ in range(2 * max(AT_ONCE))]
                    row = await measure(ask, bodies, at_once)
                    if turn >= 0:
                        rows.append({"at_once": at_once, "way": way} | row)
    return alone, rows


def summarise(rows: list[Any]) -> list[Any]:
    """Return the median of the rounds, and the extremes of the calls a second."""
    summary = []
    for at_once, way in dict.fromkeys((row["at_once"], row["way"]) for row in rows):
        members = [row for row in rows if (row["at_once"], row["way"]) == (at_once, way)]
        rates = [row["calls_per_s"] for row in members]
        medians = {
            key: round(float(np.median([row[key] for row in members])), 3)
            for key in members[0]
            if key not in ("at_once", "way")
        }
        summary.append(
            {
                "at_once": at_once,
                "way": way,
                "rounds": len(members),
                **medians,
                "calls_per_s_range": [min(rates), max(rates)],
            }
        )
    return summary


def show(title: str, rows: list[Any]) -> Table:
    """Return rows of the same keys for the terminal."""
    shown = Table(title=title)
    for key in rows[0]:
        shown.add_column(key, justify="right")
    for row in rows:
        shown.add_row(*(str(value) for value in row.values()))
    return shown


def main(
    output: Annotated[Path, typer.Option(help="Where the figures go, raw ones too.")] = (
        RESULTS / "client.json"
    ),
    rounds: Annotated[int, typer.Option(min=3, help="Rounds for each way and number.")] = 12,
) -> None:
    """Measure the parts of a call, and many calls at once."""
    head = machine.describe()
    with overhead.without_classifiers() as repository, EmbeddedTriton(repository) as triton:
        alone, rows = asyncio.run(measure_all(triton.grpc_url, Prose(SEED), rounds))
    summary = summarise(rows)
    document = {"machine": head, "seed": SEED, "parts": alone, "summary": summary, "rounds": rows}
    output.write_text(json.dumps(document, indent=1) + "\n")
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(show("parts of a call, microseconds", alone))
    console.print(show("whole calls", summary))


if __name__ == "__main__":
    typer.run(main)
