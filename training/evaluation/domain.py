"""Domain on the dev sets: examination questions, held-out chat, and BIG-bench's subject tasks."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix

from training.domain import written
from training.domain.chat import package_folder
from training.domain.data import held_out_chat, with_options
from training.evaluation.figures import Figure, classes, figure, sample
from training.evaluation.served import Served
from training.jsonl import read_jsonl
from training.metrics import (
    Labels,
    Scores,
    expected_calibration_error,
    fit_temperature,
    reliability,
    softmax,
)

Pair = tuple[str, str]
SEED = 1
CHAT_AIM = 0.7

BIGBENCH = {
    "auto_debugging": "computer science",
    "code_line_description": "computer science",
    "elementary_math_qa": "math",
    "human_organs_senses": "biology",
    "identify_math_theorems": "math",
    "moral_permissibility": "philosophy",
    "movie_recommendation": "other",
    "periodic_elements": "chemistry",
    "physical_intuition": "physics",
    "physics": "physics",
    "physics_questions": "physics",
    "riddle_sense": "other",
    "sports_understanding": "other",
    "what_is_the_tao": "philosophy",
}
"""Tasks of BIG-bench with one evident subject. It carries a canary: measured on, never trained."""


def questions(data: Path) -> list[Pair]:
    """MMLU-Pro's dev questions alone."""
    rows = read_jsonl(data / "domain" / "mmlu_pro_dev.jsonl")
    return [(str(row["text"]), str(row["label"])) for row in rows]


def questions_with_options(data: Path) -> list[Pair]:
    """MMLU-Pro's first 500 dev questions with their options."""
    rows = read_jsonl(data / "domain" / "mmlu_pro_dev.jsonl")[:500]
    return [(with_options(row), str(row["label"])) for row in rows]


def bigbench(per_task: int = 40) -> list[Pair]:
    """Inputs of BIG-bench's tasks with one evident subject."""
    root = package_folder("bigbench") / "benchmark_tasks"
    pairs = []
    for task, label in BIGBENCH.items():
        texts: set[str] = set()
        for path in sorted((root / task).rglob("task.json")):
            rows = json.loads(path.read_text("utf-8")).get("examples", [])
            texts |= {str(row["input"]).strip() for row in rows[:2000]}
        found = sorted(texts - {""})
        drawn = random.Random(SEED).sample(found, min(per_task, len(found)))
        pairs += [(text, label) for text in drawn]
    return pairs


def gold(pairs: Sequence[Pair], labels: Sequence[str]) -> Labels:
    """Class indices int64 [N]."""
    return np.array([labels.index(label) for _, label in pairs], dtype=np.int64)


def cross_fitted(probabilities: Scores, truth: Labels) -> tuple[Scores, list[float]]:
    """Probabilities under a temperature that was fitted to the other half of the rows.

    Returns:
        The probabilities float64 [N, classes], and the two temperatures.
    """
    logits = np.log(np.clip(probabilities, 1e-30, 1.0))
    half = np.random.default_rng(SEED).permutation(len(truth)) % 2 == 0
    out = np.empty_like(probabilities)
    temperatures = []
    for part in (half, ~half):
        temperature = fit_temperature(logits[~part], truth[~part])
        out[part] = softmax(logits[part] / temperature)
        temperatures.append(round(temperature, 3))
    return out, temperatures


def _calibration(name: str, probabilities: Scores, truth: Labels) -> Figure:
    def compute(rows: npt.NDArray[np.int64]) -> float:
        return expected_calibration_error(probabilities[rows], truth[rows])

    return figure(name, "expected calibration error", len(truth), compute)


def _bins(probabilities: Scores, truth: Labels) -> dict[str, list[float]]:
    correct = probabilities.argmax(axis=1) == truth
    found = reliability(probabilities.max(axis=1), correct)
    return {
        "confidence": [round(float(x), 4) for x in found.confidence],
        "accuracy": [round(float(x), 4) for x in found.accuracy],
    }


def measure(served: Served, data: Path, limit: int | None) -> dict[str, Any]:
    """Figures, those of held-out written texts apart, confusion matrix and reliability.

    Args:
        served: the models.
        data: folder of the shared data files.
        limit: texts taken of each set; None for all.
    """
    labels = served.labels["domain"]

    def run(pairs: Sequence[Pair], note: str) -> tuple[Scores, Labels]:
        texts = [text for text, _ in pairs]
        return served.probabilities("domain", texts, note), gold(pairs, labels)

    name = "mmlu_pro_dev, question alone"
    exam, truth = run(sample(questions(data), limit), name)
    found = exam.argmax(axis=1)
    options, options_truth = run(sample(questions_with_options(data), limit), "with options")
    chat = {n: run(sample(pairs, limit), n) for n, pairs in held_out_chat().items()}
    everything = np.concatenate([p for p, _ in chat.values()])
    everything_truth = np.concatenate([t for _, t in chat.values()])
    tasks = sample(bigbench(), limit)
    big, big_truth = run(tasks, "BIG-bench")
    refitted, temperatures = cross_fitted(exam, truth)
    figures = [
        classes(name, "accuracy", truth, found, 0.85),
        classes(name, "macro-F1", truth, found),
        classes("mmlu_pro_dev, with options", "accuracy", options_truth, options.argmax(axis=1)),
        classes(
            "held-out chat, all sources",
            "accuracy",
            everything_truth,
            everything.argmax(axis=1),
            CHAT_AIM,
        ),
        *(
            classes(f"held-out chat, {n}", "accuracy", t, p.argmax(axis=1), CHAT_AIM)
            for n, (p, t) in chat.items()
        ),
        classes("BIG-bench subject tasks", "accuracy", big_truth, big.argmax(axis=1), CHAT_AIM),
        _calibration(f"{name}, as served", exam, truth),
        _calibration(f"{name}, temperature fitted to the other half", refitted, truth),
        _calibration("held-out chat, all sources, as served", everything, everything_truth),
    ]
    by_hand = []
    for kind in written.KINDS:
        scores, right = run(sample(written.held_out(kind), limit), f"written {kind}")
        by_hand.append(classes(kind, "accuracy", right, scores.argmax(axis=1)))
    counts = confusion_matrix(truth, found, labels=np.arange(len(labels)))
    return {
        "figures": figures,
        "written": by_hand,
        "confusion": {"labels": list(labels), "counts": counts.tolist()},
        "reliability": {
            "mmlu_pro_dev": _bins(exam, truth),
            "held-out chat": _bins(everything, everything_truth),
        },
        "fitted_temperatures": temperatures,
    }
