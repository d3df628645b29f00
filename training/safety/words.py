"""Words that the generated safety texts share: people, places, things, topics, chores."""

from __future__ import annotations

from pathlib import Path

from training.spintax import table

_TEXTS = Path(__file__).with_name("texts")


def load(name: str) -> dict[str, tuple[str, ...]]:
    """Read ``training/safety/texts/NAME.txt``, see `training.spintax.table`."""
    return table(_TEXTS.joinpath(f"{name}.txt").read_text(encoding="utf-8"))


COMMON = load("common")

HARMLESS_WORDS = load("harmless_words")["word"]
