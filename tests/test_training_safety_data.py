"""The generator of safety texts: seeded, varied, exact about where an attack is."""

from __future__ import annotations

import base64
import codecs
import random
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import spintax
from training.dedupe import bucket, overlaps
from training.safety import attacks, benign, data, disguise, documents, harm, planted, sources

Make = Callable[[random.Random], str]

SEEDS = range(150)
MAKERS: dict[str, Make] = {
    "direct": attacks.direct_attack,
    "forum": attacks.forum_jailbreak,
    "planted": planted.planted_instruction,
    "harmful": harm.harmful_request,
    "neighbour": harm.neighbour_request,
    "note": planted.human_note,
    "request": benign.benign_request,
    "document": lambda rng: documents.document(rng)[0],
    "encoded": lambda rng: disguise.encoded_attack(attacks.direct_attack(rng)[:80], rng),
}
makers = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


# Templates ------------------------------------------------------------------------------------


@makers
def test_same_seed_gives_the_same_text(make: Make) -> None:
    assert [make(random.Random(s)) for s in range(20)] == [
        make(random.Random(s)) for s in range(20)
    ]


@makers
def test_texts_are_varied_and_have_no_open_place(make: Make) -> None:
    texts = [make(random.Random(s)) for s in SEEDS]
    assert len(set(texts)) > 0.7 * len(texts)
    for text in texts:
        assert text.strip()
        if make is MAKERS["encoded"]:  # base85 has braces of its own
            continue
        assert not re.search(r"\{[a-z_]{2,}\}|\{[^{}\n\"]*\|", text), text


def test_expand_fills_slots_and_alternatives_innermost_first() -> None:
    slots = {"a": ("x{b|c}",), "d": ("y",)}
    found = {spintax.expand("{a}-{{d}|z}", slots, random.Random(s)) for s in range(50)}
    assert found == {"xb-y", "xb-z", "xc-y", "xc-z"}


def test_expand_refuses_a_circle() -> None:
    with pytest.raises(ValueError, match="circle"):
        spintax.expand("{a}", {"a": ["{b}"], "b": ["{a}"]}, random.Random(1))


def test_expand_leaves_unknown_names_and_code_alone() -> None:
    text = '{x} {"a": 1} f() {\n return 2;\n}'
    assert spintax.expand(text, {"known": ["k"]}, random.Random(1)) == text


def test_tables_are_read_by_slot() -> None:
    read = spintax.table("a:\none | two\n~\n\nb:\nthree\\nfour\n")
    assert read == {"a": ("one", "two", ""), "b": ("three\nfour",)}
    with pytest.raises(ValueError, match="twice"):
        spintax.table("a:\nx\na:\ny")
    with pytest.raises(ValueError, match="before"):
        spintax.table("x\na:\ny")


# Spans ----------------------------------------------------------------------------------------

spans = st.text(max_size=30).flatmap(
    lambda before: st.tuples(
        st.just(before), st.text(min_size=1, max_size=30), st.text(max_size=30)
    )
)
seeds = st.integers(0, 10_000).map(random.Random)


@given(
    carrier=st.text(alphabet=st.sampled_from("ab .!?\n"), max_size=80),
    passage=st.text(min_size=1, max_size=20),
    rng=seeds,
    cut=st.tuples(st.integers(0, 20), st.integers(0, 20)),
)
def test_inserting_keeps_carrier_and_passage_whole(
    carrier: str, passage: str, rng: random.Random, cut: tuple[int, int]
) -> None:
    start, end = sorted(min(at, len(passage)) for at in cut)
    text, span = data.insert_passage(carrier, passage, (start, end), rng)
    assert text[span[0] : span[1]] == passage[start:end]
    at = span[0] - start
    assert text[at : at + len(passage)] == passage
    before, after = text[:at], text[at + len(passage) + 1 :]
    assert before + after == carrier or before[:-1] + after == carrier


def test_inserting_reaches_every_depth() -> None:
    carrier = "\n".join(f"line {i}" for i in range(40))
    depths = [
        data.insert_passage(carrier, "MARK", (0, 4), random.Random(s))[1][0] / len(carrier)
        for s in SEEDS
    ]
    assert min(depths) < 0.1
    assert max(depths) > 0.9
    assert 0.3 < sum(depths) / len(depths) < 0.7


@given(parts=spans, rng=seeds)
def test_varied_spelling_keeps_the_span_on_the_attack(
    parts: tuple[str, str, str], rng: random.Random
) -> None:
    before, attack, after = parts
    span = (len(before), len(before) + len(attack))
    text, found = disguise.vary_parts(before + attack + after, span, rng)
    assert found is not None
    start, end = found
    assert 0 <= start < end <= len(text)
    assert end - start <= 3 * len(attack)  # the upper case of some letters is three
    if not before:
        assert start == 0
    if not after:
        assert end == len(text)


def test_varied_spelling_leaves_the_letters_in_their_part() -> None:
    for seed in SEEDS:  # letters without a look-alike or a digit for them
        text, span = disguise.vary_parts("ggg bbb. NDWV fff", (9, 13), random.Random(seed))
        assert span is not None
        found = text[span[0] : span[1]].lower()
        assert found
        assert set(found) <= set("ndwv")


