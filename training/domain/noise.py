"""Texts with something missing or misspelt, to train against reliance on single words.

Pure functions of a text and a ``random.Random``; a text with visible characters keeps some.
"""

from __future__ import annotations

import random
import re


def drop_words(text: str, rng: random.Random, rate: float) -> str:
    """The text without about ``rate`` of its words; at least one word stays."""
    words = text.split(" ")
    kept = [word for word in words if rng.random() >= rate]
    return " ".join(kept) if any(word.strip() for word in kept) else text


def drop_sentences(text: str, rng: random.Random) -> str:
    """About half of the sentences, in order; a text of one sentence is cut at a word."""
    sentences = re.split(r"(?<=[.?!])\s+(?=[A-Z])", text)
    if len(sentences) > 1:
        kept = sorted(rng.sample(range(len(sentences)), (len(sentences) + 1) // 2))
        return " ".join(sentences[i] for i in kept)
    words = text.split(" ")
    half = (len(words) + 1) // 2
    cut = " ".join(words[:half] if rng.random() < 0.5 else words[-half:])
    return cut if cut.strip() else text


def misspell(text: str, rng: random.Random, count: int) -> str:
    """The text with up to ``count`` slips of the keyboard: letters swapped, lost or doubled."""
    letters = list(text)
    places = [
        i for i in range(1, len(letters)) if letters[i].isalpha() and letters[i - 1].isalpha()
    ]
    for at in sorted(rng.sample(places, min(count, len(places))), reverse=True):
        slip = rng.randrange(3)
        if slip == 0:
            letters[at - 1], letters[at] = letters[at], letters[at - 1]
        elif slip == 1:
            del letters[at]
        else:
            letters.insert(at, letters[at])
    return "".join(letters)


def renumber(text: str, rng: random.Random) -> str:
    """The text with other numbers of the same length; years and single digits stay.

    A single digit may be a formula's or an exponent, and a year tells history.
    """

    def other(found: re.Match[str]) -> str:
        number = found.group()
        if re.fullmatch(r"1[0-9]{3}|20[0-9]{2}", number):
            return number
        return str(rng.randint(1, 9)) + "".join(str(rng.randint(0, 9)) for _ in number[1:])

    return re.sub(r"(?<![\w^])[1-9][0-9]+(?!\w)", other, text)


def perturb(text: str, rng: random.Random) -> str:
    """A lightly spoilt text: words lost, slips of the keyboard, or stops left out."""
    draw = rng.random()
    if draw < 0.4:
        return drop_words(text, rng, rng.choice((0.05, 0.1, 0.2)))
    if draw < 0.8:
        return misspell(text, rng, 1 + len(text) // 60)
    bare = re.sub(r"[^\w\s]" if draw < 0.9 else r"[?.!\s]+$", "", text)
    return bare if bare.strip() else text
