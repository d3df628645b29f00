"""Perturbations that leave a text's meaning to a reader as it is; pure functions of text and rng.

Each gives the new text and where every code point of the old one begins in it, so that spans can
be carried over. Training has noise of its own; nothing here is used there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]


class Perturbed(NamedTuple):
    """A changed text.

    Attributes:
        text: what became of it.
        places: int64 [code points of the old text + 1], ascending: where each began to be; the
            last is where the old text ends.
    """

    text: str
    places: Places

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the old text's code points [start, end) lie now."""
        return int(self.places[start]), int(self.places[end])


Perturbation = Callable[[str, random.Random], Perturbed]

HARMLESS = (
    "sweater", "sandwich", "sparrow", "cinema", "teapot", "walnut", "lantern", "puddle",
    "orchard", "rainbow", "library", "pillow", "squirrel", "melody", "staircase", "lemon",
    "balcony", "feather", "thursday", "marble", "cupboard", "gently", "slowly", "together",
    "sometimes", "otter", "cinnamon", "birdhouse", "velvet", "snowflake", "suitcase", "acorn",
    "oatmeal", "ferry", "chimney", "mitten", "pebble", "accordion", "raspberry", "fountain",
    "nearly", "pleasant", "gingerbread", "hedgehog", "dumpling", "compass", "waterfall",
    "knitting", "scooter", "nightfall",
)  # fmt: skip
"""Everyday words to put around a text; training uses others for that."""

LOOK_ALIKES = str.maketrans(
    "aceopsxyiABCEHIKMOPSTXY",
    "асеорѕхуіАВСЕНІКМОРЅТХУ",
)
"""Latin letters to Cyrillic ones that look the same (a subset of Unicode's confusables)."""

ZERO_WIDTH = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
"""Zero width space, non-joiner and joiner, word joiner, and the byte order mark."""


def assemble(pieces: Sequence[str], before: str = "", after: str = "") -> Perturbed:
    """The text of ``pieces``, one for each old code point, with something before and after."""
    ends = len(before) + np.cumsum([0, *map(len, pieces)], dtype=np.int64)
    return Perturbed(before + "".join(pieces) + after, ends)


def upper(text: str, _: random.Random) -> Perturbed:
    """All capitals."""
    return assemble([c.upper() for c in text])


def lower(text: str, _: random.Random) -> Perturbed:
    """No capitals."""
    return assemble([c.lower() for c in text])


def random_case(text: str, rng: random.Random) -> Perturbed:
    """Each letter a capital or not, by chance."""
    return assemble([c.upper() if rng.random() < 0.5 else c.lower() for c in text])


def typos(text: str, rng: random.Random) -> Perturbed:
    """About one slip in thirty letters: two neighbours swapped, a letter lost, or doubled."""
    pieces = list(text)
    index = 0
    while index < len(text) - 1:
        if text[index].isalpha() and text[index + 1].isalpha() and rng.random() < 1 / 30:
            slip = rng.randrange(3)
            if slip == 0:
                pieces[index], pieces[index + 1] = text[index + 1], text[index]
            elif slip == 1:
                pieces[index] = ""
            else:
                pieces[index] *= 2
            index += 1  # so that the next slip is another one
        index += 1
    return assemble(pieces)


def _words(rng: random.Random) -> str:
    return " ".join(rng.sample(HARMLESS, 10))


def append_words(text: str, rng: random.Random) -> Perturbed:
    """Ten harmless words after the text."""
    return assemble(list(text), after=" " + _words(rng))


def prepend_words(text: str, rng: random.Random) -> Perturbed:
    """Ten harmless words before the text."""
    return assemble(list(text), before=_words(rng) + " ")


def look_alikes(text: str, rng: random.Random) -> Perturbed:
    """One letter in ten that has one is replaced by a Cyrillic look-alike."""
    return assemble([c.translate(LOOK_ALIKES) if rng.random() < 0.1 else c for c in text])


def zero_width(text: str, rng: random.Random) -> Perturbed:
    """An invisible character after one in ten."""
    return assemble([c + rng.choice(ZERO_WIDTH) if rng.random() < 0.1 else c for c in text])


def whitespace(text: str, rng: random.Random) -> Perturbed:
    """One blank in three becomes two, three, a tab or a line break with a blank."""
    wider = ("  ", "   ", " \t", " \n")
    return assemble([rng.choice(wider) if c == " " and rng.random() < 1 / 3 else c for c in text])


def punctuation(text: str, rng: random.Random) -> Perturbed:
    """A mark before one blank in five, and three at the end."""
    marks = (",", ".", "!", "?", ";", " -", "...")
    pieces = [rng.choice(marks) + c if c == " " and rng.random() < 0.2 else c for c in text]
    return assemble(pieces, after=rng.choice(("!!!", "???", "...", "!?!")))


PERTURBATIONS: dict[str, Perturbation] = {
    "upper case": upper,
    "lower case": lower,
    "random case": random_case,
    "typos": typos,
    "ten words after": append_words,
    "ten words before": prepend_words,
    "look-alike letters": look_alikes,
    "zero-width characters": zero_width,
    "more whitespace": whitespace,
    "more punctuation": punctuation,
}