@given(parts=spans, rng=seeds, mark=st.booleans())
def test_padding_moves_the_span_with_the_attack(
    parts: tuple[str, str, str], rng: random.Random, mark: bool
) -> None:
    text = "".join(parts)
    span = (len(parts[0]), len(parts[0]) + len(parts[1]))
    longer, found = disguise.pad(text, span, rng, mark)
    assert found is not None
    assert longer[found[0] : found[1]] == parts[1]
    whole, all_of_it = disguise.pad(text, None, rng, mark)
    assert (all_of_it is not None) == mark
    if all_of_it:
        assert whole[all_of_it[0] : all_of_it[1]] == text
    assert text in whole
    assert len(whole) > len(text)


@pytest.mark.parametrize("kind", planted.WRAPPERS)
def test_wrapping_tells_where_the_note_starts(kind: str) -> None:
    for seed in SEEDS:
        text, at = planted.wrap("Zyx note, kept whole: 42.", kind, random.Random(seed))
        assert text[at:].startswith("Zyx note, kept whole: 42.")


# Disguises ------------------------------------------------------------------------------------

DECODERS: dict[str, Callable[[str], str]] = {
    "base64": lambda s: base64.b64decode(s).decode(),
    "base32": lambda s: base64.b32decode(s).decode(),
    "base85": lambda s: base64.b85decode(s).decode(),
    "ascii85": lambda s: base64.a85decode(s, adobe=True).decode(),
    "hex": lambda s: bytes.fromhex(s).decode(),
    "hexadecimal bytes": lambda s: bytes.fromhex(s).decode(),
    "binary": lambda s: bytes(int(b, 2) for b in s.split()).decode(),
    "octal": lambda s: bytes(int(b, 8) for b in s.split()).decode(),
    "decimal character codes": lambda s: "".join(chr(int(c)) for c in s.split()),
    "rot13": lambda s: codecs.decode(s, "rot13"),
    "reversed text": lambda s: s[::-1],
    "zero-width characters": lambda s: s.replace("\u200b", ""),
}


@pytest.mark.parametrize("name", sorted(DECODERS))
@given(text=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_encodings_can_be_decoded(name: str, text: str) -> None:
    assert DECODERS[name](disguise.ENCODERS[name](text)) == text


def test_ciphers_shift_and_mirror_the_alphabet() -> None:
    assert disguise.ENCODERS["Caesar cipher"]("abc xyz") == "def abc"
    assert disguise.ENCODERS["Atbash"]("abc xyz") == "zyx cba"
    assert disguise.ENCODERS["Morse code"]("SOS 1") == "... --- ... / .----"


@given(text=st.text(), rng=seeds)
def test_typos_touch_letters_only(text: str, rng: random.Random) -> None:
    def others(s: str) -> list[str]:
        return sorted(c for c in s if not c.isalpha())

    assert others(disguise.add_typos(text, rng, 0.3)) == others(text)


# Labels ---------------------------------------------------------------------------------------


def test_the_classes_do_not_share_texts() -> None:
    unsafe = [MAKERS[k](random.Random(s)) for k in ("direct", "planted", "harmful") for s in SEEDS]
    safe = [MAKERS[k](random.Random(s)) for k in ("request", "note", "neighbour") for s in SEEDS]
    assert not any(overlaps(unsafe, safe, size=12))
    assert not set(unsafe) & set(safe)


def test_crescendo_ends_with_a_request_that_its_start_does_not_hold() -> None:
    for seed in SEEDS:
        asks, last = harm.crescendo(random.Random(seed))
        assert asks
        assert last not in asks


def test_plan_is_balanced() -> None:
    totals = dict.fromkeys(data.LABELS, 0)
    for _, label, count, varied, padded in data.PLAN:
        totals[label] += count
        assert 0 <= varied <= 1
        assert 0 <= padded <= 1
    assert 0.5 < totals["benign"] / sum(totals.values()) < 0.65
    assert min(totals.values()) > 1000


# Sources --------------------------------------------------------------------------------------


@given(text=st.text(), limit=st.integers(1, 80), rng=seeds)
def test_crop_is_a_part_of_the_text_within_the_limit(
    text: str, limit: int, rng: random.Random
) -> None:
    part = sources.crop(text, limit, rng)
    assert part in text
    assert len(part) <= limit


@given(text=st.text(), limit=st.integers(1, 200), rng=seeds)
def test_skim_keeps_the_order(text: str, limit: int, rng: random.Random) -> None:
    part = sources.skim(text, limit, rng)
    left = iter(text)
    assert len(part) <= limit
    assert all(char in left for char in part)


def test_bucket_depends_on_words_alone() -> None:
    assert bucket("Hello,  World", 7) == bucket("hello world!", 7)
    assert {bucket(str(i), 3) for i in range(50)} == {0, 1, 2}


def test_diff_has_changes_and_a_header() -> None:
    code = "\n".join(f"value_{i} = compute({i})" for i in range(20))
    for seed in range(20):
        diff = sources.unified_diff(code, "mod.py", random.Random(seed))
        assert diff.startswith("diff --git a/mod.py b/mod.py\n--- a/mod.py")
        assert re.search(r"^[+-](?![+-])", diff, re.MULTILINE)


def test_apart_drops_what_shares_eight_words() -> None:
    stored = ["one two three four five six seven eight nine ten"]
    texts = ["x two three four five six seven eight nine y", "one two three, something else"]
    assert sources.apart(texts, stored) == [texts[1]]


def test_a_missing_package_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="no_such_package"):
        sources.package_folder("no_such_package")
