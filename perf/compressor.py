"""Measure the compressor: by length of real text, and on texts made to hurt it.

    python perf/compressor.py [--json FILE] [--repeats N]

The text is the documentation, licence and source of the running Python, so every machine with one
has it. Times are of one thread, without Triton: of the first time a text comes, then wall-clock
p50 and p95, the lowest time the thread was on a core, and the p50 of each step.
"""

from __future__ import annotations

import argparse
import inspect
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
from machine import describe

from pointsman_backends.compressor import Compressor, Tokenizer

TOKENIZER = (
    Path(__file__).resolve().parent.parent / "model_repository" / "encoder" / "1" / "tokenizer.json"
)
STEPS = ("prepare", "relevance", "retrieve", "apply", "scan")


def real_texts(compressor: Compressor) -> dict[str, str]:
    """Real text by length in tokens: documentation (prose) and sources (code)."""
    prose = "\n\n".join(topics.values())
    code = "\n".join(inspect.getsource(module) for module in (argparse, inspect, random, json))
    texts = {}
    for name, whole in (("docs", prose), ("code", code)):
        for tokens in (500, 2_000, 8_000, 16_000, 27_000, 55_000, 110_000):
            total = compressor.compress(whole.encode()).tokens
            if tokens <= total:
                length = len(whole) * tokens // total
                for _ in range(3):
                    found = compressor.compress(whole[:length].encode()).tokens
                    length = length * tokens // found
                texts[f"{name} {tokens:,} tokens"] = whole[:length]
    return texts


def odd_texts() -> dict[str, str]:
    """Texts of 100 KB to 4 MB that ask too much of one part or another."""
    draw = random.Random(1)  # noqa: S311 - texts, not secrets
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    prose = "\n\n".join(topics.values())
    scripts = (
        "Line is clear. 线路畅通。 Линия свободна. الخط سالك؟ लाइन साफ है। 노선이 비어 있다. 🙂 "
    )
    return {
        "2 MB of one letter": "a" * 2_000_000,
        "2 MB of one accented letter": "é" * 1_000_000,
        "2 MB of combining accents": "x" + "\u0301" * 1_000_000,
        "2 MB of one full stop": "." * 2_000_000,
        "100,000 newlines": "a" + "\n" * 100_000 + "b",
        "50,000 tiny sentences": "No. " * 50_000,
        "2 MB in one line": (prose.replace("\n", " ") * 5)[:2_000_000],
        "4 MB of prose": (prose * 10)[:4_000_000],
        "2 MB of mixed scripts": scripts * (2_000_000 // len(scripts.encode())),
        "2 MB of Chinese": "".join(chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(660_000)),
        "2 MB of base64-like": "".join(draw.choices(letters, k=2_000_000)),
        "2 MB of distinct words": " ".join(
            "".join(draw.choices(letters, k=draw.randrange(3, 12))) for _ in range(235_000)
        ),
        "every character once": "".join(
            chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000
        )[:1_000_000],
    }


def measure(compressor: Compressor, text: str, repeats: int) -> dict[str, object]:
    """Compress a text ``repeats`` times after a first time; times in milliseconds."""
    utf8 = text.encode()
    started = time.perf_counter_ns()
    result = compressor.compress(utf8)
    first = time.perf_counter_ns() - started
    wall, on_core = [], []
    steps: dict[str, list[int]] = {step: [] for step in STEPS}
    for _ in range(repeats):
        thread, started = time.thread_time_ns(), time.perf_counter_ns()
        result = compressor.compress(utf8)
        wall.append(time.perf_counter_ns() - started)
        on_core.append(time.thread_time_ns() - thread)
        for step in STEPS:
            steps[step].append(result.timings_us[step])
    return {
        "bytes": len(utf8),
        "tokens": result.tokens,
        "classified_tokens": result.classified_tokens,
        "repeats": repeats,
        "first_ms": round(first / 1e6, 3),
        "p50_ms": round(float(np.percentile(wall, 50)) / 1e6, 3),
        "p95_ms": round(float(np.percentile(wall, 95)) / 1e6, 3),
        "cpu_min_ms": round(min(on_core) / 1e6, 3),
        "steps_p50_ms": {s: round(float(np.median(t)) / 1e3, 3) for s, t in steps.items()},
    }


def main() -> None:
    """Print the table; with ``--json FILE`` write the raw figures, too."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(sys.modules[__name__]))
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--repeats", type=int, default=100, help="for shorter texts")
    arguments = parser.parse_args()
    compressor = Compressor(Tokenizer(TOKENIZER), 512)
    header = ["text", "tokens", "read", "first", "p50", "p95", "cpu min", *STEPS]
    print(f"{header[0]:28s}" + "".join(f"{name:>10s}" for name in header[1:]))
    rows = {}
    kinds: list[Callable[[], dict[str, str]]] = [lambda: real_texts(compressor), odd_texts]
    for texts in kinds:
        for name, text in texts().items():
            repeats = (
                arguments.repeats if len(text) < 1_000_000 else max(arguments.repeats // 20, 3)
            )
            row = rows[name] = measure(compressor, text, repeats)
            times = [row[key] for key in ("first_ms", "p50_ms", "p95_ms", "cpu_min_ms")]
            times += row["steps_p50_ms"].values()
            print(
                f"{name:28s}{row['tokens']:10,d}{row['classified_tokens']:10d}"
                + "".join(f"{value:10.2f}" for value in times),
                flush=True,
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\nmilliseconds; peak resident memory {peak} MiB")
    if arguments.json:
        report = {"machine": describe(), "peak_mib": peak, "rows": rows}
        arguments.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
