"""Requests and examination questions written by hand for this project, by subject.

``written/domain/requests`` and ``written/domain/examinations`` have a file a subject with a text
a line, in which ``¶`` stands for a line break. The labels follow MMLU-Pro: accounting, geography,
politics, sociology, everyday life, creative writing and small talk are ``other``; religion and
formal logic ``philosophy``; applied thermodynamics, flow and circuits ``engineering``. One text
in ten, told by a hash of its words, is never trained on.
"""

from __future__ import annotations

import functools
import hashlib
import random
import re

from training.domain.chat import conversation, wrap
from training.domain.noise import perturb
from training.written.records import WRITTEN

Pair = tuple[str, str]

KINDS = ("requests", "examinations")


@functools.cache
def texts(kind: str) -> tuple[Pair, ...]:
    """Every text of a kind with its label, the held-out ones among them.

    Args:
        kind: one of ``KINDS``.
    """
    pairs = []
    for path in sorted((WRITTEN / "domain" / kind).glob("*.txt")):
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                pairs.append((line.replace("¶", "\n").strip(), path.stem.replace("_", " ")))
    return tuple(pairs)


def is_held_out(text: str) -> bool:
    """Whether the words of a text put it into the tenth that is kept for measuring."""
    words = " ".join(re.findall(r"\w+", text.lower()))
    return hashlib.sha256(words.encode()).digest()[0] * 10 < 256


def held_out(kind: str) -> list[Pair]:
    """The texts of a kind that no training sees."""
    return [pair for pair in texts(kind) if is_held_out(pair[0])]


def training(kind: str) -> list[Pair]:
    """The texts of a kind that may be trained on."""
    return [pair for pair in texts(kind) if not is_held_out(pair[0])]


def _plain(text: str, rng: random.Random) -> str:
    """A text as written, in lower case without its last stop, or lightly spoilt."""
    draw = rng.random()
    if draw < 0.15:
        return text.lower().rstrip("?. ") or text
    return perturb(text, rng) if draw < 0.4 else text


def pairs(rng: random.Random) -> list[Pair]:
    """Every text once as written or lightly spoilt, and every request once more in a chat.

    In a chat a request has a greeting, a closing or a system prompt, or comes after another one,
    mostly of another subject; the last request is the one that counts.
    """
    requests = training("requests")
    drawn = [(_plain(text, rng), label) for kind in KINDS for text, label in training(kind)]
    for text, label in requests:
        if rng.random() < 0.5:
            drawn.append((wrap(text, rng), label))
        else:
            drawn.append((conversation(rng.choice(requests)[0], text, rng), label))
    return drawn
