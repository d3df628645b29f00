"""The generator of safety texts: seeded, apart from held-out texts, and true to its labels."""

from __future__ import annotations

import base64
import codecs
import random
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import safety_data as data
from training import safety_templates as templates
from training.dedupe import overlaps
from training.safety_benign import BENIGN, BENIGN_KINDS, DOCUMENTS, benign_request, document

Maker = Callable[[random.Random], str]

SEEDS = range(300)
MAKERS: tuple[Maker, ...] = (
    templates.direct_attack,
    templates.planted_instruction,
    templates.harmful_request,
    templates.encoded_attack,
    templates.human_note,
    benign_request,
    document,
)


@pytest.mark.parametrize("make", MAKERS)
def test_same_seed_gives_the_same_text(make: Maker) -> None:
    assert [make(random.Random(s)) for s in range(20)] == [
        make(random.Random(s)) for s in range(20)
    ]


@pytest.mark.parametrize("make", MAKERS)
def test_texts_are_varied_and_have_no_open_slot(make: Maker) -> None:
    texts = [make(random.Random(s)) for s in SEEDS]
    assert len(set(texts)) > 0.5 * len(texts)
    names = set().union(
        templates.OVERRIDE, templates.INDIRECT, templates.HARM, templates.HUMAN, BENIGN
    )
    for text in texts:
        assert text.strip()
        assert not {m for m in re.findall(r"\{([a-z_]+)\}", text) if m in names}


def test_every_slot_that_a_template_names_exists() -> None:
    tables = {
        "override": (templates.OVERRIDE, [*templates.DIRECT_ATTACKS, *templates.FAKE_TURNS]),
        "indirect": (templates.INDIRECT, ["{plant}"]),
        "harm": (templates.HARM, list(templates.HARMFUL_REQUESTS)),
        "human": (templates.HUMAN, ["{note}"]),
        "common": (templates.COMMON, list(templates.HUMAN_NOTES)),
        "benign": (BENIGN, [kind for kind, _ in BENIGN_KINDS]),
    }
    for name, (slots, tops) in tables.items():
        used = re.findall(
            r"\{([a-z_]+)\}", " ".join([*tops, *(c for v in slots.values() for c in v)])
        )
        assert set(used) <= set(slots) | {"prompt"}, name


def test_expand_refuses_a_circle() -> None:
    with pytest.raises(ValueError, match="circle"):
        templates.expand("{a}", {"a": ["{b}"], "b": ["{a}"]}, random.Random(1))


def test_expand_leaves_unknown_names_alone() -> None:
    assert templates.expand("{x} {known}", {"known": ["k"]}, random.Random(1)) == "{x} k"


@pytest.mark.parametrize("make", DOCUMENTS)
def test_planting_keeps_the_payload_whole_and_only_adds(make: Maker) -> None:
    for seed in range(40):
        rng = random.Random(seed)
        carrier, payload = make(rng), "Zyx payload, kept whole: 42."
        planted = templates.plant(carrier, payload, rng)
        assert payload in planted
        left = iter(planted)
        assert all(char in left for char in carrier), "the carrier is no subsequence any more"


def test_planting_reaches_every_depth() -> None:
    carrier = "\n".join(f"line {i}" for i in range(40))
    depths = [
        templates.insert_note(carrier, "MARK", random.Random(s)).find("MARK") / len(carrier)
        for s in SEEDS
    ]
    assert min(depths) < 0.1
    assert max(depths) > 0.9
    assert 0.3 < sum(depths) / len(depths) < 0.7


