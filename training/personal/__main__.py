"""Train the signal of personal data, or measure it.

``python -m training.personal --data ../shared/data`` writes ``personal.npz`` beside the
compressor's ``risk.py``, what was measured to ``training/results/personal.json``, and the card
``docs/models/personal_signal.md``; with ``--measure`` the shipped weights are measured again and
not written.
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
import sklearn

from pointsman_backends.compressor import risk as served
from pointsman_backends.compressor.risk import RiskModel
from pointsman_backends.compressor.tokenizer import Tokenizer
from training.personal.card import render
from training.personal.measure import measure
from training.personal.texts import IMPORTANCE, training_set
from training.risk.__main__ import quantised, risks, threshold
from training.risk.corpus import Features, read
from training.risk.fit import fit
from training.risk.measure import Reader
from training.safety.data import Sample

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = Path(served.__file__).with_name("personal.npz")
RESULTS = ROOT / "training" / "results" / "personal.json"
FACTS = Path(__file__).with_name("facts.json")
CARD = ROOT / "docs" / "models" / "personal_signal.md"
TOKENIZER = ROOT / "model_repository" / "encoder" / "1" / "tokenizer.json"

SEED = 19
BITS = 18
WINDOWS = (8, 16)
STRENGTH = 1.0
MARKED = 0.003
"""Share of the sentences of harmless documents kept aside, each kind alike, that are marked."""


def train(samples: Sequence[Sample], aside: Sequence[Sample], tokenizer: Tokenizer) -> RiskModel:
    """Fit the weights, quantise them, and set the threshold.

    Args:
        samples: Sentences with personal data, and harmless texts.
        aside: Other harmless texts.
        tokenizer: The compressor's.

    Returns:
        The model, without provenance.
    """
    corpus = read(tokenizer, samples)
    importance = np.array([IMPORTANCE.get(sample.source, 1.0) for sample in samples])
    learnt = fit(corpus, Features(corpus, BITS), WINDOWS, STRENGTH, SEED, importance[corpus.text])
    model = quantised(learnt, WINDOWS)
    calibration = read(tokenizer, aside)
    kinds = [aside[number].source for number in calibration.text]
    return replace(model, threshold=threshold(risks(model, calibration), kinds, MARKED))


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
        model = RiskModel.load(WEIGHTS)
        figures = measure(Reader(model, tokenizer), arguments.data)
    else:
        samples, aside = training_set(arguments.data, tokenizer)
        model = train(samples, aside, tokenizer)
        figures = measure(Reader(model, tokenizer), arguments.data)
        counts = Counter(f"{sample.label}: {sample.source}" for sample in samples)
        told = json.dumps(provenance(figures, dict(sorted(counts.items()))), sort_keys=True)
        replace(model, provenance=told).save(WEIGHTS)
    results = {"bytes": WEIGHTS.stat().st_size, "threshold": model.threshold, **figures}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    CARD.write_text(render(facts, results), encoding="utf-8")


if __name__ == "__main__":
    main()
