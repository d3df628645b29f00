"""Written texts: the record format, and the documents with planted instructions."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.written.records import WRITTEN, held_out, parse_records, read_folder, read_records

FILES = sorted((WRITTEN / "indirect").glob("*.txt"))
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="⟦⟧=\r"), min_size=1).map(
    lambda text: f"x{text}x"
)


@given(st.lists(st.tuples(PLAIN, PLAIN, PLAIN), min_size=1, max_size=4))
def test_marks_are_removed_and_their_offsets_are_exact(parts: list[tuple[str, str, str]]) -> None:
    content = "\n====\n".join(f"{a}⟦{b}⟧{c}" for a, b, c in parts)
    records = parse_records(content, keys=())
    assert [record.text for record in records] == ["".join(part) for part in parts]
    for record, (_, passage, _) in zip(records, parts, strict=True):
        assert record.mark is not None
        assert record.text[slice(*record.mark)] == passage


def test_only_asked_keys_are_header_lines() -> None:
    content = "label: law\nFrom: a\n\nbody\n====\n\nFrom: b\n"
    first, second = parse_records(content)
    assert (first.text, first.header) == ("From: a\n\nbody", {"label": "law"})
    assert (second.text, second.header) == ("From: b", {})


def test_indentation_of_the_first_line_stays() -> None:
    assert parse_records("    indented\n").pop().text == "    indented"


@pytest.mark.parametrize("bad", ["a ⟦b", "a b⟧", "⟦a⟧ ⟦b⟧", "a⟧ ⟦b", "a ⟦⟧", "a\n====\n\n====\nb"])
def test_bad_records_are_named(bad: str) -> None:
    with pytest.raises(ValueError, match=r"record \d"):
        parse_records(bad)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_text("fine\n====\nnot ⟦fine")
    with pytest.raises(ValueError, match=r"some\.txt: record 2 \('not"):
        read_records(path)


def test_attack_files_mark_each_plant_and_benign_files_mark_nothing() -> None:
    assert FILES
    for path in FILES:
        for record in read_records(path):
            assert (record.mark is None) == path.name.startswith("benign"), record.text[:80]
            assert record.header == {}
    assert {re.sub(r"\W.*|_.*", "", path.name) for path in FILES} == {"benign", "jailbreak"}


def test_documents_are_many_and_different() -> None:
    texts = [record.text for path in FILES for record in read_records(path)]
    assert len({" ".join(text.lower().split()) for text in texts}) == len(texts)


def test_a_tenth_is_held_out() -> None:
    train = read_folder("indirect")
    measured = read_folder("indirect", measured=True)
    assert measured
    assert not any(map(held_out, train))
    assert all(map(held_out, measured))
    assert 0.04 < len(measured) / (len(train) + len(measured)) < 0.18


@pytest.mark.parametrize("label", ["benign", "jailbreak"])
def test_there_are_enough_documents_of_each_label(label: str) -> None:
    assert sum(len(read_records(path)) for path in FILES if path.name.startswith(label)) >= 250
