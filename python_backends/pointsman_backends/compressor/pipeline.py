"""The four steps in a row: from a text to what the classifiers read, with an account of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter_ns
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import orjson

from pointsman_backends.compressor import native
from pointsman_backends.compressor.alarm import is_surely_attack
from pointsman_backends.compressor.apply import ModelInput, apply
from pointsman_backends.compressor.characters import DIGIT
from pointsman_backends.compressor.duplicates import near_duplicates
from pointsman_backends.compressor.errors import RequestError
from pointsman_backends.compressor.placement import CPU, Device, Schedule, namespace
from pointsman_backends.compressor.prepare import ABBREVIATIONS, Runs, Sentences, prepare
from pointsman_backends.compressor.profiles import Profile, profile_from_parameters
from pointsman_backends.compressor.relevance import position, term_signals, weigh
from pointsman_backends.compressor.retrieve import Forced, Kept, best_within, retrieve
from pointsman_backends.compressor.risk import PERSONAL, RiskModel
from pointsman_backends.compressor.risk_signal import RiskSignals
from pointsman_backends.compressor.rows import TermCounts, stretches
from pointsman_backends.compressor.tokenizer import TokenizedText, Tokenizer
from pointsman_backends.compressor.words import Words
from pointsman_backends.patterns import Finding, scan
from pointsman_backends.repository import read_classifier, read_tokenizer

__all__ = ["Compressed", "Compressor", "Explained"]

_Result = TypeVar("_Result")

_BESIDE = 0.7  # of the risk of a sentence, what its neighbours have of it
_RISKIER = 0.1  # than the sentence it resembles: then it is no repetition of that
_DIGITS_SOUGHT = 4  # characters of a word in which a digit makes it a number


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
        devices: ``cpu`` or ``gpu`` by step, of those that have a choice and ran.
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
    devices: dict[str, str] = field(default_factory=dict)

    def findings(self) -> bytes:
        """The FINDINGS tensor: everything but the tensors and the devices, as JSON."""
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


@dataclass(frozen=True)
class Explained:
    """Why the sentences of a text were kept, or not.

    Attributes:
        compressed: What the classifiers read.
        spans: [start, end) of each sentence in code points, int32 [S, 2]. Neighbours that are
            windows of one long sentence overlap.
        tokens: Tokens of each, int64 [S].
        signals: ``textrank``, ``position``, ``density``, ``novelty``, ``risk`` and ``personal`` of
            each, in [0, 1], float64 [S].
        scores: Their weighted sum, float64 [S].
        kept: Whether each was kept, bool [S].
        reasons: Why each was kept (``whole text``, ``last``, ``last message``, ``first``, ``risk``,
            ``personal``, ``pattern``, ``score``) or not (``duplicate``, ``no room``).
    """

    compressed: Compressed
    spans: npt.NDArray[np.int32]
    tokens: npt.NDArray[np.int64]
    signals: dict[str, npt.NDArray[np.float64]]
    scores: npt.NDArray[np.float64]
    kept: npt.NDArray[np.bool_]
    reasons: list[str]


@dataclass(frozen=True)
class _Analysis:
    """The sentences of a text, and what is thought of each; on the host but for two.

    Attributes:
        text: The text, where it was scored.
        counts: The terms of its sentences, there.
        sentences: S sentences.
        repeats: The earlier sentence that each repeats, or itself; int64 [S].
        signals: float64 [S] each.
        scores: float64 [S].
    """

    text: TokenizedText
    counts: TermCounts
    sentences: Runs
    repeats: npt.NDArray[np.int64]
    signals: dict[str, npt.NDArray[np.float64]]
    scores: npt.NDArray[np.float64]

    @property
    def repeated(self) -> npt.NDArray[np.bool_]:
        """Which repeat an earlier one, bool [S]."""
        repeated: npt.NDArray[np.bool_] = self.repeats != np.arange(len(self.repeats))
        return repeated


@dataclass
class _Clock:
    steps: dict[str, int] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
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
        profile: What it values in a sentence.
        risk: Marks what may be an attack; None for the shipped model.
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
        profile: Profile | None = None,
        risk: RiskModel | None = None,
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
        self._profile = profile or Profile()
        self._weights = self._profile.weights()
        self._schedule = Schedule.load()
        models = {"risk": risk or RiskModel.load(), "personal": RiskModel.load(PERSONAL)}
        self._thresholds = {name: model.threshold for name, model in models.items()}
        self._risks = RiskSignals(models, tokenizer.vocabulary)
        self._abbreviations = tokenizer.hash(ABBREVIATIONS.split())

    @classmethod
    def from_repository(
        cls,
        repository: Path,
        classifiers: Sequence[str],
        *,
        default_budget: int = 512,
        max_text_bytes: int = 4 << 20,
        profile: Profile | None = None,
    ) -> Compressor:
        """Build the compressor for the classifiers of a model repository.

        Raises:
            ValueError: A classifier or its encoder is incomplete (RepositoryError), their
                tokenizers differ, the weights of the risk signal are wrong, or a limit leaves no
                room for text.
        """
        infos = [read_classifier(repository, name) for name in classifiers]
        return cls(
            Tokenizer(read_tokenizer(repository, infos)),
            min(info.max_tokens for info in infos),
            default_budget=default_budget,
            max_text_bytes=max_text_bytes,
            profile=profile,
        )

    @classmethod
    def from_parameters(cls, repository: Path, parameters: Mapping[str, str]) -> Compressor:
        """Build the compressor of a model repository from the parameters in its ``config.pbtxt``.

        Args:
            repository: The model repository.
            parameters: Values by name. A model has others, too: they are not looked at.

        Raises:
            KeyError: A parameter is missing.
            ValueError: As ``from_repository``, or a value is not what it must be.
        """
        return cls.from_repository(
            repository,
            [name.strip() for name in parameters["classifiers"].split(",")],
            default_budget=int(parameters["default_budget"]),
            max_text_bytes=int(parameters["max_text_bytes"]),
            profile=profile_from_parameters(parameters),
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
        return self._with_or_without_gpu(lambda: self._compress(utf8, text, offsets, budget, room))

    def _compress(
        self, utf8: bytes, text: str, offsets: npt.NDArray[np.int64], budget: int, room: int
    ) -> Compressed:
        clock = _Clock()
        tokenized = self._read(text, clock)
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
            chosen = np.arange(len(tokenized.words))
        else:
            analysis = self._analyse(tokenized, offsets, clock)
            tokenized = analysis.text
            kept_sentences = self._choose(analysis, offsets, patterns, room, clock)
            chosen = _words_of(analysis.sentences, kept_sentences.sentences)
            truncated = kept_sentences.truncated or budget == -1
            clock.lap("retrieve")

        def applied(
            device: Device, text: TokenizedText, words: npt.NDArray[np.int64]
        ) -> ModelInput:
            clock.devices["apply"] = device.name
            return apply(self._tokenizer, text, words, room)

        read = self._schedule.run("apply", len(chosen), applied, tokenized, chosen)
        kept = read.kept
        if len(chosen) == len(tokenized.words) and not read.cut:
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
            devices=clock.devices,
        )

    def explain(
        self,
        utf8: bytes,
        message_offsets: npt.NDArray[np.int32] | Sequence[int] | None = None,
        budget: int = 0,
    ) -> Explained:
        """Compress a text, and say of each sentence why it was kept or not.

        Takes and raises what ``compress`` does.
        """
        compressed = self.compress(utf8, message_offsets, budget)
        text = utf8.decode()
        offsets = _check_offsets(message_offsets, len(text))
        return self._with_or_without_gpu(
            lambda: self._explain(compressed, text, offsets, self._room(budget))
        )

    def _explain(
        self, compressed: Compressed, text: str, offsets: npt.NDArray[np.int64], room: int
    ) -> Explained:
        clock = _Clock()
        analysis = self._analyse(self._read(text, clock), offsets, clock)
        sentences = analysis.sentences
        if compressed.tokens <= room:
            kept = np.ones(len(sentences), np.bool_)
            reasons = ["whole text"] * len(sentences)
        else:
            chosen = self._choose(analysis, offsets, compressed.patterns, room, clock)
            kept = chosen.sentences
            reasons = [
                chosen.reasons.get(nth, "duplicate" if repeated else "no room")
                for nth, repeated in enumerate(analysis.repeated.tolist())
            ]
        words = analysis.text.words
        return Explained(
            compressed,
            CPU.put(words.spans(sentences.first_words, sentences.end_words - 1)),
            sentences.tokens,
            analysis.signals,
            analysis.scores,
            kept,
            reasons,
        )

    def surely_attacks(self, texts: Sequence[str]) -> bool:
        """Whether one of some texts is an attack for certain, by the risk of its sentences alone.

        Nearly always False, for attacks, too. May be called by several threads at once.

        Args:
            texts: Without lone surrogates. When they are over the limit together they are not
                read: the request that holds them will be refused.
        """
        lengths = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
        if int(lengths.sum()) > self._max_text_bytes + 1:
            return False
        tokenized = self._tokenizer.read("\n".join(texts))
        words = tokenized.words
        if not len(words):
            return False
        offsets = np.cumsum(lengths) - lengths
        sentences = prepare(tokenized, offsets, self._abbreviations)
        risks = self._risks.risks(words, self._risks.look_up(words), sentences)
        starts = words.normal.starts(words.starts[sentences.first_words])
        which = np.searchsorted(offsets, starts, "right") - 1
        return is_surely_attack(risks["risk"], sentences, which)

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

    def _with_or_without_gpu(self, work: Callable[[], _Result]) -> _Result:
        """Do some work, and do it anew on the CPU if a GPU fails for good.

        A step that fails there is done again on the CPU by itself, with what was computed before;
        unless the GPU no longer gives that up.
        """
        try:
            return work()
        except RequestError:
            raise
        except Exception:
            if not self._schedule.give_up("a request"):
                raise
        return work()

    def _read(self, text: str, clock: _Clock) -> TokenizedText:
        def read(device: Device) -> TokenizedText:
            clock.devices["prepare"] = device.name
            return self._tokenizer.read(text, device)

        return self._schedule.run("prepare", len(text), read)

    def _analyse(
        self, text: TokenizedText, offsets: npt.NDArray[np.int64], clock: _Clock
    ) -> _Analysis:
        def prepared(device: Device, text: TokenizedText) -> tuple[TokenizedText, Sentences]:
            clock.devices["prepare"] = device.name
            return text, prepare(text, offsets, self._abbreviations)

        def scored(device: Device, text: TokenizedText, sentences: Sentences) -> _Analysis:
            clock.devices["relevance"] = device.name
            return self._score(text, sentences)

        length = text.words.normal.length
        text, sentences = self._schedule.run("prepare", length, prepared, text)
        clock.lap("prepare")
        entries = sentences.counts.nnz
        analysis = self._schedule.run("relevance", entries, scored, text, sentences)
        clock.lap("relevance")
        return analysis

    def _score(self, text: TokenizedText, sentences: Sentences) -> _Analysis:
        xp = namespace(text.counts)
        lexical = self._risks.look_up(text.words)
        risks = self._risks.risks(text.words, lexical, sentences)
        risk = risks["risk"]
        keys = xp.asarray(lexical[0])
        repeats = CPU.put(near_duplicates(sentences.counts, keys, _is_name(text.words)))
        # What is riskier than the sentence that it repeats is no mere repetition.
        (riskier,) = (risk > risk[repeats] + _RISKIER).nonzero()
        repeats[riskier] = riskier
        # Repetitions buy no rank: signals are those of the sentences without them.
        is_once = repeats == np.arange(len(repeats))
        (once,), which = is_once.nonzero(), (is_once.cumsum() - 1)[repeats]
        signals = term_signals(sentences.counts, xp.asarray(once))
        signals = {name: signal[which] for name, signal in signals.items()}
        places = repeats / max(len(repeats) - 1, 1)
        signals["position"] = position(places, self._profile.position_depth)
        signals |= risks
        signals = {name: signals[name] for name in self._weights}
        # What stands beside a sentence that tells something is read with it.
        told = {name: _spread(signal) for name, signal in risks.items()}
        scores = weigh(signals | told, self._weights)
        runs = CPU.put(sentences.runs)
        return _Analysis(text, sentences.counts, runs, repeats, signals, scores)

    def _choose(
        self,
        analysis: _Analysis,
        offsets: npt.NDArray[np.int64],
        patterns: list[Finding],
        room: int,
        clock: _Clock,
    ) -> Kept:
        sentences, scores, repeated = analysis.sentences, analysis.scores, analysis.repeated
        words = analysis.text.words
        tokens, profile = sentences.tokens, self._profile
        # Shares are of the default budget: with those of the request's own, a larger one could
        # read fewer tokens.
        shared_room = self._room(0)

        def best(
            some: npt.NDArray[np.int64], value: npt.NDArray[np.float64], share: float
        ) -> list[int]:
            return best_within(some, value, tokens, int(share * shared_room))

        risk, personal = analysis.signals["risk"], analysis.signals["personal"]
        (attacks,) = ((risk >= self._thresholds["risk"]) & ~repeated).nonzero()
        (persons,) = ((personal >= self._thresholds["personal"]) & ~repeated).nonzero()
        found = _sentences_with(patterns, sentences, words)
        found = found[~repeated[found]]
        risky = [Forced(nth, "risk") for nth in best(attacks, risk, profile.risk_share)]
        telling = [
            *(
                Forced(nth, "personal", False)
                for nth in best(persons, personal, profile.personal_share)
            ),
            *(Forced(nth, "pattern", False) for nth in best(found, scores, profile.pattern_share)),
        ]
        edges, around = _always_read(
            sentences,
            offsets,
            words,
            shared_room // 2,
            int(profile.ends_share * shared_room),
        )
        forced = risky[:1] + edges + risky[1:] + around + telling

        def retrieved(device: Device, counts: TermCounts) -> Kept:
            clock.devices["retrieve"] = device.name
            return retrieve(
                scores,
                tokens,
                sentences.shared,
                counts,
                forced,
                repeated,
                room,
                profile.redundancy_penalty,
            )

        entries = analysis.counts.nnz
        kept = self._schedule.run("retrieve", entries, retrieved, analysis.counts)
        lost = not kept.sentences[attacks].all()
        return dataclasses.replace(kept, truncated=kept.truncated or lost)


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


def _spread(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Raise each sentence to a share of its neighbours' value, float64 [S]."""
    spread, share = signal.copy(), _BESIDE * signal
    np.maximum(spread[1:], share[:-1], out=spread[1:])
    np.maximum(spread[:-1], share[1:], out=spread[:-1])
    return spread


