"""How much memory ``pointsman serve`` takes, with everything that it starts.

The measure is the proportional set size: see ``perf/resident.py``. Each model is a process of its
own, so what a process holds is what its model costs. Four things are read, from one server:

- idle: what each process holds, beside the size of its model's files;
- while requests of growing length run that are compressed, and what is held after them;
- over many requests of mixed lengths, four at a time, whether the memory stays the same;
- while requests of growing length run that are read whole, and what is held after them.

Usage: ``python perf/memory.py [--quick] [--requests N] [--output FILE.json]``
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any

import document
import memory_report as report
import processes
import resident
import typer
from prose import Prose
from rich.progress import track
from serving import ask, serving

from pointsman import Router, paths

SEED = 21
LENGTHS = (2048, 8192, 16384, 32768)
QUICK_LENGTHS = (1024, 2048, 4096)
LONGEST = 32_600
"""Drawn for the longest: with it, a text that comes out a little longer still is read whole."""
TEXTS = 8
"""Requests at one length, unless they are read whole and"""
TOKENS = 16_384
"""all together longer than that: one of the longest takes half a minute."""
MIXED = {16: 30, 60: 30, 120: 25, 512: 10, 2048: 5}
"""Tokens of the many requests, and how many in a hundred have them."""
REQUESTS, QUICK_REQUESTS = 400, 96
CALLERS = 4
BATCHES = 100
"""Of the many requests, unless there are too few: after each the memory is read."""
TIMEOUT_S = 600.0

Value = dict[str, Any]


def held(roles: Mapping[int, str]) -> dict[str, dict[str, float]]:
    """Return what each process holds, in MiB, by its role."""
    return {role: resident.holdings(resident.rollup(pid)) for pid, role in roles.items()}


def model_files() -> dict[str, float]:
    """Return the size of each model's files in MiB."""
    sizes = {
        model.name: sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
        for model in paths.model_repository().iterdir()
    }
    return {name: round(size / 2**20, 1) for name, size in sizes.items()}


def at_length(
    router: Router, roles: Mapping[int, str], prose: Prose, mode: str, tokens: int
) -> Value:
    """Ask about texts of one length, and watch the server."""
    count = max(1, min(TEXTS, TOKENS // tokens)) if mode == "whole" else TEXTS
    texts = [prose.draw(min(tokens, LONGEST)) for _ in range(count)]
    watches, counted = [], []
    for text in texts:
        with resident.watched(roles) as watch:
            decision, _ = ask(router, text, whole=mode == "whole")
        watches.append(watch)
        counted.append(decision.coverage.tokens)
    return {
        "mode": mode,
        "tokens": tokens,
        "counted": counted,
        "samples_mib": [round(watch.peak["total"], 1) for watch in watches],
        "texts": document.digest(texts),
        "peak_mib": resident.rounded(
            {role: max(watch.peak[role] for watch in watches) for role in watches[0].peak}
        ),
        "at_peak_mib": resident.rounded(
            max((watch.at_peak for watch in watches), key=lambda sizes: sizes["total"])
        ),
        "missed_mib": round(max(watch.missed for watch in watches), 1),
        "looks": [watch.looks for watch in watches],
        "after_mib": resident.rounded(resident.pss(roles)),
    }


def lengths(
    router: Router, roles: Mapping[int, str], prose: Prose, mode: str, quick: bool
) -> list[Value]:
    """Return a row for each length, the shortest first: memory that was taken may be kept."""
    chosen = QUICK_LENGTHS if quick else LENGTHS
    return [
        at_length(router, roles, prose, mode, tokens)
        for tokens in track(chosen, f"texts, {mode}", transient=True)
    ]


def many(router: Router, roles: Mapping[int, str], prose: Prose, requests: int) -> Value:
    """Ask about texts of mixed lengths, and read the memory again and again.

    Returns:
        ``asked`` and ``total_mib``: after how many requests the server held how much;
        ``growing_mib``: by role, how much of that were heaps and shared memory, which alone can
        grow.
    """
    sizes = random.Random(SEED).choices(list(MIXED), list(MIXED.values()), k=requests)  # noqa: S311
    batch = max(2 * CALLERS, requests // BATCHES)
    asked, totals, growing = [0], [resident.pss(roles)["total"]], [resident.growing(roles)]
    begin = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as pool:
        for start in track(range(0, requests, batch), "mixed texts", transient=True):
            texts = [prose.draw(size) for size in sizes[start : start + batch]]
            for _ in pool.map(partial(ask, router, whole=False), texts):
                pass
            asked.append(start + len(texts))
            totals.append(resident.pss(roles)["total"])
            growing.append(resident.growing(roles))
    return {
        "requests": requests,
        "callers": CALLERS,
        "mixed": [list(each) for each in MIXED.items()],
        "seconds": round(time.monotonic() - begin, 1),
        "asked": asked,
        "total_mib": [round(size, 2) for size in totals],
        "growing_mib": {role: [round(each[role], 2) for each in growing] for role in growing[0]},
    }


def measure(quick: bool, requests: int | None = None) -> Value:
    """Measure one server from its start on."""
    prose = Prose(SEED)
    with serving() as server, Router(server.grpc_url, timeout_s=TIMEOUT_S) as router:
        roles = processes.tree(server.pid)
        idle = held(roles)
        compressed = lengths(router, roles, prose, "compressed", quick)
        mixed = many(router, roles, prose, requests or (QUICK_REQUESTS if quick else REQUESTS))
        whole = lengths(router, roles, prose, "whole", quick)
        return {
            "seed": SEED,
            "model_files_mib": model_files(),
            "idle": idle,
            "lengths": [*compressed, *whole],
            "many": mixed,
            "last": held(roles),
        }


def main(
    quick: document.Quick = False,
    output: document.Output = None,
    requests: Annotated[
        int | None,
        typer.Option(
            min=1, help="Requests of mixed lengths.", show_default=f"{REQUESTS}; {QUICK_REQUESTS}"
        ),
    ] = None,
) -> None:
    """Measure the memory of the running server: idle, under long texts, over many requests."""
    path = document.record("memory", partial(measure, requests=requests), quick, output)
    print(report.markdown(document.read(path)["memory"]))


if __name__ == "__main__":
    typer.run(main)
