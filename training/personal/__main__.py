"""Train the signal of personal data, or measure it.

``python -m training.personal --data ../shared/data`` writes ``personal.npz`` beside the
compressor's ``risk.py``, what was measured to ``training/results/personal.json``, and the card
``docs/models/personal_signal.md``; with ``--measure`` the shipped weights are measured again and
not written.
"""

from __future__ import annotations

from pathlib import Path

from pointsman_backends.compressor.risk import PERSONAL
from training.personal.card import render
from training.personal.measure import measure
from training.personal.texts import IMPORTANCE, training_set
from training.risk.signal import ROOT, Recipe, Signal, run

SIGNAL = Signal(
    weights=PERSONAL,
    results=ROOT / "training" / "results" / "personal.json",
    facts=Path(__file__).with_name("facts.json"),
    card=ROOT / "docs" / "models" / "personal_signal.md",
    recipe=Recipe(19, (8, 16), 1.0, 0.003, IMPORTANCE),
    texts=training_set,
    kind=lambda sample: f"{sample.label}: {sample.source}",
    measure=measure,
    render=render,
)

if __name__ == "__main__":
    run(SIGNAL, __doc__)
