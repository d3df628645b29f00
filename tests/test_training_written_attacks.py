"""The direct jailbreaks written by hand, and the harmless texts that look like them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from training.dedupe import grams
from training.written.records import WRITTEN, Record, read_folder, read_records

FOLDER = WRITTEN / "attacks"
KINDS = ("jailbreak", "benign")


def _files(kind: str) -> list[Path]:
    return sorted(FOLDER.glob(f"{kind}_*.txt"))


def _records(kind: str) -> list[Record]:
    return [record for path in _files(kind) for record in read_records(path)]


def _bare(text: str) -> str:
    """What is left of a text when case, punctuation and white space do not count."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"\W+", " ", folded).strip() or text


def test_the_name_of_every_file_tells_its_label() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {path.name for kind in KINDS for path in _files(kind)}


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_enough(kind: str) -> None:
    assert len(_records(kind)) >= 400


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_go_from_a_line_to_a_page(kind: str) -> None:
    words = sorted(len(record.text.split()) for record in _records(kind))
    assert words[len(words) // 10] <= 15
    assert 100 <= words[-10] <= words[-1] <= 400


def test_no_text_stands_twice() -> None:
    counts = Counter(_bare(record.text) for kind in KINDS for record in _records(kind))
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_two_texts_share_a_run_of_eight_words() -> None:
    texts = [record.text for kind in KINDS for record in _records(kind)]
    counts = Counter(gram for text in texts for gram in grams(text))
    assert [gram for gram, count in counts.items() if count > 1] == []


def test_marks_are_around_an_attack_in_a_longer_text() -> None:
    marked = [record for record in _records("jailbreak") if record.mark is not None]
    assert len(marked) >= 30
    for record in marked:
        assert record.mark is not None
        start, end = record.mark
        passage = record.text[start:end]
        assert passage == passage.strip()
        assert len(passage) >= 20
        assert len(passage) < len(record.text)


def test_harmless_texts_have_no_marks() -> None:
    assert all(record.mark is None for record in _records("benign"))


def test_nothing_is_a_header() -> None:
    assert all(record.header == {} for kind in KINDS for record in _records(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_tenth_is_kept_for_measuring(kind: str) -> None:
    kept = len(read_folder("attacks", f"{kind}_*.txt", measured=True))
    learnt = len(read_folder("attacks", f"{kind}_*.txt"))
    assert kept + learnt == len(_records(kind))
    assert 0.05 < kept / (kept + learnt) < 0.16
