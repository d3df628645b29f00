"""What the trainings of both signals (``training.risk``, ``training.personal``) have in common."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn

from pointsman_backends.compressor.risk import RiskModel
from pointsman_backends.compressor.tokenizer import Tokenizer
from training.risk.corpus import Corpus, Features, read
from training.risk.fit import Weights, fit
from training.risk.measure import Reader
from training.risk.speed import speed
from training.safety.data import Sample

ROOT = Path(__file__).resolve().parents[2]
TOKENIZER = ROOT / "model_repository" / "encoder" / "1" / "tokenizer.json"
BITS = 18


@dataclass(frozen=True)
class Recipe:
    """How a signal is fitted.

    Attributes:
        seed: Of the choice of windows.
        windows: Words in a window, each length.
        strength: Of the L2 penalty, as scikit-learn's C.
        marked: Share of the sentences of harmless documents kept aside, each kind alike, that
            are marked.
        importance: Weight of a harmless sentence by the source of its text, where it is not 1.
    """

    seed: int
    windows: tuple[int, ...]
    strength: float
    marked: float
    importance: Mapping[str, float]

    def told(self) -> dict[str, Any]:
        """What of it is stored with the weights."""
        return {
            "seed": self.seed,
            "scikit-learn": sklearn.__version__,
            "C": self.strength,
            "words in a window": list(self.windows),
            "marked of the sentences kept aside": self.marked,
        }


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


def train(
    samples: Sequence[Sample], aside: Sequence[Sample], tokenizer: Tokenizer, recipe: Recipe
) -> RiskModel:
    """Fit the weights, quantise them, and set the threshold.

    Args:
        samples: What is to be found, and harmless texts.
        aside: Other harmless texts, to set the threshold on.
        tokenizer: The compressor's.
        recipe: How.

    Returns:
        The model, without provenance.
    """
    corpus = read(tokenizer, samples)
    importance = np.array([recipe.importance.get(sample.source, 1.0) for sample in samples])
    features = Features(corpus, BITS)
    learnt = fit(
        corpus, features, recipe.windows, recipe.strength, recipe.seed, importance[corpus.text]
    )
    model = quantised(learnt, recipe.windows)
    calibration = read(tokenizer, aside)
    kinds = [aside[number].source for number in calibration.text]
    return replace(model, threshold=threshold(risks(model, calibration), kinds, recipe.marked))


@dataclass(frozen=True)
class Signal:
    """One signal: its files, and what is its own.

    Attributes:
        weights: The .npz beside the compressor's ``risk.py``.
        results: JSON of what was measured.
        facts: JSON of what a card says that no measurement can.
        card: Markdown.
        recipe: How it is fitted.
        texts: Given the folder of the shared data and the tokenizer, the texts to train on, and
            those to set the threshold on.
        kind: What a training text is counted as.
        measure: Figures on texts that training never shows.
        render: The card from facts and results.
    """

    weights: Path
    results: Path
    facts: Path
    card: Path
    recipe: Recipe
    texts: Callable[[Path, Tokenizer], tuple[list[Sample], list[Sample]]]
    kind: Callable[[Sample], str]
    measure: Callable[[Reader, Path], dict[str, Any]]
    render: Callable[[Mapping[str, Any], Mapping[str, Any]], str]


def run(signal: Signal, description: str | None) -> None:
    """Command line: train and measure a signal, or measure the shipped weights."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--measure", action="store_true", help="measure the shipped weights only")
    arguments = parser.parse_args()
    tokenizer = Tokenizer(TOKENIZER, seed=signal.recipe.seed)
    facts = json.loads(signal.facts.read_text(encoding="utf-8"))
    if arguments.measure:
        model = RiskModel.load(signal.weights)
        figures = signal.measure(Reader(model, tokenizer), arguments.data)
    else:
        samples, aside = signal.texts(arguments.data, tokenizer)
        model = train(samples, aside, tokenizer, signal.recipe)
        figures = signal.measure(Reader(model, tokenizer), arguments.data)
        counts = Counter(map(signal.kind, samples))
        texts = dict(sorted(counts.items()))
        told = {**facts, "recipe": signal.recipe.told(), "texts": texts, "figures": figures}
        replace(model, provenance=json.dumps(told, sort_keys=True)).save(signal.weights)
    size = signal.weights.stat().st_size
    times = {"speed": speed(model, tokenizer)}
    results = {"bytes": size, "threshold": model.threshold, **figures, **times}
    signal.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    signal.card.write_text(signal.render(facts, results), encoding="utf-8")
