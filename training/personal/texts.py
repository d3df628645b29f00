"""What the signal of personal data is trained on: sentences that tell some, and harmless texts.

Both come from elsewhere: personal data from the PII classifier's generators (``training.pii``),
harmless text from what the risk signal reads (``training.risk``). Only types that no pattern scan
finds count: sentences with an e-mail address or a card number are found without this signal.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Sequence, Set
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pointsman_backends.compressor.prepare import ABBREVIATIONS, sentence_starts
from pointsman_backends.compressor.tokenizer import Tokenizer
from training.pii import data as pii_data
from training.pii.types import Sample as Labelled
from training.pii.types import Span
from training.risk.machine_text import machine_text
from training.risk.texts import ASKED, training_texts
from training.safety.data import LABELS, Sample

HARMLESS, PERSONAL = LABELS[0], "personal"
WITHOUT = "without"
"""Source of the sentences of the PII classifier's texts that hold no personal data."""
SEED = 19
EPOCHS = 2
"""Epochs of the PII classifier's texts that are read; each is of fresh texts."""
MODEL_TYPES = frozenset(
    {
        "AGE", "DATE_TIME", "GPE", "NRP", "ORGANIZATION", "PERSON", "STREET_ADDRESS", "TITLE",
        "US_DRIVER_LICENSE", "ZIP_CODE",
    }
)  # fmt: skip
"""Types that no pattern scan finds."""
_TELLING = MODEL_TYPES - {"DATE_TIME"}
MADE = 6000
"""Machine texts of arbitrary words, and a third as many notices."""
_PARTS = ("app", "sshd", "gateway", "worker", "auth-service", "db", "main", "web", "core.cache")
_PROSE_WORD = re.compile(r"(?<![\w'-])[a-z]{4,10}(?![\w'-])")
_MACHINE_WORD = re.compile(r"[A-Za-z][a-z]{3,}")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_NAMES = frozenset({"wikipedia", "web"})
IMPORTANCE = {**dict.fromkeys(ASKED, 0.3), **dict.fromkeys(_NAMES, 0.5)}
"""Weight of a harmless sentence by source where it is not 1: requests have few sentences, and
an encyclopaedia's and the web's name people as personal data do."""


class Sentence(NamedTuple):
    """A sentence as the compressor splits a text.

    Attributes:
        text: The sentence, from the start of its first word to that of the next sentence.
        tells: Whether personal data of the types that count are in it.
        others: Whether such of other types are.
    """

    text: str
    tells: bool
    others: bool


def sentences(
    tokenizer: Tokenizer, text: str, spans: Sequence[Span], types: Set[str] = MODEL_TYPES
) -> list[Sentence]:
    """Split a text as the compressor does, and tell which sentences hold personal data.

    Args:
        tokenizer: The compressor's.
        text: May be empty.
        spans: Personal data in it, in code points.
        types: Of those that count.
    """
    words = tokenizer.read(text).words
    if not len(words):
        return []
    first = sentence_starts(words, np.zeros(1, np.int64), tokenizer.hash(ABBREVIATIONS.split()))
    starts = words.normal.starts(words.starts[first]).tolist()
    parts = zip(starts, [*starts[1:], len(text)], strict=True)

    def held(start: int, end: int, counts: bool) -> bool:
        return any(
            span.start < end and span.end > start and (span.label in types) == counts
            for span in spans
        )

    return [
        Sentence(text[start:end], held(start, end, True), held(start, end, False))
        for start, end in parts
    ]


def in_other_words(text: str, words: Sequence[str], rng: random.Random) -> str:
    """A text with half of its words replaced by arbitrary ones, each everywhere by the same.

    Machines write of anything; that a word is rare must not make a person of it.
    """
    other: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        word = match.group()
        if word.lower() not in other:
            other[word.lower()] = rng.choice(words) if rng.random() < 0.5 else word.lower()
        new = other[word.lower()]
        return new.capitalize() if word[0].isupper() else new

    return _MACHINE_WORD.sub(replace, text)


