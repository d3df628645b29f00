"""The generated PII texts: every span is exactly what was filled in."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.pii import data as pii_data
from training.pii import templates as pii_templates
from training.pii import values as pii_values
from training.pii.data import SLOT_TYPES, TYPES, Sample, Sources, Span, choose, fill, join
from training.pii.grammar import GRAMMAR
from training.pii.lookalikes import LOOKALIKES
from training.pii.noise import noisy
from training.pii.prose import code_chunks, frame, names_nobody, real_negatives, sentences
from training.pii.records import plain_record, record
from training.pii.romanise import romanise
from training.pii.types import SLOT, expand, rewrite

OWN_TEMPLATES = (
    *pii_templates.CHAT,
    *pii_templates.RECORDS,
    *pii_templates.STRUCTURED,
    *pii_templates.NEGATIVE,
)
SLOTS = sorted(SLOT_TYPES)
VALUES = st.text(min_size=1, max_size=12).filter(lambda value: "{{" not in value)
LITERALS = st.text(max_size=12).filter(lambda text: "{" not in text and "}" not in text)
SEEDS = st.integers(0, 2**32)


@cache
def source(train: bool = True) -> Sources:
    """Sources with few locales: Faker takes a while to load one."""
    full = pii_data.sources(train)
    return replace(full, locales=full.locales[:1] + ("de_DE",) * train, name_locales=())


def assert_sound(sample: Sample) -> None:
    """Spans lie inside the text, in order, apart from each other, and hold no bare space."""
    position = 0
    for span in sample.spans:
        assert span.label in TYPES
        assert position <= span.start < span.end <= len(sample.text)
        value = sample.text[span.start : span.end]
        assert value == value.strip()
        position = span.end


def values_of(sample: Sample) -> list[tuple[str, str]]:
    return [(span.label, sample.text[span.start : span.end]) for span in sample.spans]


@given(st.lists(st.tuples(LITERALS, st.sampled_from(SLOTS), VALUES), max_size=6), LITERALS)
def test_fill_marks_exactly_the_values(parts: list[tuple[str, str, str]], tail: str) -> None:
    template = "".join(literal + "{{" + slot + "}}" for literal, slot, _ in parts) + tail
    values = iter([value for _, _, value in parts])

    sample = fill(template, lambda _: next(values))

    assert sample.text == "".join(literal + value for literal, _, value in parts) + tail
    assert values_of(sample) == [(SLOT_TYPES[slot], value) for _, slot, value in parts]
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


@given(st.lists(st.tuples(LITERALS, VALUES), max_size=5), LITERALS, st.text(max_size=3))
def test_rewrite_moves_spans_and_keeps_values(
    parts: list[tuple[str, str]], tail: str, inserted: str
) -> None:
    values = iter([value for _, value in parts])
    template = "".join(literal + "{{person}}" for literal, _ in parts) + tail
    sample = fill(template, lambda _: next(values))

    edited = rewrite(sample, lambda literal: inserted + literal)

    assert values_of(edited) == values_of(sample)
    assert edited.text == "".join(f"{inserted}{a}{b}" for a, b in parts) + inserted + tail


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_noise_keeps_the_values(seed: int) -> None:
    rng = random.Random(seed)
    sample = pii_data.single(source(), rng, pii=True)
    dirty = noisy(sample, rng)
    assert_sound(dirty)
    assert values_of(dirty) == values_of(sample)


@pytest.mark.parametrize("train", [True, False])
def test_generated_samples_are_sound(train: bool) -> None:
    samples = pii_data.generate(
        source(train), 11, singles=300, negatives=60, composites=10, longs=1
    )
    for sample in samples:
        assert_sound(sample)
        assert not SLOT.search(sample.text)
        assert "((" not in sample.text or "))" not in sample.text


@given(SEEDS, st.sampled_from(sorted(OWN_TEMPLATES)))
@settings(max_examples=60, deadline=None)
def test_every_own_template_fills(seed: int, template: str) -> None:
    rng = random.Random(seed)
    values = pii_values.Values(rng, "en_US", ("en_US",))
    chosen = choose(template, rng)

    sample = fill(chosen, values)

    assert_sound(sample)
    slots = [slot for slot in SLOT.findall(chosen) if slot in SLOT_TYPES]
    assert [span.label for span in sample.spans] == [SLOT_TYPES[slot] for slot in slots]


@given(SEEDS)
@settings(max_examples=200, deadline=None)
def test_grammar_and_records_hold_known_slots_alone(seed: int) -> None:
    rng = random.Random(seed)
    for template in (expand("((sentence))", GRAMMAR, rng), expand(record(rng), GRAMMAR, rng)):
        assert "<<" not in template
        assert set(SLOT.findall(template)) <= set(pii_values.SOURCES)


RULES = {**GRAMMAR, **LOOKALIKES}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_alternative_of_the_grammar_expands(rule: str) -> None:
    for alternative in RULES[rule]:
        assert alternative.count("<<") == alternative.count(">>")
        expanded = expand(alternative, RULES, random.Random(rule))
        assert set(SLOT.findall(expanded)) <= set(pii_values.SOURCES)


@given(SEEDS)
@settings(max_examples=200)
def test_lookalikes_hold_no_personal_data(seed: int) -> None:
    template = expand("((clean))", RULES, random.Random(seed))
    assert not set(SLOT.findall(template)) & set(SLOT_TYPES)


@given(SEEDS)
def test_plain_records_hold_no_personal_data(seed: int) -> None:
    slots = SLOT.findall(plain_record(random.Random(seed)))
    assert slots
    assert not set(slots) & set(SLOT_TYPES)


def test_a_grammar_makes_many_different_sentences() -> None:
    rng = random.Random(3)
    drawn = [expand("((sentence))", GRAMMAR, rng) for _ in range(500)]
    assert len(set(drawn)) > 480


def test_negatives_hold_no_personal_data() -> None:
    samples = list(pii_data.generate(source(), seed=5, singles=0, negatives=200, composites=0))
    assert len(samples) == 200
    assert not any(sample.spans for sample in samples)


def test_every_type_is_generated() -> None:
    samples = pii_data.generate(source(), seed=3, singles=700, negatives=0, composites=0)
    assert {span.label for sample in samples for span in sample.spans} == set(TYPES)


def test_same_seed_same_samples() -> None:
    def draw(seed: int) -> list[Sample]:
        return list(pii_data.generate(source(), seed, singles=60, negatives=15, composites=3))

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_splits_share_neither_templates_nor_locales_nor_companies() -> None:
    train, other = pii_data.sources(train=True), pii_data.sources(train=False)
    for kind in ("presidio", "own", "negative", "locales", "organizations", "brands"):
        assert not set(getattr(train, kind)) & set(getattr(other, kind)), kind
    assert not set(train.name_locales) & set(other.locales)
    assert train.own
    assert other.own
    assert other.negative
    assert other.brands


def test_training_draws_no_value_of_a_held_out_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = set()

    def pool(locale: str, kind: str) -> tuple[str, ...]:
        asked.add(locale)
        return (f"{kind} of {locale}",)

    monkeypatch.setattr(pii_values, "pool", pool)
    pii_values.romanised.cache_clear()
    list(pii_data.generate(pii_data.sources(True), 1, singles=800, negatives=0, composites=0))
    pii_values.romanised.cache_clear()
    assert len(asked) > 30
    assert not asked & set(pii_data.HELD_OUT_LOCALES)


def test_listed_names_leave_out_measured_values_and_held_out_countries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, left_out = (
        next(n for n in map(str, range(100)) if pii_data.held_out(n, 0.3) == out)
        for out in (False, True)
    )
    head = "NameSet,GivenName,Surname,StreetAddress,City,Country,StateFull,State,Company,Occupation"
    rows = [
        f"Czech,Jana,Nová,Ulice 1,Brno,CZ,Morava,JM,{kept},Typist",
        f"Danish,Bo,Juul,Vej 2,Aarhus,DK,Jutland,,{left_out},Typist",
        f"German,Uwe,Kurz,Weg 3,Tallinn,EE,Harju,37,{kept},Barber",
        f"Polish,Ewa,Nowak,ul. Sowia 4,Opole,PL,,,{kept},opole",
    ]
    (tmp_path / "names.csv").write_text("\n".join((head, *rows)), encoding="utf-8")
    monkeypatch.setattr(pii_data, "presidio_file", lambda _: tmp_path / "names.csv")
    assert pii_data.listed_names(["jana", "Opole"]) == {
        "first_name": ["Ewa", "Uwe"],
        "last_name": ["Kurz", "Nová", "Nowak"],
        "city": ["Brno"],
        "street_address": ["Ulice 1", "ul. Sowia 4"],
        "state": ["Morava"],
        "state_abbr": ["JM"],
        "organization": [kept],
        "job": ["Barber", "Typist"],
    }


def test_places_are_told_by_what_an_article_says_they_are() -> None:
    summaries = [
        "Novi Sad is the second largest city in Serbia.",
        "Bari (pronounced so) is a port city.",
        "The Isle of Wight is an island off the coast.",
        "Odense is a town in Denmark.",
        "Anger is a state of mind.",
        "Kraftwerk was a band of the city of Düsseldorf.",
        "Hull is a town known to a measured text.",
    ]
    found = pii_data.encyclopaedia_places(summaries, ["hull"])
    assert found == {"Novi Sad", "Bari", "Isle of Wight"}


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Brave Bison Group PLC", "Brave Bison Group"),
        ("Veeva Systems, Inc.", "Veeva Systems"),
        ("Hunter N.V. Preference Shares", "Hunter N.V."),
        ("Coinc", "Coinc"),
    ],
)
def test_short_company_drops_the_legal_form(name: str, short: str) -> None:
    assert pii_values.short_company(name) == short


def test_training_samples_are_fresh_each_epoch_and_apart_from_the_dev_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = source()
    monkeypatch.setattr(pii_data, "sources", lambda train: few)
    question = "Find the area of a circle with radius 3."
    monkeypatch.setattr(pii_data, "real_texts", lambda _: [question])
    (tmp_path / "pii").mkdir()
    dev = tmp_path / "pii" / "presidio_generated_dev.jsonl"
    dev.write_text("")
    first = pii_data.training_samples(tmp_path, 0, 0.002)
    assert first == pii_data.training_samples(tmp_path, 0, 0.002)
    assert first != pii_data.training_samples(tmp_path, 1, 0.002)
    for sample in first:
        assert_sound(sample)

    dev.write_text(json.dumps({"text": first[0].text.upper(), "spans": []}))
    again = pii_data.training_samples(tmp_path, 0, 0.002)
    assert first[0].text not in {sample.text for sample in again}


@given(st.text(max_size=30))
def test_held_out_grows_with_the_share(text: str) -> None:
    assert not pii_data.held_out(text, 0.0)
    assert pii_data.held_out(text, 1.0)
    assert pii_data.held_out(text, 0.3) <= pii_data.held_out(text, 0.6)


@given(st.integers(0, 1000))
def test_choose_takes_one_alternative(seed: int) -> None:
    assert choose("a <<b|c|>> d", random.Random(seed)) in {"a b d", "a c d", "a  d"}


def test_expand_follows_rules_and_refuses_unknown_ones() -> None:
    grammar = {"a": ("<<x|x>> ((b))",), "b": ("{{person}}",)}
    assert expand("((a))!", grammar, random.Random(0)) == "x {{person}}!"
    with pytest.raises(KeyError):
        expand("((c))", grammar, random.Random(0))


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_numbers_pass_their_checksums(seed: int) -> None:
    from stdnum import iban, luhn

    values = pii_values.Values(random.Random(seed), "en_US", ("en_US",))
    assert luhn.is_valid(re.sub(r"[ -]", "", values("credit_card_number")))
    assert iban.is_valid(values("iban"), check_country=False)


@pytest.mark.parametrize(
    ("name", "latin"),
    [
        ("Иванов", "Ivanov"),
        ("Щукина Юлия", "Shchukina Yuliya"),
        ("Παπαδόπουλος", "Papadopoulos"),
        ("김", "Gim"),
        ("გელაშვილი", "Gelashvili"),
        ("Smith-Иванов", "Smith-ivanov"),
        ("Müller", "Müller"),
        ("王", "王"),
    ],
)
def test_names_are_written_in_latin_letters(name: str, latin: str) -> None:
    assert romanise(name) == latin


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
    assert not names_nobody(text)


def test_real_negatives_drop_first_names_and_keep_plain_questions() -> None:
    texts = ["James runs fast.", "Find the area of a circle with radius 3.", "x" * 2000]
    assert real_negatives(texts) == texts[1:2]


def test_frames_replace_nouns_and_drop_texts_that_name_somebody() -> None:
    texts = [
        "The tenant sued a company, and the company agreed.",
        "The tenant met Maria at the bank.",
        "A 45-year-old farmer in a German village has a cough.",
        "Nothing to replace here.",
        r"the buyer has \frac{{a}}{b} shares",
    ]
    rng = random.Random(1)
    made = [template for text in texts if (template := frame(text, rng))]
    shapes = [re.sub(r"(?:person|full|first|last|wordy)_?(?:name)?", "p", text) for text in made]
    assert shapes == [
        "{{p}} sued {{organization}}, and {{organization}} agreed.",
        "A {{age}}-year-old farmer in a {{nationality}} village has a cough.",
    ]


def test_sentences_begin_with_a_common_word() -> None:
    text = "Berlin is a city. It lies on a river that flows to the north. Maria left it."
    assert sentences([text]) == ["It lies on a river that flows to the north."]


def test_code_chunks_leave_authors_and_addresses_out(tmp_path: Path) -> None:
    lines = [
        "# Author: Jane Roe <jane@roe.org>",
        "def f(x):",
        "    return x + 1",
        "URL = 'http://x'",
    ]
    (tmp_path / "a.py").write_text("\n".join(lines * 5), encoding="utf-8")
    chunks = code_chunks(tmp_path, random.Random(1), limit=3)
    assert chunks
    assert all("Jane" not in chunk and "http" not in chunk for chunk in chunks)
    assert "def f(x):" in chunks[0]


def test_command_writes_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = source()
    monkeypatch.setattr(pii_data, "sources", lambda train: few)
    out = tmp_path / "train.jsonl"
    pii_data.main([str(out), "--singles", "8", "--negatives", "2", "--composites", "1"])
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 11
    for row in rows:
        assert_sound(Sample(row["text"], tuple(Span(**span) for span in row["spans"])))
    assert any(row["spans"] for row in rows)
