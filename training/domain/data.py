"""Training pairs of ``domain_classifier``: (text, subject), fresh for every epoch.

Sources: MMLU-Pro's training questions in several forms, this project's own requests (from a
grammar, and written by hand), labelled encyclopaedia articles, code, ``evals`` prompts, community
prompts, and documents around a question. Whatever copies a held-out request or an examination
question of the dev split is left out here, so that no caller can train on a measured text.
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.dedupe import without_overlap
from training.domain import chat, documents, requests, wiki
from training.domain import written as by_hand
from training.domain.noise import drop_sentences, perturb, renumber
from training.jsonl import read_jsonl

Pair = tuple[str, str]

LABELS = (
    "biology",
    "business",
    "chemistry",
    "computer science",
    "economics",
    "engineering",
    "health",
    "history",
    "law",
    "math",
    "other",
    "philosophy",
    "physics",
    "psychology",
)
OVERLAP = 0.5
"""Share of common 8-grams from which a training text counts as a copy of a held-out one."""

HELD_OUT_EVALS = {
    "accounting_audit": "other",
    "medmcqa": "health",
    "probability_questions": "math",
    "test_comp_sci": "computer science",
    "us_tort_law": "law",
}
"""Folders of ``evals`` used for measuring only."""

PARTS = 6000
"""Examination questions presented a second time in an epoch, or in part."""

LONG = 80
"""Words from which an examination question counts as long."""

_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z\"“(])")

_INSTRUCTIONS = (
    "Answer the following multiple-choice question.",
    "The following is a multiple choice question. Think step by step, then give the letter.",
    "Choose the correct option. Reply with one letter only.",
    "Please answer with the letter of the correct choice.",
    "Which option is right, and why are the others wrong?",
    "Question:",
    "Solve this quiz question and explain your answer briefly.",
)


@functools.cache
def _held_out_chat() -> dict[str, list[Pair]]:
    sources: dict[str, list[Pair]] = {}
    root = chat.package_folder("evals") / "registry" / "data"
    for folder, label in HELD_OUT_EVALS.items():
        rows = [r for p in sorted((root / folder).glob("samples*.jsonl")) for r in read_jsonl(p)]
        rows = rows or [r for p in sorted((root / folder).glob("*.jsonl")) for r in read_jsonl(p)]
        texts = sorted({chat.prompt_of(row) for row in rows} - {""})
        texts = random.Random(1).sample(texts, min(60, len(texts)))
        sources[f"evals/{folder}"] = [(text, label) for text in texts]
    prompts = read_jsonl(root / "steganography" / "samples.jsonl")
    for row in read_jsonl(Path(__file__).with_name("heldout.jsonl")):
        text = row["text"] if "text" in row else prompts[row["row"]]["task_prompt"]
        sources.setdefault(str(row["source"]), []).append((str(text), str(row["label"])))
    return sources


def held_out_chat() -> dict[str, list[Pair]]:
    """Chat-style requests of sources that no training text comes from, by source."""
    return {name: list(pairs) for name, pairs in _held_out_chat().items()}


@functools.cache
def _exam_questions(data: Path) -> tuple[dict[str, Any], ...]:
    rows = read_jsonl(data / "domain" / "mmlu_pro_train.jsonl")
    dev = read_jsonl(data / "domain" / "mmlu_pro_dev.jsonl")
    kept = without_overlap([r["text"] for r in rows], [r["text"] for r in dev], OVERLAP)
    return tuple(rows[i] for i in kept)


def exam_questions(data: Path) -> list[dict[str, Any]]:
    """MMLU-Pro's training questions without near copies of its dev questions."""
    return list(_exam_questions(data))


def with_options(row: Mapping[str, Any]) -> str:
    """A question followed by its lettered options."""
    options = zip("ABCDEFGHIJ", row["options"], strict=False)
    return "\n".join([row["text"], *(f"{letter}. {option}" for letter, option in options)])


def crop(text: str, rng: random.Random, words: int) -> str:
    """Whole sentences in a row, at most ``words`` words of them but one sentence at least."""
    sentences = _SENTENCE_END.split(text)
    first = rng.randrange(len(sentences))
    kept: list[str] = []
    total = 0
    for sentence in sentences[first:]:
        total += len(sentence.split())
        if kept and total > words:
            break
        kept.append(sentence)
    return " ".join(kept)


