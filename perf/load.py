"""Many requests at once: latency against throughput, and what a server does that gets too many.

Three mixes of lengths (short, mixed, long), each of many texts, none twice. For each:

- so many requests under way at a time, 1 to 32, by NVIDIA's perf_analyzer; in turn with encoder and
  heads alone in this process, which say what the whole could reach;
- requests that come by chance (Poisson), at rates that are shares of the saturation found before:
  under it by perf_analyzer, which stops at the first request that is refused; over it by
  ``open_loop``, to a server that has as many under way as it admits. Once ``open_loop`` is under
  saturation, too, so that both can be compared.

Every answer is compared with the one on the same text when nothing else was under way. Queues and
computing are Triton's own figures, processor times the kernel's.

Usage: ``python perf/load.py [--quick] [--output FILE.json]``
"""

from __future__ import annotations

import json
import resource
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import document
import load_report
import numpy as np
import open_loop
import perf_analyzer
import processes
import triton_times
import typer
from classifiers_alone import Classifiers, token_ids
from independent import config_of
from prose import Prose
from rich.progress import Progress
from serving import Server, check, serving
from tritonclient.grpc import InferenceServerClient

from pointsman import Decision, Router, paths
from pointsman.chat import ChatText, parse_chat
from pointsman.decision import parse_decision

MIXES = {"short": (16, 120), "mixed": (16, 16_384), "long": (2_048, 16_384)}
"""Tokens of the shortest and the longest text; in between, evenly on a logarithmic scale."""
GOLDEN = (5**0.5 - 1) / 2
"""Its multiples, modulo 1, are spread evenly over any stretch of them."""
OBJECTIVE_MS = 100.0
SATURATED = 4
"""From so many requests at a time on, the server has always something to do."""
LAST = "router"
"""A request is through when this model has answered."""
SPECIAL = 2
"""Tokens that are read with each text, and not counted in a decision."""
SEED = 75
TIMEOUT_S = 60.0

