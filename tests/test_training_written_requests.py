"""The requests written by hand: they parse, carry a known label, and no two are alike."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

import pytest

from training.written.records import WRITTEN, Record, held_out, read_records

FOLDER = WRITTEN / "requests"
FILES = sorted(FOLDER.glob("*.txt"))


def _records(label: str) -> list[Record]:
    return [r for path in FILES if path.name.startswith(f"{label}_") for r in read_records(path)]


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.lower()))


def test_every_file_is_named_by_its_label() -> None:
    assert FILES
    assert {path.name.partition("_")[0] for path in FILES} == {"benign", "harmful"}


@pytest.mark.parametrize(("label", "least"), [("harmful", 700), ("benign", 1400)])
def test_there_are_enough(label: str, least: int) -> None:
    assert len(_records(label)) >= least


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_records_are_plain_requests(path: Path) -> None:
    for record in read_records(path):
        assert record.mark is None, record.text
        assert not record.header, record.text
        assert record.text == record.text.strip()
        assert "\ufffd" not in record.text
        assert 2 <= len(record.text) <= 2000, record.text


def test_none_is_there_twice() -> None:
    seen = Counter(_words(r.text) for label in ("benign", "harmful") for r in _records(label))
    assert [" ".join(words) for words, count in seen.items() if count > 1] == []


def test_no_two_share_eight_words_in_a_row() -> None:
    first: dict[tuple[str, ...], str] = {}
    shared = []
    for label in ("benign", "harmful"):
        for record in _records(label):
            words = _words(record.text)
            for run in {words[i : i + 8] for i in range(len(words) - 7)}:
                if first.setdefault(run, record.text) != record.text:
                    shared.append(" ".join(run))
    assert shared == []


def test_neighbours_in_a_file_differ_in_skeleton() -> None:
    alike = []
    for path in FILES:
        texts = [_words(record.text) for record in read_records(path)]
        for before, after in pairwise(texts):
            if min(len(before), len(after)) < 5:
                continue
            if SequenceMatcher(None, before, after, autojunk=False).ratio() > 0.6:
                alike.append((" ".join(before), " ".join(after)))
    assert alike == []


@pytest.mark.parametrize("label", ["harmful", "benign"])
def test_openings_vary(label: str) -> None:
    openings = Counter(_words(record.text)[:2] for record in _records(label))
    commonest, count = openings.most_common(1)[0]
    assert count <= 0.08 * openings.total(), (commonest, count)


@pytest.mark.parametrize("label", ["harmful", "benign"])
def test_about_a_tenth_is_held_out(label: str) -> None:
    records = _records(label)
    assert 0.06 < sum(map(held_out, records)) / len(records) < 0.14
