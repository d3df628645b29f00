"""Train the risk signal, or measure it.

``python -m training.risk --data ../shared/data`` writes ``risk.npz`` beside the compressor's
``risk.py``, what was measured to ``training/results/risk.json``, and the card
``docs/models/risk_signal.md``; with ``--measure`` the shipped weights are measured again and not
written.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn

from pointsman_backends.compressor import risk as served
from pointsman_backends.compressor.risk import RiskModel
from pointsman_backends.compressor.tokenizer import Tokenizer
from training.risk.card import render
from training.risk.corpus import Corpus, Features, read
from training.risk.fit import Weights, fit
from training.risk.measure import Reader, measure
from training.risk.speed import speed
from training.risk.texts import ASKED, training_texts

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = Path(served.__file__).with_name("risk.npz")
RESULTS = ROOT / "training" / "results" / "risk.json"
FACTS = Path(__file__).with_name("facts.json")
CARD = ROOT / "docs" / "models" / "risk_signal.md"
TOKENIZER = ROOT / "model_repository" / "encoder" / "1" / "tokenizer.json"

SEED = 7
BITS = 18
WINDOWS = (8, 16)
STRENGTH = 0.4
IMPORTANCE_ASKED = 0.3
"""Weight of a sentence of a harmless request, that of a sentence of a document being 1."""
MARKED = 0.003
"""Share of the sentences of harmless documents kept aside, each kind alike, that are marked."""


def quantised(weights: Weights, windows: Sequence[int]) -> RiskModel:
    """The weights as int8 times a power of two that the largest just fits; no threshold yet."""
    largest = float(np.abs(weights.table).max())
    unit = 2.0 ** np.ceil(np.log2(max(largest, 1e-9) / 127))
    table = np.rint(weights.table / unit).astype(np.int8)
    return RiskModel(table, float(unit), weights.bias, np.array(windows, np.int64), 1.0, "{}")


def risks(model: RiskModel, corpus: Corpus) -> npt.NDArray[np.float64]:
    """Risk of every sentence of a corpus, float64 [S]."""
    keys, weights = model.words(corpus.vocabulary)
    contributions = model.contributions(keys[corpus.words], weights[corpus.words])
    return model.sentences(contributions, corpus.first)


def threshold(risk: npt.NDArray[np.float64], kinds: list[str], marked: float) -> float:
    """The risk that a share of the sentences reaches, the mean over their kinds.

    Args:
        risk: Of each sentence, float64 [S].
        kinds: Of each.
        marked: The share.
    """
    counts = Counter(kinds)
    weights = np.array([1 / counts[kind] for kind in kinds])
    order = np.argsort(-risk)
    reached = np.cumsum(weights[order]) / len(counts)
    return float(risk[order[np.searchsorted(reached, marked)]])


def train(data: Path, tokenizer: Tokenizer) -> tuple[RiskModel, dict[str, int]]:
    """Train, quantise, and set the threshold.

    Returns:
        The model, without provenance, and the number of training texts by source.
    """
    samples, aside = training_texts(data)
    corpus = read(tokenizer, samples)
    asked = np.array([sample.source in ASKED for sample in samples])
    importance = np.where(asked[corpus.text], IMPORTANCE_ASKED, 1.0)
    learnt = fit(corpus, Features(corpus, BITS), WINDOWS, STRENGTH, SEED, importance)
    model = quantised(learnt, WINDOWS)
    aside = [sample for sample in aside if sample.source not in ASKED]
    calibration = read(tokenizer, aside)
    kinds = [aside[number].source for number in calibration.text]
    limit = threshold(risks(model, calibration), kinds, MARKED)
    counts = Counter(sample.source for sample in samples)
    return replace(model, threshold=limit), dict(sorted(counts.items()))


def provenance(figures: dict[str, Any], texts: dict[str, int]) -> dict[str, Any]:
    """What is stored with the weights: sources and licences, recipe and figures."""
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    recipe = {
        "seed": SEED,
        "scikit-learn": sklearn.__version__,
        "C": STRENGTH,
        "words in a window": list(WINDOWS),
        "marked of the sentences kept aside": MARKED,
    }
    return {**facts, "recipe": recipe, "texts": texts, "figures": figures}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--measure", action="store_true", help="measure the shipped weights only")
    arguments = parser.parse_args()
    tokenizer = Tokenizer(TOKENIZER, seed=SEED)
    if arguments.measure:
        model = RiskModel.load()
        figures = measure(Reader(model, tokenizer), arguments.data)
    else:
        model, texts = train(arguments.data, tokenizer)
        figures = measure(Reader(model, tokenizer), arguments.data)
        told = json.dumps(provenance(figures, texts), sort_keys=True)
        replace(model, provenance=told).save(WEIGHTS)
    results = {"bytes": WEIGHTS.stat().st_size, "threshold": model.threshold, **figures}
    results["speed"] = speed(model, tokenizer)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    CARD.write_text(render(facts, results), encoding="utf-8")


if __name__ == "__main__":
    main()
