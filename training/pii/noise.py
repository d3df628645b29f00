"""Dirt on PII samples: typing errors, lost punctuation and spaces, marks of quoting and scanning.

The text between values changes; values, and so the spans' contents, stay as they are.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from training.pii.types import Sample, rewrite

_SWAPS = {
    "l": "1",
    "o": "0",
    "i": "l",
    "e": "c",
    "rn": "m",
    "m": "rn",
    "s": "5",
    "a": "o",
    "t": "f",
}
_NEAR = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wertyuioplsdfghjkkxcvbnmn", strict=False))


def _typos(rng: random.Random, rate: float) -> Callable[[str], str]:
    def edit(text: str) -> str:
        out = []
        for word in re.split(r"(\W+)", text):
            if len(word) > 3 and word.isalpha() and rng.random() < rate:
                i = rng.randrange(1, len(word) - 1)
                word = rng.choice(
                    (
                        word[:i] + word[i + 1 :],
                        word[:i] + word[i] + word[i:],
                        word[:i] + word[i + 1] + word[i] + word[i + 2 :],
                        word[:i] + _NEAR.get(word[i], "x") + word[i + 1 :],
                    )
                )
            out.append(word)
        return "".join(out)

    return edit


def _scanned(rng: random.Random) -> Callable[[str], str]:
    def edit(text: str) -> str:
        return "".join(_SWAPS[c] if c in _SWAPS and rng.random() < 0.06 else c for c in text)

    return edit


def _no_punctuation(text: str) -> str:
    return re.sub(r"[.,;:!?](?=\s|$)", "", text)


def _no_space_after_comma(text: str) -> str:
    return re.sub(r"(?<=[,;:]) +", "", text)


def _wide(text: str) -> str:
    return text.replace(" ", "  ")


def _one_line(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text)


def _quoted(text: str) -> str:
    return text.replace("\n", "\n> ")


def _broken(rng: random.Random) -> Callable[[str], str]:
    return lambda text: "".join("\n" if c == " " and rng.random() < 0.12 else c for c in text)


def _curly(text: str) -> str:
    return text.replace("'", "’").replace('"', "”").replace(" - ", " — ")


def _mojibake(text: str) -> str:
    """Typographic marks as they look when UTF-8 was read as Windows-1252."""
    text = _curly(text)
    for mark, read in (("’", "â€™"), ("”", "â€œ"), ("—", "â€”"), ("–", "â€“")):
        text = text.replace(mark, read)
    return text


def noisy(sample: Sample, rng: random.Random) -> Sample:
    """``sample`` with one kind of dirt between its values."""
    edit: Callable[[str], str] = rng.choice(
        (
            _typos(rng, 0.15),
            _typos(rng, 0.4),
            _scanned(rng),
            _no_punctuation,
            _no_punctuation,
            _no_space_after_comma,
            _wide,
            _one_line,
            _quoted,
            _broken(rng),
            _curly,
            _mojibake,
        )
    )
    return rewrite(sample, edit)
