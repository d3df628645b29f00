"""Where the time of one long request goes, from the bytes of its body to the decision.

Requests of 16,384 tokens, default settings, one at a time, every text another one, to a server that
is warm. The client's clock gives the handling of the body and the call. Triton's statistics, read
after each request, give what each model did of it, and how long the ensemble took in all. The
decision itself gives the steps of compressor and router. So each request has a tree of spans:

- ``body``: taking it as it arrives, parsing it (``pointsman.body``)
- ``client, gRPC``: the call, without the ensemble; both ways, drawn before it
- compressor, encoder, the three heads side by side, router; each with its wait (``queue``), and
  with ``compute_input``, ``compute_infer`` and ``compute_output`` as Triton's Python backend counts
  them: ``compute_infer`` is all that the model's process takes
- ``between models``: the ensemble, without the longest way through its models; below 0 where a
  model had begun while the one before it was still counted
- ``edit``: setting the model in the body

Usage: ``python perf/waterfall.py [--quick] [--output FILE.json]``
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import document
import numpy as np
import serving
import stages
import triton_times
import typer
import waterfall_report as report
from prose import Prose
from rich.progress import track
from triton_times import ENSEMBLE, Times
from tritonclient.grpc import InferenceServerClient

from pointsman import Coverage, Decision, Router
from pointsman.body import RequestBody

TOKENS = 16_384
REQUESTS, QUICK_REQUESTS = 100, 20
WARM_UP = 5
STEPS = ("queue", "compute_input", "compute_infer", "compute_output")
COMPRESSOR_STEPS = ("prepare", "relevance", "retrieve", "apply", "scan")
COMPARED = ("request", "body", "ensemble", *report.MODELS)
"""The parts whose samples are cells of perf/compare.py."""
STATISTICS_S = 5.0
"""How long Triton may take to count a request that it has answered."""
TIMEOUT_S = 60.0
SEED = 71

Millis = Mapping[str, Mapping[str, float]]
"""Of one request: for each model, milliseconds of each of Triton's durations."""


class Request(NamedTuple):
    """What was measured of one request; milliseconds."""

    body: float
    call: float
    edit: float
    steps: Mapping[str, float]
    models: Millis


class Span(NamedTuple):
    """A part of one request; milliseconds, from its first byte on."""

    name: str
    parent: str | None
    start: float
    ms: float


def passed(before: Times, after: Times) -> Millis | None:
    """Return the durations of the one request in between; None while it is not counted in full.

    Raises:
        RuntimeError: there was more than one, or one failed.
    """
    models: dict[str, dict[str, float]] = {}
    for model in (*report.MODELS, ENSEMBLE):
        wanted = ("success",) if model == ENSEMBLE else STEPS
        models[model] = {}
        for name in ("fail", *wanted):
            earlier, later = (times.get(model, {}).get(name, (0, 0)) for times in (before, after))
            count = later[0] - earlier[0]
            if count > 1 or (name == "fail" and count):
                raise RuntimeError(f"{model}: {count} more in `{name}`, of one request")
            if name != "fail":
                if not count:
                    return None
                models[model][name] = (later[1] - earlier[1]) / 1e6
    return models


def counted(client: InferenceServerClient, before: Times) -> tuple[Millis, Times]:
    """Return the durations of the request since `before`, and Triton's counts after it."""
    # The answer is sent before the last model is counted.
    deadline = time.monotonic() + STATISTICS_S
    while time.monotonic() < deadline:
        after = triton_times.read(client)
        if (models := passed(before, after)) is not None:
            return models, after
    raise RuntimeError(f"Triton did not count a request within {STATISTICS_S:g} s")


def ask(router: Router, raw: bytes) -> tuple[float, float, float, Decision]:
    """Handle a body as the gateway does; return milliseconds of body, call and edit."""
    chunks = [raw[start : start + stages.CHUNK] for start in range(0, len(raw), stages.CHUNK)]
    begun = time.perf_counter()
    arriving = RequestBody()
    for chunk in chunks:
        arriving.feed(chunk)
        _ = arriving.model
    request = arriving.finish()
    parsed = time.perf_counter()
    decision = router.route(request)
    answered = time.perf_counter()
    if decision.model is not None:
        request.edited(model=decision.model)
    ended = time.perf_counter()
    serving.check(decision, whole=False)
    return (
        (parsed - begun) * 1e3,
        (answered - parsed) * 1e3,
        (ended - answered) * 1e3,
        decision,
    )


