"""The generated PII texts: every span is exactly what was filled in."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training import pii_data, pii_templates
from training.pii_data import SLOT_TYPES, TYPES, Sample, Span, choose, fill, held_out, join

OWN_TEMPLATES = (
    *pii_templates.CHAT,
    *pii_templates.RECORDS,
    *pii_templates.STRUCTURED,
    *pii_templates.NEGATIVE,
)
SLOTS = sorted(SLOT_TYPES)
VALUES = st.text(min_size=1, max_size=12).filter(lambda value: "{{" not in value)
LITERALS = st.text(max_size=12).filter(lambda text: "{" not in text and "}" not in text)


def assert_sound(sample: Sample) -> None:
    """Spans lie inside the text, in order, apart from each other, and hold no bare space."""
    position = 0
    for span in sample.spans:
        assert span.label in TYPES
        assert position <= span.start < span.end <= len(sample.text)
        value = sample.text[span.start : span.end]
        assert value == value.strip()
        position = span.end


@given(st.lists(st.tuples(LITERALS, st.sampled_from(SLOTS), VALUES), max_size=6), LITERALS)
def test_fill_marks_exactly_the_values(parts: list[tuple[str, str, str]], tail: str) -> None:
    template = "".join(literal + "{{" + slot + "}}" for literal, slot, _ in parts) + tail
    values = iter([value for _, _, value in parts])

    sample = fill(template, lambda _: next(values))

    assert sample.text == "".join(literal + value for literal, _, value in parts) + tail
    found = [(s.label, sample.text[s.start : s.end]) for s in sample.spans]
    assert found == [(SLOT_TYPES[slot], value) for _, slot, value in parts]
    assert all(a.end <= b.start for a, b in zip(sample.spans, sample.spans[1:], strict=False))


def test_fill_leaves_lookalikes_and_empty_values_unmarked() -> None:
    values = {"n_version": "1", "city": "", "person": "A"}
    sample = fill("v{{n_version}} {{city}}{{person}}", lambda slot: values[slot])
    assert sample.text == "v1 A"
    assert sample.spans == (Span("PERSON", 3, 4),)


@given(st.lists(st.tuples(LITERALS, VALUES), min_size=1, max_size=5), st.data())
def test_join_moves_spans_with_their_text(
    parts: list[tuple[str, str]], data: st.DataObject
) -> None:
    samples = [fill(literal + "{{person}}", lambda _, v=value: v) for literal, value in parts]  # type: ignore[misc]
    separators = data.draw(
        st.lists(st.sampled_from(["\n", "\n\n", " "]), min_size=len(parts), max_size=len(parts))
    )

    joined = join(samples, separators)

    assert [joined.text[s.start : s.end] for s in joined.spans] == [value for _, value in parts]
    assert joined.text.endswith(parts[-1][1])


@pytest.mark.parametrize("train", [True, False])
def test_generated_samples_are_sound(train: bool) -> None:
    source = pii_data.sources(train)
    for sample in pii_data.generate(source, seed=11, singles=150, negatives=40, composites=25):
        assert_sound(sample)
        assert "{{" not in sample.text
        assert "<<" not in sample.text


@given(st.integers(0, 2**32), st.sampled_from(sorted(OWN_TEMPLATES)))
@settings(max_examples=60, deadline=None)
def test_every_own_template_fills(seed: int, template: str) -> None:
    rng = random.Random(seed)
    source = pii_data.sources(train=True)
    one = pii_data.Sources(presidio=(), own=(template,), negative=(template,), locales=("en_US",))
    sample = pii_data.single(one, rng, pii=True)
    assert_sound(sample)
    slots = [slot for slot in re.findall(r"\{\{([a-z_]+)\}\}", template) if slot in SLOT_TYPES]
    assert len(sample.spans) <= len(slots)
    assert source.own


def test_negative_templates_hold_no_personal_data() -> None:
    source = pii_data.sources(train=True)
    samples = list(pii_data.generate(source, seed=5, singles=0, negatives=200, composites=0))
    assert len(samples) == 200
    assert not any(sample.spans for sample in samples)


def test_every_type_is_generated() -> None:
    source = pii_data.sources(train=True)
    samples = pii_data.generate(source, seed=3, singles=600, negatives=0, composites=0)
    assert {span.label for sample in samples for span in sample.spans} == set(TYPES)


def test_same_seed_same_samples() -> None:
    source = pii_data.sources(train=True)

    def draw(seed: int) -> list[Sample]:
        return list(pii_data.generate(source, seed, singles=15, negatives=5, composites=3))

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_splits_share_neither_templates_nor_locales_nor_companies() -> None:
    train, other = pii_data.sources(train=True), pii_data.sources(train=False)
    for kind in ("presidio", "own", "negative", "locales", "organizations"):
        assert not set(getattr(train, kind)) & set(getattr(other, kind)), kind
    assert train.own
    assert other.own
    assert other.negative


@given(st.text(max_size=30))
def test_held_out_grows_with_the_share(text: str) -> None:
    assert not held_out(text, 0.0)
    assert held_out(text, 1.0)
    assert held_out(text, 0.3) <= held_out(text, 0.6)


@given(st.integers(0, 1000))
def test_choose_takes_one_alternative(seed: int) -> None:
    assert choose("a <<b|c|>> d", random.Random(seed)) in {"a b d", "a c d", "a  d"}


@pytest.mark.parametrize(
    "text",
    [
        "What did Maria say about the exam?",
        "Mail me at a@b.org",
        "the price in 1998 was lower",
        "a 23-year-old man with a cough",
        "the sum is due on monday",
        "call 555 123 4567 now",
        "the dog's tail",
        "see https://x.org",
    ],
)
def test_texts_that_may_name_somebody_are_rejected(text: str) -> None:
    assert not pii_data.names_nobody(text)


def test_real_negatives_drop_first_names_and_keep_plain_questions() -> None:
    texts = ["James runs fast.", "Find the area of a circle with radius 3.", "x" * 2000]
    assert pii_data.real_negatives(texts) == texts[1:2]


def test_code_chunks_leave_authors_and_addresses_out(tmp_path: Path) -> None:
    lines = [
        "# Author: Jane Roe <jane@roe.org>",
        "def f(x):",
        "    return x + 1",
        "URL = 'http://x'",
    ]
    (tmp_path / "a.py").write_text("\n".join(lines * 5), encoding="utf-8")
    chunks = pii_data.code_chunks(tmp_path, random.Random(1), limit=3)
    assert chunks
    assert all("Jane" not in chunk and "http" not in chunk for chunk in chunks)
    assert "def f(x):" in chunks[0]


def test_command_writes_the_samples(tmp_path: Path) -> None:
    out = tmp_path / "train.jsonl"
    pii_data.main([str(out), "--singles", "8", "--negatives", "2", "--composites", "1"])
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 11
    for row in rows:
        assert_sound(Sample(row["text"], tuple(Span(**span) for span in row["spans"])))
    assert any(row["spans"] for row in rows)