def _is_name(words: Words) -> npt.NDArray[np.bool_]:
    """Which of the distinct words are no numbers, bool [V]."""
    if library := native.reads(words.starts):
        are_names = np.empty(len(words.distinct), np.bool_)
        library.pointsman_are_names(
            native.address(words.normal.properties),
            native.address(words.starts),
            native.address(words.ends),
            native.address(words.examples),
            len(words.distinct),
            _DIGITS_SOUGHT,
            native.address(are_names),
        )
        return are_names
    xp = namespace(words.starts)
    starts, ends = words.starts[words.examples], words.ends[words.examples]
    number: npt.NDArray[np.bool_] = xp.zeros(len(starts), np.bool_)
    for nth in range(_DIGITS_SOUGHT):
        at = xp.minimum(starts + nth, ends - 1)
        number |= (words.normal.properties[at] & DIGIT) != 0
    return ~number


def _always_read(
    sentences: Runs,
    offsets: npt.NDArray[np.int64],
    words: Words,
    last_message_room: int,
    ends_room: int,
) -> tuple[list[Forced], list[Forced]]:
    """The sentences that are read for their place, the most important first.

    Returns:
        The last, the first of the last message and the first of all; then the rest of the last
        message, if it is one of several and not longer than ``last_message_room`` tokens, and what
        stands next to the last and to the first, as far as it fits: two thirds of ``ends_room``
        tokens are for the end, where the question mostly is.
    """
    tokens, count = sentences.tokens, len(sentences)
    messages = CPU.put(words.begun_before(offsets))
    messages = messages[messages < len(words)]
    begin = int(_sentence_of(sentences, messages[-1:])[0]) if len(messages) else 0
    edges = [Forced(count - 1, "last"), Forced(0, "first")]
    around: list[tuple[int, str]] = []
    if begin:
        edges.insert(1, Forced(begin, "last message"))
        if int(tokens[begin:].sum()) <= last_message_room:
            around += [(nth, "last message") for nth in range(begin + 1, count - 1)]
    at_end = _fitting(tokens[::-1], 2 * ends_room // 3)
    at_start = _fitting(tokens, ends_room // 3)
    around += [(count - 1 - nth, "last") for nth in range(1, at_end)]
    around += [(nth, "first") for nth in range(1, at_start)]
    return edges, [Forced(nth, reason, essential=False) for nth, reason in around]


def _fitting(tokens: npt.NDArray[np.int64], room: int) -> int:
    """How many of the first of some sentences have up to ``room`` tokens together."""
    # Nearly every sentence has a token, and more of them hardly fit.
    return int(tokens[: room + 1].cumsum().searchsorted(room, "right"))


def _words_of(sentences: Runs, kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Indices of the words that are in a sentence that is kept, ascending, int64 [W]."""
    first, end = sentences.first_words[kept], sentences.end_words[kept]
    np.maximum(first[1:], end[:-1], out=first[1:])  # windows share words
    _, words = stretches(first, end - first)
    return words


def _sentence_of(sentences: Runs, words: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.searchsorted(sentences.first_words, words, "right") - 1


def _sentences_with(
    patterns: list[Finding], sentences: Runs, words: Words
) -> npt.NDArray[np.int64]:
    """Sentences that a finding touches, ascending, int64 [F]."""
    if not patterns:
        return np.zeros(0, np.int64)
    # Code points after the first and the last of each.
    bounds = np.array([(finding.start + 1, finding.end) for finding in patterns], np.int64)
    touched = np.maximum(CPU.put(words.begun_before(bounds)) - 1, 0)
    first = np.searchsorted(sentences.end_words, touched[:, 0], "right")
    last = _sentence_of(sentences, touched[:, 1])
    opened = np.bincount(first, minlength=len(sentences) + 1)
    closed = np.bincount(last + 1, minlength=len(sentences) + 1)
    return np.flatnonzero(np.cumsum(opened - closed)[:-1] > 0)
