"""``pointsman explain``: compress a prompt here, and show what became of each sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from google.protobuf import text_format
from rich.console import Console
from rich.text import Text
from tritonclient.grpc import model_config_pb2

from pointsman import paths
from pointsman.chat import ChatText
from pointsman.errors import ModelLoadError, PackageNotFoundError, RequestError

if TYPE_CHECKING:
    from pointsman_backends.compressor.pipeline import Compressor, Explained

__all__ = [
    "Piece",
    "as_json",
    "explain",
    "fates",
    "load_compressor",
    "pieces",
    "show",
    "show_summary",
    "summary",
    "visible",
]

_MODEL = "compressor"
_BEST_DROPPED = 10

_FATES = {"kept": "bold green", "cut": "bold yellow", "dropped": "dim"}
_HEAT = ("dim", "", "yellow", "red")  # by quarters of what a signal can be

# A terminal would act on them, and a reader of a page not see them: the C0 controls have pictures.
_CONTROLS = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n\r"}
_CONTROLS[0x7F] = "␡"
# C1 controls, and those that turn the direction of the text that follows.
for _code in (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)):
    _CONTROLS[_code] = f"⟨U+{_code:04X}⟩"


class Piece(NamedTuple):
    """A stretch of the text to be shown once.

    Attributes:
        start, end: [start, end) in code points.
        sentence: The one it is shown as a part of; -1 for what stands between sentences.
        read: Whether the classifiers read it.
    """

    start: int
    end: int
    sentence: int
    read: bool


def load_compressor(repository: Path | None = None, profile: str | None = None) -> Compressor:
    """Build the compressor of a model repository, with the parameters that Triton gives it.

    Args:
        repository: Directory of models; default: see `paths.model_repository`.
        profile: The one to use in place of that in the compressor's ``config.pbtxt``; single
            weights that are set there hold with either.

    Raises:
        RequestError: There is no such profile.
        PackageNotFoundError: The extra `backends` is not installed.
        SetupError: There is no such repository, or a model in it is not in order.
    """
    folder = paths.model_repository(repository)
    try:
        from pointsman_backends.compressor import PROFILES, Compressor
    except ModuleNotFoundError as error:
        raise PackageNotFoundError(error.name or "tokenizers", "backends") from None
    if profile is not None and profile not in PROFILES:
        raise RequestError(f'there is no profile "{profile}"; take one of {", ".join(PROFILES)}')
    path = folder / _MODEL / "config.pbtxt"
    try:
        config = text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())
        value = {name: entry.string_value for name, entry in config.parameters.items()}
        if profile is not None:
            value["profile"] = profile
        return Compressor.from_parameters(folder, value)
    except KeyError as error:
        raise ModelLoadError(_MODEL, f"{path} lacks the parameter {error}") from None
    except (OSError, ValueError, text_format.ParseError) as error:
        raise ModelLoadError(_MODEL, " ".join(f"{path}: {error}".split())) from None


def explain(compressor: Compressor, chat: ChatText, budget: int | None = None) -> Explained:
    """Compress a prompt, and account for each sentence.

    Args:
        compressor: As of `load_compressor`.
        chat: The prompt.
        budget: Most tokens to read: None for the default, -1 for the models' maximum.

    Raises:
        RequestError: The compressor does not take the text or the budget.
    """
    from pointsman_backends.compressor import RequestError as Refused

    try:
        return compressor.explain(chat.utf8, chat.message_offsets, budget or 0)
    except Refused as error:
        raise RequestError(str(error)) from None


def pieces(explained: Explained, length: int) -> list[Piece]:
    """Cut a text so that each stretch of it is shown once, though sentences may overlap.

    What several sentences share goes to the one that is kept, of such to the best scored, of such
    to the first. The pieces in a row are the text.

    Args:
        explained: Of the text.
        length: Code points of the text.
    """
    spans, stretches = explained.spans, explained.compressed.kept
    edges = np.unique(np.concatenate([spans.ravel(), stretches.ravel(), [0, length]]))
    owner = np.full(len(edges) - 1, -1, np.int64)
    begins, ends = np.searchsorted(edges, spans.T)
    # The last to paint a stretch owns it.
    for sentence in np.lexsort((-np.arange(len(spans)), explained.scores, explained.kept)).tolist():
        owner[begins[sentence] : ends[sentence]] = sentence
    read = np.zeros(len(edges) - 1, np.bool_)
    for begin, end in np.searchsorted(edges, stretches).tolist():
        read[begin:end] = True
    changes = np.flatnonzero(np.diff(2 * owner + read, prepend=-4))
    starts = edges[changes].tolist()
    return [
        Piece(*piece)
        for piece in zip(
            starts,
            [*starts[1:], length],
            owner[changes].tolist(),
            read[changes].tolist(),
            strict=True,
        )
    ]


def visible(text: str) -> str:
    """Replace what a terminal would act on, and what turns text, by signs for it."""
    return text.translate(_CONTROLS)


def fates(explained: Explained, parts: list[Piece]) -> list[str]:
    """Return what became of each sentence: ``kept``, ``cut`` (read in part) or ``dropped``."""
    fates = ["kept" if kept else "dropped" for kept in explained.kept.tolist()]
    for part in parts:
        if part.sentence >= 0 and not part.read and explained.kept[part.sentence]:
            fates[part.sentence] = "cut"
    return fates


def summary(explained: Explained) -> dict[str, str]:
    """Return what is to be said of the whole prompt, a line for each title."""
    compressed = explained.compressed
    share = compressed.classified_tokens / compressed.tokens
    lines = {
        "read": f"{compressed.classified_tokens:,} of {compressed.tokens:,} tokens ({share:.1%}), "
        f"{int(explained.kept.sum()):,} of {len(explained.kept):,} sentences",
    }
    if compressed.truncated:
        lines["truncated"] = "text that had to be read was not: it exceeds the budget"
    if compressed.errors:
        lines["errors"] = "; ".join(compressed.errors)
    if compressed.patterns:
        counts: dict[str, int] = {}
        for finding in compressed.patterns:
            counts[finding.type] = counts.get(finding.type, 0) + 1
        lines["patterns"] = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    steps = ", ".join(f"{name} {us / 1e3:.1f}" for name, us in compressed.timings_us.items())
    total = sum(compressed.timings_us.values()) / 1e3
    lines["time"] = f"{total:.1f} ms, not warmed up as a server is; by step: {steps}"
    return lines


def as_json(explained: Explained, chat: ChatText) -> dict[str, Any]:
    """Return all there is to be shown as plain values; offsets are code points of ``text``."""
    compressed = explained.compressed
    return {
        "text": chat.text,
        "tokens": compressed.tokens,
        "classified_tokens": compressed.classified_tokens,
        "kept": compressed.kept.tolist(),
        "truncated": compressed.truncated,
        "timings_us": compressed.timings_us,
        "errors": compressed.errors,
        "sentences": [
            {
                "start": start,
                "end": end,
                "tokens": tokens,
                "score": score,
                **dict(zip(explained.signals, signals, strict=True)),
                "kept": kept,
                "reason": why,
            }
            for (start, end), tokens, score, signals, kept, why in zip(
                explained.spans.tolist(),
                explained.tokens.tolist(),
                explained.scores.tolist(),
                np.stack(list(explained.signals.values()), axis=1).tolist(),
                explained.kept.tolist(),
                explained.reasons,
                strict=True,
            )
        ],
    }


def show(console: Console, explained: Explained, text: str, *, everything: bool = False) -> None:
    """Print the sentences with their scores, in order of the text.

    Args:
        console: Where to.
        explained: Of the text.
        text: What was explained.
        everything: Print all of it. Otherwise the sentences that are kept and the best of the
            others, with a count of the rest.
    """
    shown = np.ones(len(explained.kept), np.bool_)
    if not everything:
        dropped = np.flatnonzero(~explained.kept)
        best = dropped[np.argsort(-explained.scores[dropped], kind="stable")]
        shown[best[_BEST_DROPPED:]] = False
    parts = pieces(explained, len(text))
    became = fates(explained, parts)
    names = "".join(f"{name:>9}" for name in explained.signals)
    _print(console, Text(f"{'':7}{'total':>6}{names}{'tokens':>8}  why", "bold"))
    hidden = 0
    for sentence, line in _rows(explained, parts, text):
        if sentence < 0:
            if everything and line.plain.strip():
                _print(console, line)
        elif not shown[sentence]:
            hidden += 1
        else:
            _print_hidden(console, hidden)
            hidden = 0
            _print(console, _figures(explained, sentence, became[sentence]))
            _print(console, line)
    _print_hidden(console, hidden)


def show_summary(console: Console, explained: Explained) -> None:
    """Print what is to be said of the whole prompt."""
    _print(console, Text())
    for title, line in summary(explained).items():
        style = "yellow" if title in ("truncated", "errors") else ""
        _print(console, Text.assemble((f"{title:11}", "dim"), (visible(line), style)))


def _rows(explained: Explained, parts: list[Piece], text: str) -> Iterator[tuple[int, Text]]:
    """Yield every sentence with its stretch of the text, and what stands between them (-1)."""
    unseen = set(range(len(explained.kept))) - {part.sentence for part in parts}
    rows = [list(row) for _, row in groupby(parts, attrgetter("sentence"))]
    # Windows of which the neighbours show all.
    rows += [[Piece(start := int(explained.spans[nth, 0]), start, nth, False)] for nth in unseen]
    for row in sorted(rows):
        line = Text()
        for part in row:
            stretch = re.sub(r"\s+", " ", visible(text[part.start : part.end]))
            line.append(stretch, "" if part.read else "dim")
        yield row[0].sentence, line


def _figures(explained: Explained, sentence: int, fate: str) -> Text:
    line = Text()
    line.append(f"{fate:7}", _FATES[fate])
    line.append(f"{explained.scores[sentence]:6.3f}", "bold")
    for signal in explained.signals.values():
        value = float(signal[sentence])
        line.append(f"{value:9.3f}", _HEAT[min(int(value * len(_HEAT)), len(_HEAT) - 1)])
    line.append(f"{explained.tokens[sentence]:8,}")
    line.append(f"  {explained.reasons[sentence]}", "cyan")
    return line


def _print_hidden(console: Console, count: int) -> None:
    if count:
        noun = "sentence" if count == 1 else "sentences"
        _print(console, Text(f"... {count:,} more {noun} dropped (see --all)", "italic dim"))


def _print(console: Console, line: Text) -> None:
    console.print(line, soft_wrap=True, markup=False, emoji=False, highlight=False)