Row = dict[str, Any]
Expected = dict[str, Decision]


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        mixes: Of ``MIXES``.
        texts: Of each mix.
        concurrencies: Requests under way at a time.
        under: Rates for perf_analyzer, as shares of saturation.
        open_loop: Rates for ``open_loop``, likewise.
        window_s: Shortest window of perf_analyzer.
        open_loop_s: Seconds of arrivals.
        alone_s: Seconds of a turn of the classifiers alone.
    """

    mixes: tuple[str, ...]
    texts: int
    concurrencies: tuple[int, ...]
    under: tuple[float, ...]
    open_loop: tuple[float, ...]
    window_s: float
    open_loop_s: float
    alone_s: float


FULL = Plan(tuple(MIXES), 34, (1, 2, 4, 8, 16, 32), (0.5, 0.8), (0.8, 1.2, 1.5), 1.0, 3.5, 1.0)
QUICK = Plan(("mixed",), 13, (1, 8), (0.8,), (1.5,), 0.7, 2.0, 1.0)


def texts(prose: Prose, mix: str, count: int) -> list[ChatText]:
    """Return chat requests of a mix; any few that follow each other are of all its lengths."""
    shortest, longest = MIXES[mix]
    lengths = [shortest * (longest / shortest) ** (n * GOLDEN % 1) for n in range(count)]
    return [
        parse_chat({"messages": [{"role": "user", "content": prose.draw(round(length))}]})
        for length in lengths
    ]


def alike(one: Decision, other: Decision) -> bool:
    """Whether two decisions differ in nothing but how long they took."""
    return one.model_copy(update={"timings_us": other.timings_us}) == other


def check_as_expected(expected: Expected, text: str, decision: Decision) -> None:
    """Raise RuntimeError unless a decision on a text is the expected one."""
    if text not in expected:
        raise RuntimeError(f"an answer about a text that was not sent: {text[:60]!r}")
    check(decision, whole=False)
    if not alike(decision, expected[text]):
        raise RuntimeError(f"under load, another decision on {text[:60]!r}")


def check_alone(read: int, domain: str, decision: Decision) -> None:
    """Raise RuntimeError unless the classifiers alone read and found what those of a server do.

    Args:
        read: tokens they get.
        domain: what they say.
        decision: of the server, on the same text.
    """
    scores = decision.domain.scores
    server = decision.coverage.classified_tokens, max(scores, key=scores.__getitem__)
    if (read, domain) != server:
        raise RuntimeError(f"alone, the classifiers read {read, domain}; in the server {server}")


def summary(ms: Iterable[float], seconds: float) -> Row:
    """Return percentiles and goodput of requests that were answered, and their times, in ms.

    ``goodput_per_s`` counts those answered within ``OBJECTIVE_MS``.
    """
    samples = [round(value, 2) for value in ms]
    if not samples:
        return {"answered": 0, "goodput_per_s": 0.0, "samples_ms": []}
    p50, p95, p99 = (round(float(value), 2) for value in np.percentile(samples, (50, 95, 99)))
    within = sum(value <= OBJECTIVE_MS for value in samples)
    return {
        "answered": len(samples),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "goodput_per_s": round(within / seconds, 2),
        "samples_ms": samples,
    }


def analyzed(run: perf_analyzer.Run) -> Row:
    """Return what a run of perf_analyzer came to after its first window, which fills the queues."""
    begin, end = run.boundaries_s[1], run.boundaries_s[-1]
    ended = [answer for answer in run.answers if begin <= answer.end_s < end]
    seconds = end - begin
    return {
        "seconds": round(seconds, 2),
        "per_s": round(len(ended) / seconds, 2),
        "refused": 0,
        "failed": 0,
        **summary([1e3 * (answer.end_s - answer.begin_s) for answer in ended], seconds),
    }


def arrived(arrivals: Sequence[open_loop.Arrival], seconds: float) -> Row:
    """Return what requests came to that arrived by chance in so many seconds.

    Those that only filled the server count in ``per_s`` alone, what it answered in that time.
    """
    by_chance = [arrival for arrival in arrivals if arrival.at_s is not None]
    answered = [arrival for arrival in by_chance if arrival.outcome == "answered"]
    refused = sum(arrival.outcome == "refused" for arrival in by_chance)
    in_time = sum(a.outcome == "answered" and a.end_s < seconds for a in arrivals)
    return {
        "seconds": seconds,
        "sent": len(by_chance),
        "per_s": round(in_time / seconds, 2),
        "refused": refused,
        "failed": len(by_chance) - len(answered) - refused,
        **summary([1e3 * (a.end_s - (a.at_s or 0)) for a in answered], seconds),
    }


def window_s(shortest: float, concurrency: int, per_s: float) -> float:
    """Return a window in which every request that is under way at its beginning is answered.

    Args:
        shortest: seconds.
        concurrency: requests under way.
        per_s: answers a second.
    """
    return max(shortest, concurrency / per_s)


def saturation(rows: Iterable[Row]) -> float:
    """Return the answers a second of a server that has always something to do, their median.

    Raises:
        RuntimeError: There are none: perf_analyzer stopped each time.
    """
    busy = [row for row in rows if row["concurrency"] >= SATURATED]
    found = [row["per_s"] for row in busy if "stopped" not in row]
    if not found:
        raise RuntimeError(f"perf_analyzer stopped each time: {[row['stopped'] for row in busy]}")
    return statistics.median(found)


def spread(counts: Sequence[int]) -> list[int]:
    """Return the least, the median and the most."""
    return [min(counts), round(statistics.median(counts)), max(counts)]


class Loader:
    """Sends the texts of one mix to a server, one way or another, and checks what it answers.

    Args:
        binary: perf_analyzer.
        server: what is asked.
        chats: what is sent.
        folder: for perf_analyzer's files.
    """

    def __init__(
        self, binary: Path, server: Server, chats: Sequence[ChatText], folder: Path
    ) -> None:
        self._binary, self._url, self._folder = binary, server.grpc_url, folder
        self._chats = chats
        self._client = InferenceServerClient(server.grpc_url)
        self._roles = processes.tree(server.pid)
        self._data = folder / "texts.json"
        self._data.write_text(json.dumps(perf_analyzer.input_data(chats)))
        self.expected, self.unloaded_per_s = reference(server.grpc_url, chats)

    def closed(self, concurrency: int, window_s: float) -> Row:
        """Have perf_analyzer keep so many under way; where it stopped, the row has ``stopped``."""
        return self._analyzer({"--concurrency-range": str(concurrency)}, window_s)

    def by_chance(self, rate: float, window_s: float) -> Row:
        """Have perf_analyzer send them by chance, ``rate`` a second; else as `closed`."""
        # Its own Poisson process begins with the same random numbers in each run, and among these
        # the first hundred requests come at 84 % of the rate.
        moments = open_loop.arrivals(rate, perf_analyzer.run_s(window_s), SEED)
        intervals = self._folder / "intervals"
        intervals.write_text(perf_analyzer.intervals(moments))
        return self._analyzer({"--request-intervals": str(intervals)}, window_s)

    def _analyzer(self, load: dict[str, str], window_s: float) -> Row:
        with self._costs(resource.RUSAGE_CHILDREN) as costs:
            try:
                run = perf_analyzer.run(
                    self._binary, self._url, self._data, self._folder, load, window_s
                )
            except perf_analyzer.StoppedError as error:
                return {"stopped": str(error)}
        for answer in run.answers:
            self._check(answer.text, parse_decision(answer.decision))
        return {**analyzed(run), **costs}

    def open_loop(self, rate: float, seconds: float, first: int) -> Row:
        """Send them by chance, ``rate`` a second, to a server that has got ``first`` already."""
        moments = open_loop.arrivals(rate, seconds, SEED)
        with self._costs(resource.RUSAGE_SELF) as costs:
            arrivals = open_loop.load(
                self._url,
                self._chats,
                moments,
                first,
                lambda chat, decision: self._check(chat.text, decision),
            )
        return {**arrived(arrivals, seconds), **costs}

    def _check(self, text: str, decision: Decision) -> None:
        check_as_expected(self.expected, text, decision)

    @contextmanager
    def _costs(self, sender: int) -> Iterator[Row]:
        """Yield what will be filled with what the requests sent meanwhile cost, in the mean.

        ``models``: each model's queue and computing. ``cpu_ms``: processor time of a request in
        each process; "load generator" is that of the sender, of which `resource` tells.
        """
        costs: Row = {}
        before = triton_times.read(self._client), self._cpu_ms(sender)
        yield costs
        after = triton_times.read(self._client), self._cpu_ms(sender)
        costs["models"] = triton_times.per_request(before[0], after[0])
        requests = costs["models"].get(LAST, {"requests": 0})["requests"]
        costs["cpu_ms"] = {
            role: round((after[1][role] - before[1][role]) / requests, 3)
            for role in (after[1] if requests else ())
        }

    def _cpu_ms(self, sender: int) -> dict[str, float]:
        used = resource.getrusage(sender)
        ms = Counter({"load generator": 1e3 * (used.ru_utime + used.ru_stime)})
        for pid, role in self._roles.items():
            ms[role] += processes.cpu_ms(pid)
        return ms


def reference(url: str, chats: Iterable[ChatText]) -> tuple[Expected, float]:
    """Ask about each text alone; return the decisions by text, and how many a second there were."""
    decisions = {}
    begin = time.perf_counter()
    with Router(url, timeout_s=TIMEOUT_S) as router:
        for chat in chats:
            decisions[chat.text] = router.route(chat)
            check(decisions[chat.text], whole=False)
    return decisions, len(decisions) / (time.perf_counter() - begin)


def admitted(repository: Path) -> int:
    """Return how many requests a server lets be under way."""
    return int(config_of(repository / "compressor").parameters["max_in_flight"].string_value)


def measure_mix(
    mix: str,
    plan: Plan,
    most: int,
    loader: Loader,
    alone: Callable[[], tuple[float, float]],
    step: Callable[[], None],
) -> Row:
    """Measure all cells of a mix.

    Args:
        mix: of ``MIXES``.
        plan: what to measure.
        most: requests that the server lets be under way.
        loader: sends its texts.
        alone: returns how many of them the classifiers alone read in a second, and the processor
            time of one in ms.
        step: called when a cell is measured.
    """
    closed: list[Row] = []
    per_s = loader.unloaded_per_s
    before = None
    for concurrency in plan.concurrencies:
        head = {"mix": mix, "name": "closed", "concurrency": concurrency}
        if concurrency >= SATURATED and before is None:
            before = alone()
        row = loader.closed(concurrency, window_s(plan.window_s, concurrency, per_s))
        if before is not None:
            after = alone()
            row["alone_per_s"] = [round(turn[0], 2) for turn in (before, after)]
            row["alone_cpu_ms"] = [round(turn[1], 2) for turn in (before, after)]
            before = after
        closed.append({**head, **row})
        per_s = row.get("per_s", per_s)
        step()
    saturated = saturation(closed)
    poisson: list[Row] = []
    for generator, shares in (("perf_analyzer", plan.under), ("open loop", plan.open_loop)):
        for share in shares:
            rate = share * saturated
            if generator == "perf_analyzer":
                row = loader.by_chance(rate, window_s(plan.window_s, SATURATED, rate))
            else:
                row = loader.open_loop(rate, plan.open_loop_s, most if share > 1 else 0)
            head = {"mix": mix, "name": f"{generator}, {share:.0%}", "share": share}
            poisson.append({**head, "generator": generator, "wanted_per_s": round(rate, 2), **row})
            step()
    return {"saturation_per_s": round(saturated, 2), "closed": closed, "poisson": poisson}


def measure(quick: bool) -> Any:  # noqa: ANN401 - JSON
    """Return the figures of all mixes, or ``not_measured``: why there are none."""
    try:
        binary = perf_analyzer.install()
    except perf_analyzer.NotInstalledError as error:
        return {"not_measured": str(error)}
    plan = QUICK if quick else FULL
    repository = paths.model_repository()
    most = admitted(repository)
    prose = Prose(SEED)
    mixes = []
    with ExitStack() as stack:
        server = stack.enter_context(serving())
        classifiers = stack.enter_context(Classifiers(repository))
        progress = stack.enter_context(Progress())
        cells = len(plan.concurrencies) + len(plan.under) + len(plan.open_loop)
        task = progress.add_task("load", total=len(plan.mixes) * cells)
        for mix in plan.mixes:
            chats = texts(prose, mix, plan.texts)
            ids = token_ids(repository, chats)
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="pointsman-load-"))
            loader = Loader(binary, server, chats, Path(scratch))
            for chat, inputs in zip(chats, ids, strict=True):
                read = inputs["input_ids"].size - SPECIAL
                check_alone(read, classifiers.domain(inputs), loader.expected[chat.text])
            row = measure_mix(
                mix,
                plan,
                most,
                loader,
                lambda ids=ids: classifiers.turn(ids, plan.alone_s),
                lambda: progress.advance(task),
            )
            sent = [loader.expected[chat.text].coverage.tokens for chat in chats]
            read = [inputs["input_ids"].size for inputs in ids]
            head = {"mix": mix, "tokens_sent": spread(sent), "tokens_read": spread(read)}
            mixes.append({**head, **row})
    return {
        "objective_ms": OBJECTIVE_MS,
        "admitted": most,
        "seed": SEED,
        "plan": asdict(plan),
        "mixes": mixes,
    }


def main(quick: document.Quick = False, output: document.Output = None) -> None:
    """Measure, write it into the document, print the tables."""
    path = document.record("load", measure, quick, output)
    print(load_report.markdown(document.read(path)["load"]))


if __name__ == "__main__":
    typer.run(main)
