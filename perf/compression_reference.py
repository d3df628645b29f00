"""The published compression, re-implemented to compare with: arXiv 2603.12646, stage 2.

Written anew, from the paper and from what the open-source vLLM Semantic Router does; no code of it
is used. Faithful in what decides a verdict: how sentences are split, how tokens are estimated, the
four signals and their weights, sampling over 500 sentences, and which sentences are kept. It says
nothing about the original's speed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

TEXTRANK, POSITION, DENSITY, NOVELTY = 0.20, 0.40, 0.35, 0.05
"""Weights of the signals."""
DEPTH = 0.5
"""Of the U-shaped position curve: what a sentence in the middle lacks."""
FIRST, LAST = 3, 2
"""Sentences at both ends that are kept whatever their scores."""
MOST_SENTENCES = 500
"""More are sampled evenly before any is scored."""
DAMPING, ITERATIONS, CONVERGED = 0.85, 100, 1e-5

_STOPS = ".!?。！？؟।॥።։"
_STOP = re.compile(f"[{_STOPS}]")
_STOP_RUN = re.compile(f"[{_STOPS}]+")
_CJK = r"぀-ヿ㐀-䶿一-鿿豈-﫿가-힯ᄀ-ᇿ㄰-㆏"
_IDEOGRAPH = re.compile(f"[{_CJK}]")
_RUNS = re.compile(f"([{_CJK}]+)")

Floats = npt.NDArray[np.float64]
Span = tuple[int, int]


@dataclass(frozen=True)
class Selected:
    """What the published compression keeps of a text.

    Attributes:
        spans: [start, end) of the sentences kept, in code points, ascending.
        sentences: how many the text has.
        sampled: whether some of them were dropped before they were scored.
    """

    spans: list[Span]
    sentences: int
    sampled: bool

    def text(self, original: str) -> str:
        """The compressed text: the sentences kept, joined by spaces."""
        return " ".join(original[start:end] for start, end in self.spans)


def compress(text: str, budget: int) -> Selected:
    """Keep sentences of together at most ``budget`` estimated tokens.

    A text within the budget, or of one sentence, is kept whole.
    """
    if estimate_tokens(text) <= budget:
        return Selected([(0, len(text))], 1, False)
    spans = split_sentences(text)
    if len(spans) <= 1:
        return Selected([(0, len(text))], len(spans), False)
    chosen = sample(len(spans), MOST_SENTENCES)
    taken = [spans[i] for i in chosen]
    sentences = [text[start:end] for start, end in taken]
    scores = score([words(sentence) for sentence in sentences])
    kept = select(scores, [estimate_tokens(sentence) for sentence in sentences], budget)
    return Selected([taken[i] for i in kept], len(spans), len(taken) < len(spans))


def split_sentences(text: str) -> list[Span]:
    """[start, end) of each sentence, without white space around it.

    A run of stop marks ends one, wherever it stands; a full stop within a number or after a single
    capital letter ("J. Smith") does not.
    """
    spans: list[Span] = []
    start = _skip_space(text, 0)
    for stop in _STOP.finditer(text):
        at = stop.start()
        if at < start or (text[at] == "." and _inner(text, start, at)):
            continue
        run = _STOP_RUN.match(text, at)
        end = run.end() if run else at + 1
        spans.append((start, end))
        start = _skip_space(text, end)
    end = len(text.rstrip())
    if start < end:
        spans.append((start, end))
    return spans


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _inner(text: str, start: int, at: int) -> bool:
    """Whether the full stop at ``at`` belongs to a number or to an initial."""
    before = text[at - 1] if at > start else ""
    after = text[at + 1 : at + 3]
    if before.isdecimal() and after[:1].isdecimal():
        return True
    alone = at - 1 == start or text[at - 2 : at - 1] == " "
    return before.isupper() and alone and after[:1] == " " and after[1:].isupper()


def estimate_tokens(text: str) -> int:
    """1.3 for each word, 1.5 for each ideograph."""
    fields = text.split()
    ideographs = 0
    plain = len(fields)
    if not text.isascii():
        for field in fields:
            found = len(_IDEOGRAPH.findall(field))
            ideographs += found
            plain -= found == len(field)
    return max(int(1.5 * ideographs + 1.3 * plain), 1) if fields else 0


def words(sentence: str) -> list[str]:
    """Lower-case terms without outer punctuation; ideographs one by one and in pairs."""
    return [term for field in sentence.split() for term in _terms(_trimmed(field))]


def _trimmed(field: str) -> str:
    start, end = 0, len(field)
    while start < end and not _is_letter(field[start]):
        start += 1
    while end > start and not _is_letter(field[end - 1]):
        end -= 1
    return field[start:end]


def _is_letter(character: str) -> bool:
    return character.isalpha() or character.isdecimal()


def _terms(field: str) -> Iterator[str]:
    for number, part in enumerate(_RUNS.split(field)):
        if number % 2:
            for i, character in enumerate(part):
                yield character
                if i:
                    yield part[i - 1 : i + 1]
        elif part:
            yield part.lower()


def sample(total: int, most: int) -> list[int]:
    """Indices of at most ``most`` sentences, evenly spread, the first and the last among them."""
    if total <= most:
        return list(range(total))
    step = (total - 2) / (most - 2)
    middle = [min(1 + int(i * step + 0.5), total - 2) for i in range(most - 2)]
    return [0, *middle, total - 1]


def score(sentences: Sequence[Sequence[str]]) -> Floats:
    """Weighted sum of the four signals for sentences given as terms, float64 [S]."""
    frequencies = term_frequencies(sentences)
    return np.asarray(
        TEXTRANK * textrank(frequencies)
        + POSITION * position(len(sentences))
        + DENSITY * density(frequencies)
        + NOVELTY * novelty(frequencies)
    )


def term_frequencies(sentences: Sequence[Sequence[str]]) -> csr_matrix:
    """Share of each term in each sentence, float64 [S, V]."""
    vocabulary: dict[str, int] = {}
    rows, columns, values = [], [], []
    for row, terms in enumerate(sentences):
        for term, count in Counter(terms).items():
            rows.append(row)
            columns.append(vocabulary.setdefault(term, len(vocabulary)))
            values.append(count / len(terms))
    shape = (len(sentences), max(len(vocabulary), 1))
    return csr_matrix((values, (rows, columns)), shape=shape, dtype=np.float64)


def _norms(frequencies: csr_matrix) -> Floats:
    return np.sqrt(np.asarray(frequencies.multiply(frequencies).sum(axis=1)).ravel())


def textrank(frequencies: csr_matrix) -> Floats:
    """PageRank on the graph of cosine similarities, 1 for the best; float64 [S]."""
    norms = _norms(frequencies)
    similar = np.asarray((frequencies @ frequencies.T).todense())
    scale = np.outer(norms, norms)
    similar = np.divide(similar, scale, out=np.zeros_like(similar), where=scale > 0)
    np.fill_diagonal(similar, 0)
    out = similar.sum(axis=0)
    moves = np.divide(similar, out, out=np.zeros_like(similar), where=out > 0)
    ranks = np.full(len(norms), 1 / len(norms))
    for _ in range(ITERATIONS):
        following = (1 - DAMPING) / len(norms) + DAMPING * (moves @ ranks)
        change = np.abs(following - ranks).max()
        ranks = following
        if change < CONVERGED:
            break
    return _scaled(ranks)


def position(count: int) -> Floats:
    """1 at both ends, 1 - DEPTH in the middle; float64 [S]."""
    if count == 1:
        return np.ones(1)
    return np.asarray(1 - DEPTH * np.sin(np.pi * np.arange(count) / (count - 1)))


def density(frequencies: csr_matrix) -> Floats:
    """Mean inverse document frequency of a sentence's terms, 1 for the best; float64 [S]."""
    count, terms = frequencies.shape
    holders = np.bincount(frequencies.indices, minlength=terms)
    return _scaled(np.asarray(frequencies @ np.log((count + 1) / (holders + 1))))


def novelty(frequencies: csr_matrix) -> Floats:
    """Distance from the mean sentence, 1 for the farthest; 0 without terms; float64 [S]."""
    mean = np.asarray(frequencies.mean(axis=0)).ravel()
    scale = _norms(frequencies) * np.sqrt(mean @ mean)
    near = np.divide(frequencies @ mean, scale, out=np.ones_like(scale), where=scale > 0)
    return _scaled(1 - near)


def _scaled(values: Floats) -> Floats:
    most = values.max(initial=0)
    return values / most if most > 0 else values


def select(scores: Floats, tokens: Sequence[int], budget: int) -> list[int]:
    """Indices kept, ascending: the ends, then the best scored, each if it fits."""
    count = len(tokens)
    ends = [*range(min(FIRST, count)), *range(max(count - LAST, 0), count)]
    order = [*dict.fromkeys(ends), *np.argsort(-scores, kind="stable").tolist()]
    kept: dict[int, None] = {}
    for index in order:
        if index not in kept and tokens[index] <= budget:
            kept[index] = None
            budget -= tokens[index]
    return sorted(kept)
