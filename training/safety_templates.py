"""Harmless words around a text, for measuring whether a verdict stands."""

from __future__ import annotations

import random

from training.safety_disguise import harmless_words


def add_harmless_words(text: str, rng: random.Random, count: int = 10) -> str:
    """Append or prepend ``count`` harmless words to ``text``."""
    words = harmless_words(rng, count)
    return f"{text} {words}" if rng.random() < 0.6 else f"{words} {text}"
