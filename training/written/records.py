"""Texts written for training: plain files under training/written/, one folder a topic.

A file holds records parted by a line of ``====``. A record may begin with header lines
``key: value``; only keys the reader asks for are header lines, so that a letter may begin with
``From: ...``. One passage of a record may be marked by ⟦ and ⟧ (the attack in a document, say); the
marks are not part of the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.dedupe import bucket

__all__ = ["WRITTEN", "Record", "held_out", "parse_records", "read_folder", "read_records"]

WRITTEN = Path(__file__).parent
OPEN, CLOSE = "⟦", "⟧"


@dataclass(frozen=True, slots=True)
class Record:
    """One written text.

    Attributes:
        text: Without header and marks, and without blank lines around it.
        mark: Code points [start, end) of the marked passage in ``text``; None where none is marked.
        header: The header lines by key.
    """

    text: str
    mark: tuple[int, int] | None
    header: dict[str, str]


def _record(lines: list[str], keys: Sequence[str]) -> Record:
    header: dict[str, str] = {}
    while lines:
        key, colon, value = lines[0].partition(":")
        if lines[0].strip() and not (colon and key in keys):
            break
        if colon:
            header[key] = value.strip()
        lines = lines[1:]
    marked = "\n".join(lines).rstrip()
    if not marked:
        raise ValueError("the record is empty")
    start, end = marked.find(OPEN), marked.find(CLOSE)
    if start == end == -1:
        return Record(marked, None, header)
    if marked.count(OPEN) != 1 or marked.count(CLOSE) != 1 or end <= start + 1:
        raise ValueError(f"a record has one {OPEN}passage{CLOSE} at most")
    text = marked[:start] + marked[start + 1 : end] + marked[end + 1 :]
    return Record(text, (start, end - 1), header)


def parse_records(content: str, keys: Sequence[str] = ("label",)) -> list[Record]:
    """The records of one file.

    Args:
        content: The file's text.
        keys: What may stand in header lines.

    Returns:
        Records in the order of the file.

    Raises:
        ValueError: A record is empty, or its marks do not enclose exactly one passage.
    """
    records = []
    for number, part in enumerate(re.split(r"(?m)^====$\n?", content.strip("\n")), 1):
        try:
            records.append(_record(part.strip("\n").split("\n"), keys))
        except ValueError as error:
            first = next((line for line in part.split("\n") if line.strip()), "")[:60]
            raise ValueError(f"record {number} ({first!r}): {error}") from error
    return records


def read_records(path: Path, keys: Sequence[str] = ("label",)) -> list[Record]:
    """The records of the file at ``path``; see `parse_records`.

    Raises:
        ValueError: A record does not parse; the message names the file and the record.
    """
    try:
        return parse_records(path.read_text(encoding="utf-8"), keys)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def held_out(record: Record) -> bool:
    """Whether this record is among the tenth that is kept for measuring."""
    return bucket(record.text, 10) == 0


def read_folder(
    topic: str, pattern: str = "*.txt", keys: Sequence[str] = ("label",), *, measured: bool = False
) -> list[Record]:
    """The training share of the records in training/written/``topic``, or the held-out tenth.

    Args:
        topic: Folder under training/written/.
        pattern: Which of its files, as for `pathlib.Path.glob`; read in the order of their names.
        keys: What may stand in header lines.
        measured: Give the held-out tenth instead of the training share.

    Raises:
        ValueError: A record does not parse.
    """
    paths = sorted((WRITTEN / topic).glob(pattern))
    records = [record for path in paths for record in read_records(path, keys)]
    return [record for record in records if held_out(record) == measured]
