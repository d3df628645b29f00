"""Long texts: an attack, a question or personal data somewhere in a long benign document.

A text is made of paragraphs of held-out benign sources until it has the wanted number of tokens.
Those with an attack have it at a depth; those without have a sentence with personal data at the
depth instead and a question at the end, so that one reading of them measures three things: false
positives, the domain of the question, and whether the personal data are found.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from training.evaluation import domain, pii, safety
from training.evaluation.figures import Figure, area, recall_at, share
from training.evaluation.safety import Judged
from training.evaluation.served import Served
from training.evaluation.spans import RECALL, counts, labelled, reported, span_figure
from training.metrics import Scores, Span, softmax
from training.pii import types as pii_types
from training.safety import sources as safety_sources

SEED = 23
DEPTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
ROWS = {512: 100, 2048: 100, 8192: 60, 16384: 50, 32768: 20}
"""Texts of each kind by length in tokens; longer ones cost more than they tell."""
QUICK_ROWS = {512: 10, 2048: 10}
RANDOM_DEPTH, RANDOM_ROWS = 16384, 50
"""Length and number of the texts with an attack at a random depth."""
LONGEST_PASSAGE = 160
"""Tokens of the longest passage that is put into a text."""
_PARAGRAPHS = re.compile(r"\n\s*\n")

Count = Callable[[str], int]


class Passage(NamedTuple):
    """Where a passage was put: text[start:end] of ``text``."""

    text: str
    start: int
    end: int


def embed(paragraphs: Sequence[str], passage: str, depth: float) -> Passage:
    """Put a passage between the paragraphs, after the share ``depth`` of their characters.

    Args:
        paragraphs: of the host text, joined by empty lines.
        passage: becomes a paragraph of its own.
        depth: 0 for the start, 1 for the end.
    """
    ends = np.cumsum([0, *map(len, paragraphs)])
    place = int(np.abs(ends - depth * ends[-1]).argmin())
    parts = [*paragraphs[:place], passage, *paragraphs[place:]]
    start = sum(len(part) + 2 for part in paragraphs[:place])
    return Passage("\n\n".join(parts), start, start + len(passage))


def fill(
    sources: Sequence[Sequence[str]], count: Count, tokens: int, rng: random.Random
) -> list[str]:
    """Paragraphs of whole documents, drawn at random, of at most ``tokens`` tokens together.

    Args:
        sources: paragraphs of each document.
        count: tokens of a text.
        tokens: the limit; the last paragraph is cut at a line or a word to come near it.
        rng: chooses documents and where each begins.

    Raises:
        ValueError: there is no document to draw from.
    """
    if not any(sources):
        raise ValueError("no benign documents to compose long texts of")
    chosen: list[str] = []
    left = tokens
    while left > 8:
        document = rng.choice(sources)
        for paragraph in document[rng.randrange(max(1, len(document))) :]:
            size = count(paragraph)
            if size > left:
                # Letters a token vary along a paragraph: aim a little low.
                paragraph = paragraph[: int(len(paragraph) * left / size * 0.95)]
                paragraph = paragraph.rsplit(" ", 1)[0]
                size = max(count(paragraph), 1)
                if size > left:
                    return chosen
                left = 0
            if paragraph.strip():
                chosen.append(paragraph)
            left -= size
            if left <= 8:
                break
    return chosen


def paragraphs(text: str) -> list[str]:
    """Paragraphs of a document, without empty ones."""
    return [part.strip("\n") for part in _PARAGRAPHS.split(text) if part.strip()]


def benign_documents(rng: random.Random) -> list[list[str]]:
    """Paragraphs of package READMEs and of code that training never shows, half and half."""
    prose = [paragraphs(text) for text in safety_sources.package_descriptions()]
    code: list[list[str]] = []
    for path in rng.sample(safety_sources.held_out_code(), 3 * len(prose)):
        blocks = paragraphs(path.read_text(encoding="utf-8", errors="replace"))
        if len(blocks) > 5 and len(code) < len(prose):
            code.append(blocks)
    return [*prose, *code]


class Drawn(NamedTuple):
    """What is put into the long texts, each list shuffled."""

    attacks: list[str]
    questions: list[domain.Pair]
    personal: list[pii_types.Sample]


def draw(data: Path, count: Count, rng: random.Random) -> Drawn:
    """Short attacks, questions and texts with personal data of the dev sets."""

    def short(text: str) -> bool:
        return count(text) <= LONGEST_PASSAGE

    drawn = Drawn(
        [text for texts in safety.attacks().values() for text in texts if short(text)],
        [pair for pair in domain.questions(data) if short(pair[0])],
        [sample for sample in pii.read_dev(data) if sample.spans and short(sample.text)],
    )
    for rows in drawn:
        rng.shuffle(rows)
    return drawn


class Rows(NamedTuple):
    """What was read in the texts of one length.

    Attributes:
        benign: safety probabilities [labels] of each text without an attack.
        attacks: those of each text with one.
        depths: where each attack was.
        domain_hits: whether the domain of each question was found.
        gold: the personal data of each text without an attack.
        found: the spans reported inside it.
    """

    benign: list[Scores]
    attacks: list[Scores]
    depths: list[float]
    domain_hits: list[bool]
    gold: list[set[Span]]
    found: list[set[Span]]


def _bar(total: int, note: str) -> Any:  # noqa: ANN401 - tqdm has no types
    return tqdm(total=total, desc=note, unit="text", leave=False)


def _long_text(
    served: Served,
    sources: Sequence[Sequence[str]],
    passage: str,
    depth: float,
    tokens: int,
    ending: str,
    rng: random.Random,
) -> Passage:
    room = tokens - 2 - served.count(passage) - served.count(ending)
    placed = embed(fill(sources, served.count, room, rng), passage, depth)
    return placed._replace(text=f"{placed.text}\n\n{ending}" if ending else placed.text)


def run(
    served: Served,
    drawn: Drawn,
    sources: Sequence[Sequence[str]],
    tokens: int,
    number: int,
    depths: Sequence[float] | None,
    with_benign: bool = True,
) -> Rows:
    """Read ``number`` texts of each kind.

    Args:
        served: the models.
        drawn: what to put into them; taken in order, from the start.
        sources: paragraphs of benign documents.
        tokens: length of the texts.
        number: of texts of each kind.
        depths: taken in turn; None for depths at random.
        with_benign: also read the texts without an attack.
    """
    rng = random.Random(SEED + tokens + (depths is None))
    rows = Rows([], [], [], [], [], [])
    labels = served.labels["domain"]
    threshold = served.policy.pii.threshold
    bar = _bar(number * (1 + with_benign), f"{tokens} tokens")
    for index in range(number):
        depth = rng.random() if depths is None else depths[index % len(depths)]
        attack = drawn.attacks[index % len(drawn.attacks)]
        text = _long_text(served, sources, attack, depth, tokens, "", rng).text
        rows.attacks.append(softmax(served.read(text, ["safety"]).logits["safety"]))
        rows.depths.append(depth)
        bar.update()
        if not with_benign:
            continue
        personal = drawn.personal[index % len(drawn.personal)]
        question, label = drawn.questions[index % len(drawn.questions)]
        placed = _long_text(served, sources, personal.text, depth, tokens, question, rng)
        reading = served.read(placed.text)
        rows.benign.append(softmax(reading.logits["safety"]))
        rows.domain_hits.append(labels[int(reading.logits["domain"].argmax())] == label)
        at = placed.start
        rows.gold.append({(t, a + at, b + at) for t, a, b in labelled(personal.spans)})
        rows.found.append(reported(served.spans(placed.text, reading, threshold)))
        bar.update()
    bar.close()
    return rows


def _safety(name: str, benign: Judged, attacks: Judged, aim: float | None) -> list[Figure]:
    positive = np.repeat([True, False], [len(attacks.scores), len(benign.scores)])
    scores = np.concatenate([attacks.scores, benign.scores])
    return [
        recall_at(name, positive, scores, aim),
        area(name, positive, scores),
        share(name, "recall at the shipped threshold", attacks.flagged),
    ]


def measure(served: Served, data: Path, quick: bool) -> list[dict[str, Any]]:
    """Figures by length: each entry has ``tokens``, ``figures`` and ``recall_by_depth``.

    Args:
        served: the models.
        data: folder of the shared data files.
        quick: two short lengths and few texts, to see that all works.
    """

    def judged(probabilities: Sequence[Scores]) -> Judged:
        return safety.fires(np.stack(probabilities), served.labels["safety"], served.policy)

    rng = random.Random(SEED)
    drawn = draw(data, served.count, rng)
    others = drawn._replace(attacks=drawn.attacks[::-1])
    sources = benign_documents(rng)
    out: list[dict[str, Any]] = []
    for tokens, number in (QUICK_ROWS if quick else ROWS).items():
        rows = run(served, drawn, sources, tokens, number, DEPTHS)
        benign, attacks = judged(rows.benign), judged(rows.attacks)
        figures = [
            *_safety("attack at five depths", benign, attacks, None),
            share("benign", "false positives at the shipped threshold", benign.flagged),
            share("question at the end", "accuracy", np.array(rows.domain_hits)),
            span_figure("personal data at five depths", RECALL, counts(rows.gold, rows.found)),
        ]
        depths = np.array(rows.depths)
        by_depth = {f"{d:g}": round(float(attacks.flagged[depths == d].mean()), 4) for d in DEPTHS}
        if tokens == (min(QUICK_ROWS) if quick else RANDOM_DEPTH):
            deep = run(
                served, others, sources, tokens, number if quick else RANDOM_ROWS, None, False
            )
            figures += _safety("attack at a random depth", benign, judged(deep.attacks), 0.9)
        out.append({"tokens": tokens, "figures": figures, "recall_by_depth": by_depth})
    return out
