"""What a request costs by its length: time and memory of the whole decision.

From 64 to 32,768 tokens that are all read, and from 64 to a million of which the shipped
configuration reads 512. Each way has a fresh server. First the memory, once at each length, the
shortest first, since memory that was taken may be kept; that also warms up. Then the time, in
rounds through all lengths, nothing else running.

Usage: ``python perf/curve.py [--quick] [--output FILE.json]``
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import curve_report as report
import document
import processes
import resident
import typer
from prose import PACKAGES, Prose
from rich.progress import track
from serving import ask, serving

from pointsman import Router

SEED = 22
LENGTHS = {
    "whole": [64 << n for n in range(10)],  # to 32,768
    "compressed": [*(64 << n for n in range(14)), 1_000_000],
}
QUICK_LENGTHS = {
    "whole": [64, 512, 1024, 2048],
    "compressed": [64, 512, 8192, 65536],
}
LONGEST = {"whole": 32_600, "compressed": 1_000_000}
"""Drawn at most: a text that comes out a little longer still is read whole."""
MOST_BYTES = 4_194_304
"""Of a text, in the shipped configuration."""
CALLS, QUICK_CALLS = 10, 8
TOKENS = {"whole": 32_768, "compressed": 5_000_000}
"""Of all timed texts of one length: there are fewer of the longer ones."""
OFF = 0.1
"""Share by which a text may be longer or shorter than wanted; ten tokens are nothing."""
TIMEOUT_S = 600.0

Value = dict[str, Any]


def calls_at(mode: str, tokens: int, most: int) -> int:
    """Return how many texts of a length are timed."""
    return max(1, min(most, TOKENS[mode] // tokens))


def text_of(prose: Prose, mode: str, tokens: int) -> str:
    """Return a text of about `tokens` tokens, not longer than the server takes."""
    text = prose.draw(min(tokens, LONGEST[mode]))
    return text.encode()[:MOST_BYTES].decode(errors="ignore")


def check_length(counted: Sequence[int], tokens: int) -> None:
    """Raise RuntimeError unless texts have about the length that is said of them."""
    if wrong := [each for each in counted if abs(each - tokens) > OFF * tokens + 10]:
        raise RuntimeError(f"a text of about {tokens} tokens has {wrong[0]}")


def measure_mode(prose: Prose, mode: str, lengths: Sequence[int], most: int) -> Value:
    """Measure one server, asked one way."""
    texts = {
        tokens: [text_of(prose, mode, tokens) for _ in range(1 + calls_at(mode, tokens, most))]
        for tokens in lengths
    }
    whole = mode == "whole"
    with serving() as server, Router(server.grpc_url, timeout_s=TIMEOUT_S) as router:
        roles = processes.tree(server.pid)
        idle = resident.pss(roles)["total"]
        peaks: dict[int, float] = {}
        for tokens in track(lengths, f"memory, {mode}", transient=True):
            with resident.watched(roles) as watch:
                ask(router, texts[tokens][0], whole=whole)
            peaks[tokens] = watch.peak["total"]
        ms: dict[int, list[float]] = {tokens: [] for tokens in lengths}
        counted: dict[int, list[int]] = {tokens: [] for tokens in lengths}
        for turn in track(range(most), f"time, {mode}", transient=True):
            for tokens in lengths:
                if turn < len(texts[tokens]) - 1:
                    decision, taken = ask(router, texts[tokens][1 + turn], whole=whole)
                    ms[tokens].append(round(taken, 3))
                    counted[tokens].append(decision.coverage.tokens)
    for tokens in lengths:
        check_length(counted[tokens], tokens)
    return {
        "mode": mode,
        "idle_mib": round(idle, 1),
        "rows": [
            {
                "mode": mode,
                "tokens": tokens,
                "counted": counted[tokens],
                "samples_ms": ms[tokens],
                "texts": document.digest(texts[tokens][1:]),
                "peak_mib": round(peaks[tokens], 1),
            }
            for tokens in lengths
        ],
    }


def measure(quick: bool) -> Value:
    """Measure both ways."""
    prose = Prose(SEED, () if quick else PACKAGES)
    chosen, most = (QUICK_LENGTHS, QUICK_CALLS) if quick else (LENGTHS, CALLS)
    modes = [measure_mode(prose, mode, lengths, most) for mode, lengths in chosen.items()]
    return {"seed": SEED, "modes": modes}


def main(quick: document.Quick = False, output: document.Output = None) -> None:
    """Measure time and memory by the length of the text."""
    path = document.record("curve", measure, quick, output)
    print(report.markdown(document.read(path)["curve"]))


if __name__ == "__main__":
    typer.run(main)
