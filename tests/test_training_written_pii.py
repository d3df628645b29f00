"""The texts written by hand for training the PII classifier."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace

from training.pii import data as pii_data
from training.pii import values as pii_values
from training.pii.types import SLOT, SLOT_TYPES, TYPES, fill

PERSONAL, CLEAN = pii_data.written("personal"), pii_data.written("clean")
OBVIOUS = re.compile(
    r"[\w.]+@\w+\.\w+|https?://|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"
    r"|\b[A-Z]{2}\d{2} \d{4}\b|\b\d{1,3}(?:\.\d{1,3}){3}\b"
)
"""What must not stand in a text as it is: it would be personal data without a label."""


def test_there_are_many_texts_and_no_two_alike() -> None:
    assert len(PERSONAL) >= 350
    assert len(CLEAN) >= 250
    shapes = Counter(re.sub(r"\W+", " ", text.lower()) for text in PERSONAL + CLEAN)
    assert [shape for shape, count in shapes.items() if count > 1] == []


def test_marks_are_balanced_and_slots_known() -> None:
    for text in PERSONAL + CLEAN:
        assert "{{" not in SLOT.sub("", text), text
        assert "%%" not in text, text
        assert set(SLOT.findall(text)) <= set(pii_values.SOURCES), text


def test_personal_texts_label_what_they_hold() -> None:
    for text in PERSONAL:
        assert set(SLOT.findall(text)) & set(SLOT_TYPES), text
        assert not OBVIOUS.search(SLOT.sub("", text)), text


def test_clean_texts_hold_nothing() -> None:
    for text in CLEAN:
        assert not set(SLOT.findall(text)) & set(SLOT_TYPES), text
        assert not OBVIOUS.search(text), text


def test_every_type_is_written_about_often() -> None:
    seen = Counter(SLOT_TYPES[s] for t in PERSONAL for s in set(SLOT.findall(t)) if s in SLOT_TYPES)
    assert {label for label in TYPES if seen[label] < 8} == set()


def test_every_text_fills_with_exact_spans() -> None:
    values = pii_values.Values(random.Random(1), "en_US", ("en_US",))
    for text in PERSONAL:
        sample = fill(text, values)
        slots = [slot for slot in SLOT.findall(text) if slot in SLOT_TYPES]
        assert [span.label for span in sample.spans] == [SLOT_TYPES[slot] for slot in slots]
        assert all(a.end <= b.start for a, b in zip(sample.spans, sample.spans[1:], strict=False))


def test_training_draws_written_texts_but_none_that_is_held_out() -> None:
    train, held_out = pii_data.sources(train=True), pii_data.sources(train=False)
    assert held_out.written
    assert held_out.written_clean
    assert not set(train.written) & set(held_out.written)
    few = replace(train, locales=train.locales[:1], name_locales=())
    drawn = list(pii_data.generate(few, 3, singles=200, negatives=200, composites=0))
    written = [sample for sample in drawn if sample.source == "written"]
    assert 20 < len(written) < 150
    assert {bool(sample.spans) for sample in written} == {True, False}