DECODERS = {
    "base64": lambda s: base64.b64decode(s).decode(),
    "base32": lambda s: base64.b32decode(s).decode(),
    "base85": lambda s: base64.b85decode(s).decode(),
    "ascii85": lambda s: base64.a85decode(s, adobe=True).decode(),
    "hex": lambda s: bytes.fromhex(s).decode(),
    "hexadecimal bytes": lambda s: bytes.fromhex(s).decode(),
    "binary": lambda s: bytes(int(b, 2) for b in s.split()).decode(),
    "decimal character codes": lambda s: "".join(chr(int(c)) for c in s.split()),
    "rot13": lambda s: codecs.decode(s, "rot13"),
    "reversed text": lambda s: s[::-1],
}


@pytest.mark.parametrize("name", sorted(DECODERS))
@given(text=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_encodings_can_be_decoded(name: str, text: str) -> None:
    assert DECODERS[name](templates.ENCODERS[name](text)) == text


@given(text=st.text(min_size=1), seed=st.integers(0, 1000), count=st.integers(1, 20))
def test_harmless_words_leave_the_text_intact(text: str, seed: int, count: int) -> None:
    longer = templates.add_harmless_words(text, random.Random(seed), count)
    before_or_after = [
        longer[: len(longer) - len(text)] if longer.endswith(text) else None,
        longer[len(text) :] if longer.startswith(text) else None,
    ]
    added = [len(words.split()) for words in before_or_after if words is not None]
    assert added
    assert min(added) <= count
    assert len(longer) > len(text)


@given(text=st.text(), seed=st.integers(0, 1000))
def test_typos_touch_letters_only(text: str, seed: int) -> None:
    def others(s: str) -> list[str]:
        return sorted(c for c in s if not c.isalpha())

    assert others(templates.add_typos(text, random.Random(seed), 0.3)) == others(text)


@given(text=st.text(), limit=st.integers(1, 80), seed=st.integers(0, 1000))
def test_crop_is_a_part_of_the_text_within_the_limit(text: str, limit: int, seed: int) -> None:
    part = data.crop(text, limit, random.Random(seed))
    assert part in text
    assert len(part) <= limit


@given(text=st.text(), limit=st.integers(1, 200), seed=st.integers(0, 1000))
def test_skim_keeps_the_order(text: str, limit: int, seed: int) -> None:
    part = data.skim(text, limit, random.Random(seed))
    left = iter(text)
    assert len(part) <= limit
    assert all(char in left for char in part)


def test_bucket_depends_on_words_alone() -> None:
    assert data.bucket("Hello,  World", 7) == data.bucket("hello world!", 7)
    assert {data.bucket(str(i), 3) for i in range(50)} == {0, 1, 2}


def test_diff_has_changes_and_a_header() -> None:
    code = "\n".join(f"value_{i} = compute({i})" for i in range(20))
    for seed in range(20):
        diff = data.unified_diff(code, "mod.py", random.Random(seed))
        assert diff.startswith("diff --git a/mod.py b/mod.py\n--- a/mod.py")
        assert re.search(r"^[+-](?![+-])", diff, re.MULTILINE)


def test_apart_drops_what_shares_eight_words() -> None:
    stored = ["one two three four five six seven eight nine ten"]
    texts = ["x two three four five six seven eight nine y", "one two three, something else"]
    assert data.apart(texts, stored) == [texts[1]]


def test_the_classes_do_not_share_texts() -> None:
    attacks = [templates.direct_attack(random.Random(s)) for s in SEEDS]
    attacks += [templates.planted_instruction(random.Random(s)) for s in SEEDS]
    benign = [benign_request(random.Random(s)) for s in SEEDS]
    benign += [templates.human_note(random.Random(s)) for s in SEEDS]
    assert not any(overlaps(attacks, benign))


def test_plan_covers_every_label_and_benign_is_the_largest() -> None:
    totals = dict.fromkeys(data.LABELS, 0)
    for _, label, count, share in data.PLAN:
        totals[label] += count
        assert 0 <= share <= 1
    assert max(totals, key=totals.__getitem__) == "benign"
    assert min(totals.values()) > 1000


def test_a_missing_package_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="no_such_package"):
        data.package_folder("no_such_package")