def exam_pairs(
    questions: Sequence[Mapping[str, Any]], epoch: int, share: float = 1.0
) -> list[Pair]:
    """One epoch's examination questions, each once: bare, with options, or as in a chat.

    Numbers change from epoch to epoch, so that no question is known by them. Of the long
    questions (cases and sources, which are the easiest to tell) half are cropped: the tokens go
    further in ``part_pairs``.

    Args:
        questions: rows with ``text``, ``options`` and ``label``.
        epoch: number of the epoch; each has its own forms.
        share: share of the questions to draw.
    """
    rng = random.Random(100 + epoch)
    pairs: list[Pair] = []
    for row in rng.sample(list(questions), int(share * len(questions))):
        draw, text = rng.random(), str(row["text"])
        if draw < 0.12:
            text = with_options(row)
            if rng.random() < 0.5:
                text = f"{rng.choice(_INSTRUCTIONS)}\n{text}"
        elif draw < 0.2:
            text = chat.wrap(text, rng)
        elif draw < 0.28:
            text = perturb(text, rng)
        elif draw < 0.64 and len(text.split()) > LONG:
            text = crop(text, rng, LONG)
        if rng.random() < 0.5:
            text = renumber(text, rng)
        pairs.append((text, row["label"]))
    return pairs


def part_pairs(questions: Sequence[Mapping[str, Any]], epoch: int, count: int) -> list[Pair]:
    """Short examination questions once more, and parts of questions of any length.

    Options bring words that the questions lack; a question without half of its sentences must
    be told by fewer clues. Options without a few real words (numbers, formulas) are not used
    alone.
    """
    rng = random.Random(150 + epoch)
    pairs: list[Pair] = []
    for row in rng.sample(list(questions), min(count, len(questions))):
        options = [str(option) for option in row["options"]]
        chosen = rng.sample(options, min(len(options), rng.randint(1, 5)))
        wordy = len(set(re.findall(r"[^\W\d_]{4,}", " ".join(chosen)))) >= 6
        draw, length = rng.random(), len(row["text"].split())
        if wordy and draw < 0.15:
            text = rng.choice(("\n", " ", "; ")).join(chosen)
        elif length > LONG:
            text = crop(row["text"], rng, LONG // 2)
        elif draw < 0.4:
            text = " ".join([row["text"], *chosen])
        elif draw < 0.55 and length >= 16:
            text = drop_sentences(row["text"], rng)
        else:
            text = renumber(row["text"], rng)
        pairs.append((text, row["label"]))
    return pairs


def chat_pairs(questions: Sequence[Mapping[str, Any]], epoch: int) -> dict[str, list[Pair]]:
    """Texts of one epoch that are no examination questions, by source.

    Near copies of held-out requests are left out.
    """
    rng = random.Random(200 + epoch)
    sizes = [rng.randint(60, 2_500) for _ in range(360)]
    sizes += [rng.randint(4_000, 16_000) for _ in range(36)]
    written: dict[str, list[str]] = {}
    for text, label in by_hand.training("requests"):
        written.setdefault(label, []).append(text)
    by_label: dict[str, list[str]] = {}
    for row in questions:
        by_label.setdefault(row["label"], []).append(row["text"])
    for label, texts in by_label.items():
        if label != "other":  # Its requests may be about the very text around them.
            texts += [requests.request(label, rng) for _ in range(len(texts) // 2)]
            texts += written.get(label, [])
    sources = {
        "requests": chat.topical(rng, 220),
        "written by hand": by_hand.pairs(rng),
        "code": chat.code(rng, 240),
        "articles": wiki.articles(rng, 1000),
        "article titles": wiki.questions(rng, 1000),
        "documents": documents.documents(rng, by_label, sizes),
        "evals": chat.evals(rng, 5),
        "prompts": chat.prompts(rng, 160),
    }
    held_out = [text for pairs in held_out_chat().values() for text, _ in pairs]
    for name, pairs in sources.items():
        kept = without_overlap([text for text, _ in pairs], held_out, OVERLAP)
        sources[name] = [pairs[i] for i in kept]
    return sources


def epoch_sources(data: Path, epoch: int) -> dict[str, list[Pair]]:
    """The pairs of one epoch by source, to count and to describe them."""
    questions = exam_questions(data)
    return {
        "examination questions": exam_pairs(questions, epoch),
        "parts of examination questions": part_pairs(questions, epoch, PARTS),
        **chat_pairs(questions, epoch),
    }


def training_pairs(data: Path, epoch: int) -> list[Pair]:
    """Shuffled (text, label) pairs of one epoch.

    Args:
        data: folder with ``domain/mmlu_pro_train.jsonl`` and ``domain/mmlu_pro_dev.jsonl``
            (the latter to keep its questions out).
        epoch: number of the epoch; the same number gives the same pairs.

    Raises:
        SystemExit: the data is missing.
        RuntimeError: a data package is not installed.
    """
    pairs = [pair for source in epoch_sources(data, epoch).values() for pair in source]
    random.Random(300 + epoch).shuffle(pairs)
    return pairs
