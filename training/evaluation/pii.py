"""Personal data on the dev sets: model and pattern scan together, as the router merges them."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.evaluation.figures import Figure, sample, share
from training.evaluation.served import Served, progress, scanned
from training.evaluation.spans import (
    F1,
    by_type,
    counts,
    covered,
    labelled,
    reported,
    span_figure,
)
from training.jsonl import read_jsonl
from training.metrics import Span
from training.pii import data as pii_data
from training.pii import types as pii_types
from training.pii.prose import code_chunks
from training.pii.types import SLOT, TYPES, Sample
from training.safety.sources import alpaca_eval

SEED = 3
HALF = 0.5
"""A threshold to compare the shipped policy's with."""
DEV_TYPES = {"ADDRESS": "STREET_ADDRESS", "LOCATION": "GPE", "PREFIX": "TITLE"}
"""Names of presidio_generated_dev in our terms."""
DEV = "presidio_generated_dev"


def read_dev(data: Path) -> list[Sample]:
    """presidio_generated_dev in our types."""
    samples = []
    for row in read_jsonl(data / "pii" / f"{DEV}.jsonl"):
        spans = [
            pii_types.Span(DEV_TYPES.get(s["label"], s["label"]), s["start"], s["end"])
            for s in row["spans"]
        ]
        samples.append(Sample(row["text"], tuple(sorted(spans, key=lambda s: s.start))))
    return samples


def all_templates(count: int = 600) -> list[Sample]:
    """Any template of presidio-evaluator, filled with values of locales kept out of training."""
    templates = [t for t in pii_data.presidio_templates() if SLOT.search(t)]
    sources = dataclasses.replace(pii_data.sources(train=False), presidio=templates, own=templates)
    rng = random.Random(1)
    return [pii_data.single(sources, rng, pii=True) for _ in range(count)]


def held_out_templates(count: int = 600) -> list[Sample]:
    """Templates, locales and company names that training never saw; a quarter joined texts."""
    sources, rng = pii_data.sources(train=False), random.Random(2)
    singles = [pii_data.single(sources, rng, pii=True) for _ in range(count - count // 4)]
    joined = [
        pii_data.composite(sources, rng, rng.randrange(100, 1800), rng.choice((0.15, 0.5, 0.8)))
        for _ in range(count // 4)
    ]
    return [*singles, *joined]


def clean_texts(data: Path) -> dict[str, list[str]]:
    """Texts without personal data, or that name public people and places only."""
    sources, rng = pii_data.sources(train=False), random.Random(SEED)
    generated = [pii_data.single(sources, rng, pii=False).text for _ in range(300)]
    code = code_chunks(Path(np.__file__).parent / "lib", random.Random(SEED), 300)
    exam = (data / "domain" / "mmlu_pro_dev.jsonl").read_text("utf-8").splitlines()
    return {
        "code of NumPy": code,
        "generated without personal data": generated,
        "AlpacaEval dev (names real people and places)": list(alpaca_eval(data)),
        "mmlu_pro_dev (names real people and places)": [json.loads(x)["text"] for x in exam[:500]],
    }


def redacted(served: Served) -> set[str]:
    """Types that the shipped policy acts on."""
    rules = served.policy.pii
    return {t for t in TYPES if rules.types.get(t, rules.default) != "allow"}


class Found(NamedTuple):
    """True and found spans of each text.

    Attributes:
        gold: what is there.
        both: what the router reports, by threshold of the model's spans.
        alone: what the model finds at the shipped threshold without the pattern scan.
        patterns: what the pattern scan finds alone.
    """

    gold: list[set[Span]]
    both: dict[float, list[set[Span]]]
    alone: list[set[Span]]
    patterns: list[set[Span]]


def find(served: Served, samples: Sequence[Sample], note: str) -> Found:
    """Run the model and the pattern scan over texts, at the shipped threshold and at HALF."""
    shipped = served.policy.pii.threshold
    found = Found([labelled(s.spans) for s in samples], {shipped: [], HALF: []}, [], [])
    for text in progress([s.text for s in samples], note):
        reading = served.read(text, ["pii"])
        for threshold, rows in found.both.items():
            rows.append(reported(served.spans(text, reading, threshold)))
        found.alone.append(reported(served.model_spans(reading, shipped)))
        found.patterns.append(reported(scanned(text)))
    return found


def _figures(name: str, found: Found, shipped: float, aim: float | None) -> list[Figure]:
    figures = [
        span_figure(f"{name}, threshold {threshold:g}", F1, counts(found.gold, rows), aim)
        for threshold, rows in found.both.items()
    ]
    characters = covered(found.gold, found.both[shipped])
    return [*figures, span_figure(name, "characters covered", characters)]


def measure(served: Served, data: Path, limit: int | None) -> dict[str, Any]:
    """Figures, and precision and recall by type.

    Args:
        served: the models.
        data: folder of the shared data files.
        limit: texts taken of each set; None for all.
    """
    shipped = served.policy.pii.threshold
    templates = all_templates()
    small = [
        Sample(s.text.lower(), s.spans) for s in templates if len(s.text.lower()) == len(s.text)
    ]
    sets: dict[str, tuple[Sequence[Sample], float | None]] = {
        DEV: (read_dev(data), 0.88),
        "presidio templates, held-out locales": (templates, 0.85),
        "held-out templates and locales": (held_out_templates(), None),
        "presidio templates, held-out locales, lower case": (small, None),
    }
    figures: list[Figure] = []
    types: dict[str, Any] = {}
    for name, (samples, aim) in sets.items():
        found = find(served, sample(samples, limit), name)
        figures += _figures(name, found, shipped, aim)
        if name == DEV:
            annotated = {type_ for spans in found.gold for type_, _, _ in spans}
            within = [{s for s in spans if s[0] in annotated} for spans in found.both[shipped]]
            figures += [
                span_figure(f"{DEV}, only types annotated there", F1, counts(found.gold, within)),
                span_figure(f"{DEV}, model alone", F1, counts(found.gold, found.alone)),
                span_figure(f"{DEV}, pattern scan alone", F1, counts(found.gold, found.patterns)),
            ]
        types[name] = by_type(TYPES, found.gold, found.both[shipped])
    kinds = {"any type": set(TYPES), "types acted on": redacted(served)}
    for name, texts in clean_texts(data).items():
        clean = [Sample(text) for text in sample(texts, limit)]
        spans = find(served, clean, name).both[shipped]
        for what, chosen in kinds.items():
            hits = np.array([any(span[0] in chosen for span in found) for found in spans])
            figures.append(share(f"{name}, {what}", "false positives", hits))
    return {"figures": figures, "threshold": shipped, "by_type": types}