def log(lines: Iterable[str], rng: random.Random) -> str:
    """Lines with a time before each, in one of the usual forms of logs."""
    form, key = rng.randrange(6), rng.choice(("time", "ts", "timestamp", "@timestamp", "date"))
    part, level = rng.choice(_PARTS), rng.choice(("INFO", "DEBUG", "info", "warn", "E"))
    moment = datetime(2000, 1, 1, tzinfo=timezone.utc) + timedelta(
        minutes=rng.randrange(14_000_000)
    )
    stamped = []
    for line in lines:
        moment += timedelta(seconds=rng.randrange(4000))
        address = ".".join(str(rng.randrange(256)) for _ in range(4))
        stamped.append(
            (
                f"{moment:%Y-%m-%d %H:%M:%S} {level} [{part}] {line}",
                f"{moment:%b %d %H:%M:%S} node{address[:2]} {part}[{rng.randrange(9999)}]: {line}",
                json.dumps({key: f"{moment:%H:%M:%S}", "level": level, "msg": line}),
                json.dumps({"svc": part, key: moment.isoformat(), "message": line}),
                f'{address} - - [{moment:%d/%b/%Y:%H:%M:%S %z}] "{line}" {rng.randrange(600)}',
                f"[{moment:%H:%M:%S}.{rng.randrange(999)}] {part}: {line}",
            )[form]
        )
    return "\n".join(stamped)


def notice(words: Sequence[str], rng: random.Random) -> str:
    """Lines of a head or a foot of a document: years, versions, rules, numbers of parts."""
    names = " ".join(rng.choice(words).capitalize() for _ in range(rng.randint(1, 3)))
    year = rng.randint(1980, 2020)
    years = ", ".join(str(year + n) for n in range(rng.randint(1, 20)))
    lines = (
        f"{rng.choice(('Copyright (c)', 'Copyright', '(C)', 'copyright ©'))} {years} {names}",
        f"Copyright (c) {year}-{year + rng.randint(1, 20)} {names} and contributors",
        f"Copyright {year} The {names} Authors. All rights reserved.",
        f"{names} version {rng.randint(0, 30)}.{rng.randint(0, 30)}, {year}",
        rng.choice("*-=_^~.#+") * rng.randint(5, 80),
        rng.choice("*-=_.#") + f" {rng.choice('*-=_.#')}" * rng.randint(5, 40),
        f"{rng.randint(1, 20)}.{rng.randint(1, 20)} {names}",
        f"[{rng.randint(1, 40)}] {names} v {names} [{year}] {rng.randint(1, 99)}",
        f"{names} .......... {rng.randint(1, 400)}",
        ", ".join(f"{rng.uniform(0, 100):.{rng.randint(0, 3)}f}" for _ in range(12)),
    )
    return "\n".join(rng.sample(lines, 3))


def made_up(prose: Iterable[str], rng: random.Random) -> list[Sample]:
    """Machine texts and notices of words that prose has in small letters, which name nobody."""
    words = sorted({word for text in prose for word in _PROSE_WORD.findall(text)})
    machine = [in_other_words(machine_text(rng), words, rng) for _ in range(MADE)]
    machine[::2] = [log(text.split("\n"), rng) for text in machine[::2]]
    notices = (notice(words, rng) for _ in range(MADE // 3))
    return [Sample(text, HARMLESS, "made up") for texts in (machine, notices) for text in texts]


def split(tokenizer: Tokenizer, samples: Iterable[Labelled]) -> list[Sample]:
    """Sentences of texts with personal data, each a sample of its own and none twice.

    A sentence with nothing but what the pattern scan finds is neither personal nor harmless, nor
    is one with nothing but a date, as every log has them, nor one of a single word or number.
    """
    found: dict[str, Sample] = {}
    for sample in samples:
        for text, tells, others in sentences(tokenizer, sample.text, sample.spans, _TELLING):
            if (tells and len(_LETTERS.findall(text)) > 1) or not (tells or others):
                label, source = (PERSONAL, sample.source) if tells else (HARMLESS, WITHOUT)
                found.setdefault(text.strip(), Sample(text, label, source))
    return list(found.values())


def training_set(data: Path, tokenizer: Tokenizer) -> tuple[list[Sample], list[Sample]]:
    """Sentences with personal data and harmless texts, and harmless ones for the threshold.

    Args:
        data: Folder of the shared data files.
        tokenizer: The compressor's.

    Raises:
        FileNotFoundError: A package of training/requirements-data.txt is missing.
        SystemExit: A data file is missing.
    """
    shown, aside = training_texts(data)
    # The PII classifier's texts are among the risk signal's harmless ones.
    harmless = [s for s in shown if s.label == HARMLESS and s.source != PERSONAL]
    epochs = (pii_data.training_samples(data, epoch, 1.0) for epoch in range(EPOCHS))
    personal = split(tokenizer, (sample for samples in epochs for sample in samples))
    documents = [s for s in aside if s.source not in ASKED | {PERSONAL}]
    prose = (sample.text for sample in harmless if sample.source in _NAMES)
    return [*personal, *harmless, *made_up(prose, random.Random(SEED))], documents