def spans(request: Request) -> Iterator[Span]:
    """Yield the parts of a request, each after the part that it belongs to."""
    total = request.body + request.call + request.edit
    yield Span("request", None, 0.0, total)
    yield Span("body", "request", 0.0, request.body)
    ensemble = request.models[ENSEMBLE]["success"]
    at = request.body
    yield Span("client, gRPC", "request", at, request.call - ensemble)
    begun = at = at + request.call - ensemble
    yield Span("ensemble", "request", begun, ensemble)
    took = {model: sum(request.models[model][step] for step in STEPS) for model in report.MODELS}
    for together in report.ORDER:
        for model in together:
            yield Span(model, "ensemble", at, took[model])
            yield from _within(model, at, request)
        at += max(took[model] for model in together)
    yield Span("between models", "ensemble", at, begun + ensemble - at)
    yield Span("edit", "request", total - request.edit, request.edit)


def _within(model: str, at: float, request: Request) -> Iterator[Span]:
    steps = {"compressor": COMPRESSOR_STEPS, "router": ("router",)}.get(model, ())
    for step in STEPS:
        ms = request.models[model][step]
        yield Span(f"{model} {step}", model, at, ms)
        if step == "compute_infer" and steps:
            inner = at
            for own in steps:
                yield Span(f"{model}: {own}", f"{model} {step}", inner, request.steps[own])
                inner += request.steps[own]
            yield Span(f"{model}: rest", f"{model} {step}", inner, at + ms - inner)
        at += ms


def middle(requests: Sequence[Request]) -> Request:
    """Return a request each part of which took the median of that part."""

    def median(values: Iterable[float]) -> float:
        return float(np.median(list(values)))

    return Request(
        *(median(each[column] for each in requests) for column in range(3)),
        {step: median(each.steps[step] for each in requests) for step in requests[0].steps},
        {
            model: {name: median(each.models[model][name] for each in requests) for name in parts}
            for model, parts in requests[0].models.items()
        },
    )


def rows(requests: Sequence[Request], texts: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row for each part: of the request of medians, and the samples of all requests.

    Smaller parts have them as ``parts_ms``: what is left over may be 0 or less, which is nothing to
    compare.
    """
    of_each = zip(*map(spans, requests), strict=True)
    digest = document.digest(texts)
    return [
        {
            "name": span.name,
            "parent": span.parent,
            "tokens": TOKENS,
            "start_ms": round(span.start, 3),
            "ms": round(span.ms, 3),
            "samples_ms" if span.name in COMPARED else "parts_ms": [
                round(part.ms, 3) for part in parts
            ],
            "texts": digest,
        }
        for span, parts in zip(spans(middle(requests)), of_each, strict=True)
    ]


def measure(quick: bool) -> dict[str, Any]:
    """Ask, one request after the other; return the parts of all."""
    texts = WARM_UP + (QUICK_REQUESTS if quick else REQUESTS)
    bodies = list(stages.bodies(Prose(SEED), TOKENS, texts))
    requests: list[Request] = []
    coverages: list[Coverage] = []
    with (
        serving.serving() as server,
        Router(server.grpc_url, timeout_s=TIMEOUT_S) as router,
        InferenceServerClient(server.grpc_url) as client,
    ):
        for raw in bodies[:WARM_UP]:
            before = triton_times.read(client)
            ask(router, raw)
            _, before = counted(client, before)
        for raw in track(bodies[WARM_UP:], f"{TOKENS:,} tokens", transient=True):
            *ms, decision = ask(router, raw)
            models, before = counted(client, before)
            steps = {step: us / 1e3 for step, us in decision.timings_us.items()}
            requests.append(Request(*ms, steps, models))
            coverages.append(decision.coverage)
    timed = [raw.decode() for raw in bodies[WARM_UP:]]
    return {
        "tokens": TOKENS,
        "concurrency": 1,
        "seed": SEED,
        "requests": len(requests),
        "counted": round(float(np.median([each.tokens for each in coverages]))),
        "read": round(float(np.median([each.classified_tokens for each in coverages]))),
        "rows": rows(requests, timed),
    }


def main(quick: document.Quick = False, output: document.Output = None) -> None:
    """Measure where the time goes."""
    path = document.record("waterfall", measure, quick, output)
    sys.stdout.write(report.markdown(document.read(path)["waterfall"]))


if __name__ == "__main__":
    typer.run(main)
