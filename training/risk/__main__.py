"""Train the risk signal, or measure it.

``python -m training.risk --data ../shared/data`` writes ``risk.npz`` beside the compressor's
``risk.py``, what was measured to ``training/results/risk.json``, and the card
``docs/models/risk_signal.md``; with ``--measure`` the shipped weights are measured again and not
written.
"""

from __future__ import annotations

from pathlib import Path

from pointsman_backends.compressor import risk as served
from pointsman_backends.compressor.tokenizer import Tokenizer
from training.risk.card import render
from training.risk.measure import measure
from training.risk.signal import ROOT, Recipe, Signal, run
from training.risk.texts import ASKED, training_texts
from training.safety.data import Sample

IMPORTANCE_ASKED = 0.3
"""Weight of a sentence of a harmless request, that of a sentence of a document being 1."""


def texts(data: Path, tokenizer: Tokenizer) -> tuple[list[Sample], list[Sample]]:  # noqa: ARG001
    """Texts to train on, and documents to set the threshold on."""
    samples, aside = training_texts(data)
    return samples, [sample for sample in aside if sample.source not in ASKED]


SIGNAL = Signal(
    weights=Path(served.__file__).with_name("risk.npz"),
    results=ROOT / "training" / "results" / "risk.json",
    facts=Path(__file__).with_name("facts.json"),
    card=ROOT / "docs" / "models" / "risk_signal.md",
    recipe=Recipe(7, (8, 16), 0.4, 0.003, dict.fromkeys(ASKED, IMPORTANCE_ASKED)),
    texts=texts,
    kind=lambda sample: sample.source,
    measure=measure,
    render=render,
)

if __name__ == "__main__":
    run(SIGNAL, __doc__)
