"""The four steps in a row: from a text to what the classifiers read, with an account of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter_ns

import numpy as np
import numpy.typing as npt
import orjson

from pointsman_backends.compressor.apply import apply
from pointsman_backends.compressor.errors import RequestError
from pointsman_backends.compressor.prepare import ABBREVIATIONS, Sentences, prepare
from pointsman_backends.compressor.relevance import relevance
from pointsman_backends.compressor.retrieve import must_read, retrieve
from pointsman_backends.compressor.tokenizer import TokenizedText, Tokenizer
from pointsman_backends.patterns import Finding, scan
from pointsman_backends.repository import read_classifier, read_tokenizer

__all__ = ["Compressed", "Compressor"]

_FOUND_SHARE = 3  # sentences with findings are kept up to one third of the default budget


@dataclass(frozen=True)
class Compressed:
    """What the classifiers read of a text, and what is known of the rest.

    Attributes:
        input_ids: int64 [N], special tokens at both ends, N within the budget.
        token_offsets: int32 [N, 2], [start, end) in code points; (-1, -1) for special tokens.
        patterns: Findings of the pattern scan over the whole text, by position.
        tokens: Tokens of the whole text, without special ones.
        classified_tokens: Those of them in ``input_ids``.
        scanned_characters: Code points that the pattern scan saw; 0 if it failed.
        kept: [start, end) in code points of the stretches read, ascending, disjoint; int32 [K, 2].
        truncated: Whether something that had to be read was not: the text exceeds the models'
            maximum though the budget is -1, or sentences that are always kept exceed the budget.
        timings_us: Microseconds by step.
        errors: Checks that could not run, one line each.
    """

    input_ids: npt.NDArray[np.int64]
    token_offsets: npt.NDArray[np.int32]
    patterns: list[Finding]
    tokens: int
    classified_tokens: int
    scanned_characters: int
    kept: npt.NDArray[np.int32]
    truncated: bool
    timings_us: dict[str, int]
    errors: list[str]

    def findings(self) -> bytes:
        """The FINDINGS tensor: everything but the tensors, as JSON."""
        return orjson.dumps(
            {
                "patterns": [finding._asdict() for finding in self.patterns],
                "coverage": {
                    "tokens": self.tokens,
                    "classified_tokens": self.classified_tokens,
                    "scanned_characters": self.scanned_characters,
                    "kept": self.kept.tolist(),
                    "truncated": self.truncated,
                },
                "timings_us": self.timings_us,
                "errors": self.errors,
            }
        )


@dataclass
class _Clock:
    steps: dict[str, int] = field(default_factory=dict)
    _last: int = field(default_factory=perf_counter_ns)

    def lap(self, step: str) -> None:
        now = perf_counter_ns()
        self.steps[step] = self.steps.get(step, 0) + (now - self._last + 500) // 1000
        self._last = now


class Compressor:
    """Compresses texts for classifiers that share a tokenizer.

    Args:
        tokenizer: Their tokenizer.
        max_tokens: The longest input they take, special tokens included.
        default_budget: Tokens where a request names no budget, special tokens included.
        max_text_bytes: The longest text, in UTF-8 octets.
        scan: Finds personal data in UTF-8, with offsets in code points.

    Raises:
        ValueError: A limit leaves no room for text.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        max_tokens: int,
        *,
        default_budget: int = 512,
        max_text_bytes: int = 4 << 20,
        scan: Callable[[bytes], list[Finding]] = scan,
    ) -> None:
        self._tokenizer = tokenizer
        self._special = len(tokenizer.prefix) + len(tokenizer.suffix)
        for name, limit in [("max_tokens", max_tokens), ("default_budget", default_budget)]:
            if limit <= self._special:
                raise ValueError(f"{name} is {limit}; it must be over {self._special}")
        if not 0 < max_text_bytes < 2**31:
            raise ValueError(f"max_text_bytes is {max_text_bytes}; it must be in 1..2147483647")
        self._max_tokens = max_tokens
        self._default_budget = default_budget
        self._max_text_bytes = max_text_bytes
        self._scan = scan
        self._abbreviations = tokenizer.hash(ABBREVIATIONS.split())

    @classmethod
    def from_repository(
        cls,
        repository: Path,
        classifiers: Sequence[str],
        *,
        default_budget: int = 512,
        max_text_bytes: int = 4 << 20,
    ) -> Compressor:
        """Build the compressor for the classifiers of a model repository.

        Raises:
            ValueError: A classifier or its encoder is incomplete (RepositoryError), their
                tokenizers differ, or a limit leaves no room for text.
        """
        infos = [read_classifier(repository, name) for name in classifiers]
        return cls(
            Tokenizer(read_tokenizer(repository, infos)),
            min(info.max_tokens for info in infos),
            default_budget=default_budget,
            max_text_bytes=max_text_bytes,
        )

    def compress(
        self,
        utf8: bytes,
        message_offsets: npt.NDArray[np.int32] | Sequence[int] | None = None,
        budget: int = 0,
    ) -> Compressed:
        """Choose and encode what the classifiers read of a text.

        Args:
            utf8: The text: the contents of all messages, joined by newlines.
            message_offsets: Where each message begins, in code points, ascending from 0; None for
                a single message.
            budget: Most tokens to read, special ones included, at most the models' maximum; 0 for
                the default, -1 for the models' maximum.

        Raises:
            RequestError: The text is too long, is not UTF-8 or has nothing to read; the offsets or
                the budget are not as above.
        """
        if len(utf8) > self._max_text_bytes:
            raise RequestError(
                "too_large",
                f"the text has {len(utf8)} bytes; at most {self._max_text_bytes} are accepted",
            )
        room = self._room(budget)
        try:
            text = utf8.decode()
        except UnicodeDecodeError as error:
            raise RequestError(
                "invalid_text", f"the text is not UTF-8: {error.reason} at byte {error.start}"
            ) from error
        offsets = _check_offsets(message_offsets, len(text))
        clock = _Clock()
        tokenized = self._tokenizer.read(text)
        tokens = int(tokenized.counts.sum()) if len(tokenized.words) else 0
        if not tokens:
            raise RequestError("invalid_text", "the text is empty: no visible character in it")
        clock.lap("prepare")
        patterns: list[Finding] = []
        errors = []
        try:
            patterns = self._scan(utf8)
        except Exception as error:  # noqa: BLE001 - whatever it is, the decision must know
            errors.append(f"pattern scan failed: {type(error).__name__}: {error}")
        clock.lap("scan")
        if tokens <= room:
            truncated = False
            word_kept = np.ones(len(tokenized.words), np.bool_)
        else:
            word_kept, truncated = self._choose(tokenized, offsets, patterns, room, clock)
            truncated |= budget == -1
        read = apply(self._tokenizer, tokenized, word_kept, room)
        kept = read.kept
        if word_kept.all() and not read.cut:
            kept = np.array([[0, len(text)]], np.int32)
        clock.lap("apply")
        return Compressed(
            input_ids=read.input_ids,
            token_offsets=read.token_offsets,
            patterns=patterns,
            tokens=tokens,
            classified_tokens=len(read.input_ids) - self._special,
            scanned_characters=0 if errors else len(text),
            kept=kept,
            truncated=truncated or read.cut,
            timings_us={
                step: clock.steps.get(step, 0)
                for step in ("prepare", "relevance", "retrieve", "apply", "scan")
            },
            errors=errors,
        )

    def _room(self, budget: int) -> int:
        if budget == 0:
            budget = self._default_budget
        if budget == -1:
            budget = self._max_tokens
        if budget <= self._special:
            raise RequestError(
                "invalid_budget",
                f"the token budget is {budget}; it must be -1 (all), 0 (the default) or over "
                f"{self._special}, for {self._special} special tokens count to it",
            )
        return min(budget, self._max_tokens) - self._special

    def _choose(
        self,
        text: TokenizedText,
        offsets: npt.NDArray[np.int64],
        patterns: list[Finding],
        room: int,
        clock: _Clock,
    ) -> tuple[npt.NDArray[np.bool_], bool]:
        sentences = prepare(text, offsets, self._abbreviations)
        clock.lap("prepare")
        scores = relevance(sentences.terms)
        clock.lap("relevance")
        word_starts = text.words.normal.starts(text.words.starts)
        messages = np.searchsorted(word_starts, offsets)
        messages = messages[messages < len(word_starts)]
        last_message = int(_sentence_of(sentences, messages[-1:])[0]) if len(messages) else 0
        found = _sentences_with(patterns, sentences, word_starts)
        # Not of the request's own: then a larger budget could read fewer tokens.
        found_room = self._room(0) // _FOUND_SHARE
        forced = must_read(scores, sentences.tokens, last_message, found, found_room)
        kept = retrieve(scores, sentences.tokens, forced, room)
        sizes = np.diff(sentences.first_words, append=len(text.words))
        clock.lap("retrieve")
        return np.repeat(kept.sentences, sizes), kept.truncated


