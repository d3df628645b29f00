"""What it costs to take a request body, take its text and set its model, ours and the plain way.

The plain way: buffer, ``json.loads``, edit, ``json.dumps``. Both do the same and are checked for
it: the text to judge, in UTF-8, and the body with another model, with and without redactions. They
are timed in turn in one process, so that what disturbs one disturbs the other.

Usage: ``PYTHONPATH=. .venv/bin/python perf/body.py``
"""

from __future__ import annotations

import bisect
import gc
import json
import time
import tracemalloc
from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any

import body_report as report
import machine
import numpy as np
import typer
from prose import Prose

from pointsman.body import Redaction, RequestBody

CHUNK = 2**16
"""Bytes that a server hands on at a time."""
SIZES = (1_000, 16_000, 64_000, 256_000, 1_000_000, 10_000_000)
MESSAGES = {"few large": 4, "many small": 300}
"""Of each shape: how many messages, or how many characters in each."""
REDACTED_EVERY = 8_000
"""Characters between redactions."""
SECONDS = 0.3
"""For each cell; at least 5 rounds."""
Row = dict[str, Any]


def make(text: str, size: int, shape: str, *, model_last: bool = False) -> dict[str, Any]:
    """Return a request of about so many bytes."""
    text = text[: max(100, size - 200)]
    each = 300 if shape == "many small" else -(-len(text) // MESSAGES[shape])
    messages = [
        {"role": "user" if number % 2 == 0 else "assistant", "content": text[at : at + each]}
        for number, at in enumerate(range(0, len(text), each))
    ]
    model = {"model": "auto"}
    rest = {"messages": messages, "temperature": 0.3, "stream": True}
    return {**rest, **model} if model_last else {**model, **rest}


def compact(request: dict[str, Any]) -> bytes:
    """Write a body as the openai package and JavaScript do."""
    return json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()


def spaced(request: dict[str, Any]) -> bytes:
    """Write a body as Python does unless told otherwise."""
    return json.dumps(request).encode()


def begins(contents: Sequence[str]) -> list[int]:
    """Return where each content begins in the judged text."""
    return list(accumulate((len(content) + 1 for content in contents[:-1]), initial=0))


def redactions(contents: Sequence[str]) -> list[Redaction]:
    """Return one redaction in each stretch of the judged text, none over a border of messages."""
    found = []
    at = 50
    for begin, content in zip(begins(contents), contents, strict=True):
        at = max(at, begin)
        while at + 17 <= begin + len(content):
            found.append(Redaction(at, at + 17, f"[PERSON_{len(found) + 1}]"))
            at += REDACTED_EVERY
    return found


def ours(
    chunks: Sequence[bytes], model: str, wanted: Sequence[Redaction]
) -> tuple[bytes, list[bytes]]:
    """Return text and body; the model is asked for after each chunk, as the gateway does."""
    body = RequestBody()
    for chunk in chunks:
        body.feed(chunk)
        _ = body.model
    parsed = body.finish()
    return parsed.chat.utf8, parsed.edited(model=model, redactions=wanted)


def plain(
    chunks: Sequence[bytes], model: str, wanted: Sequence[Redaction]
) -> tuple[bytes, list[bytes]]:
    """Return the same, as it is done with the standard library."""
    request = json.loads(b"".join(chunks))
    messages = request["messages"]
    contents = [message["content"] for message in messages]
    text = "\n".join(contents).encode()
    request["model"] = model
    if wanted:
        starts = begins(contents)
        pieces: dict[int, list[str]] = {}
        done: dict[int, int] = {}
        for start, end, replacement in wanted:
            index = bisect.bisect_right(starts, start) - 1
            begin = starts[index]
            kept = contents[index][done.get(index, 0) : start - begin]
            pieces.setdefault(index, []).extend((kept, replacement))
            done[index] = end - begin
        for index, found in pieces.items():
            messages[index]["content"] = "".join(found) + contents[index][done[index] :]
    return text, [json.dumps(request).encode()]


def timed(function: Callable[[], object]) -> float:
    """Return milliseconds of processor time: nothing waits here, and others' work is left out."""
    began = time.thread_time()
    function()
    return (time.thread_time() - began) * 1e3


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return the median and the quartiles."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return {"p50": float(middle), "quartiles": [float(low), float(high)]}


def compare(raw: bytes, wanted: Sequence[Redaction], seconds: float) -> Row:
    """Time both ways in turn, once they have given the same."""
    chunks = [raw[at : at + CHUNK] for at in range(0, len(raw), CHUNK)]
    (our_text, our_body), (text, body) = (way(chunks, "model", wanted) for way in (ours, plain))
    if our_text != text or json.loads(b"".join(our_body)) != json.loads(b"".join(body)):
        raise RuntimeError("the two ways do not give the same")
    rounds: list[tuple[float, float]] = []
    until = time.perf_counter() + seconds
    while len(rounds) < 5 or time.perf_counter() < until:
        rounds.append(
            (
                timed(lambda: ours(chunks, "model", wanted)),
                timed(lambda: plain(chunks, "model", wanted)),
            )
        )
    our_ms, plain_ms = zip(*rounds, strict=True)
    return {
        "bytes": len(raw),
        "rounds": len(rounds),
        "ours_ms": spread(our_ms),
        "plain_ms": spread(plain_ms),
        "ratio": spread([slow / fast for fast, slow in rounds]),
    }


def measure_edits(text: str, sizes: Sequence[int], seconds: float) -> list[Row]:
    """Compare the ways for all sizes and shapes, routed and redacted."""
    ascii_text = text.encode("ascii", "ignore").decode()
    rows = []
    for size in sizes:
        for shape in MESSAGES:
            for form in report.FORMS:
                last = form == "model last"
                used = text if form == "beyond ASCII" else ascii_text
                request = make(used, size, shape, model_last=last)
                raw = spaced(request) if form == "spaced" else compact(request)
                contents = [message["content"] for message in request["messages"]]
                for work, wanted in (("route", []), ("redact", redactions(contents))):
                    rows.append(
                        {
                            "shape": shape,
                            "form": form,
                            "work": work,
                            "redactions": len(wanted),
                            "messages": len(request["messages"]),
                            **compare(raw, wanted, seconds),
                        }
                    )
    return rows


def passed_through(chunks: Sequence[bytes]) -> float:
    """Return the milliseconds from the first chunk to its bytes, and pass on the others."""
    body = RequestBody(max_body_bytes=2**31)

    def first() -> bytes:
        body.feed(chunks[0])
        if body.model is None:
            raise RuntimeError("the model is not in the first chunk")
        return body.stream_through()

    first_ms = timed(first)
    for chunk in chunks[1:]:
        body.feed(chunk)
    return first_ms


def measure_passing(text: str, sizes: Sequence[int]) -> list[Row]:
    """Measure the time to the first byte and the memory of bodies that are passed through."""
    rows = []
    for size in sizes:
        for shape in MESSAGES:
            raw = compact(make(text, size, shape))
            chunks = [raw[at : at + CHUNK] for at in range(0, len(raw), CHUNK)]
            rounds = max(20, min(400, 40_000_000 // size))
            first_ms = [passed_through(chunks) for _ in range(rounds)]
            all_ms = spread([timed(lambda: passed_through(chunks)) for _ in range(rounds // 4)])  # noqa: B023
            tracemalloc.start()
            passed_through(chunks)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            rows.append(
                {
                    "shape": shape,
                    "bytes": len(raw),
                    "first_byte_ms": {
                        **spread(first_ms),
                        "p99": float(np.percentile(first_ms, 99)),
                    },
                    "all_ms": all_ms,
                    "peak_bytes": peak,
                }
            )
    return rows


def measure_single_bytes(text: str, size: int) -> Row:
    """Time a body that arrives byte by byte, kept and passed through."""
    raw = compact(make(text, size, "many small"))
    chunks = [raw[at : at + 1] for at in range(len(raw))]
    return {
        "bytes": len(raw),
        "kept_s": timed(lambda: ours(chunks, "model", ())) / 1e3,
        "passed_through_s": timed(lambda: byte_by_byte(chunks)) / 1e3,
    }


def byte_by_byte(chunks: Sequence[bytes]) -> None:
    """Pass a body through as soon as its model is known."""
    body = RequestBody(max_body_bytes=2**31)
    streaming = False
    for chunk in chunks:
        body.feed(chunk)
        if not streaming and body.model is not None:
            body.stream_through()
            streaming = True


def main(
    largest: Annotated[int, typer.Option(help="Bytes of the largest body.")] = SIZES[-1],
    seconds: Annotated[float, typer.Option(help="Seconds for each comparison.")] = SECONDS,
    output: Annotated[Path, typer.Option(help="JSON to write.")] = report.RESULTS,
) -> None:
    """Measure, write the JSON, the page and the picture."""
    results: dict[str, Any] = {
        "machine": {**machine.describe(), **{p: version(p) for p in ("orjson", "msgspec")}}
    }
    sizes = [size for size in SIZES if size <= largest]
    text = Prose(seed=8).draw(100_000)
    text = text * (sizes[-1] // len(text) + 1)
    gc.freeze()  # what the measurement itself holds is not looked at again and again
    results["edits"] = measure_edits(text, sizes, seconds)
    results["passing"] = measure_passing(text, [size for size in sizes if size >= 16_000])
    results["single_bytes"] = measure_single_bytes(text, sizes[-1])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if output == report.RESULTS:
        report.write(results)


if __name__ == "__main__":
    typer.run(main)
