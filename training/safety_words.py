"""Words that the generated safety texts share: people, places, things, topics, chores."""

from __future__ import annotations

from training.spintax import load

COMMON = load("common")

HARMLESS_WORDS = load("harmless_words")["word"]