def _check_offsets(
    offsets: npt.NDArray[np.int32] | Sequence[int] | None, length: int
) -> npt.NDArray[np.int64]:
    if offsets is None:
        return np.zeros(1, np.int64)
    checked = np.asarray(offsets, np.int64).reshape(-1)
    if not len(checked) or checked[0] != 0:
        raise RequestError("invalid_offsets", "the message offsets must begin with 0")
    if (np.diff(checked) <= 0).any():
        raise RequestError("invalid_offsets", "the message offsets must ascend, each over the last")
    if checked[-1] > length:
        raise RequestError(
            "invalid_offsets",
            f"message offset {int(checked[-1])} is beyond the text of {length} characters",
        )
    return checked


def _sentence_of(sentences: Sentences, words: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.searchsorted(sentences.first_words, words, "right") - 1


def _sentences_with(
    patterns: list[Finding], sentences: Sentences, word_starts: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    spans = np.array([(finding.start, finding.end - 1) for finding in patterns], np.int64)
    words = np.maximum(np.searchsorted(word_starts, spans.reshape(-1, 2), "right") - 1, 0)
    touched = _sentence_of(sentences, words)
    opened = np.bincount(touched[:, 0], minlength=len(sentences) + 1)
    closed = np.bincount(touched[:, 1] + 1, minlength=len(sentences) + 1)
    return np.flatnonzero(np.cumsum(opened - closed)[:-1] > 0)
