"""Placeholders in a request, and values put back into its answer, in any pieces."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.decision import PiiSpan
from pointsman.placeholders import Placeholders
from tests.spelled_json import randoms


def span(type_: str, start: int, end: int) -> PiiSpan:
    return PiiSpan(type=type_, start=start, end=end, score=1, source="pattern", action="redact")


def found(text: str, *values: tuple[str, str]) -> Placeholders:
    """Placeholders of values, each given with its type, in the order of the text."""
    spans = []
    at = 0
    for type_, value in values:
        at = text.index(value, at)
        spans.append(span(type_, at, at + len(value)))
        at += len(value)
    return Placeholders.of(text, spans)


def redacted(text: str, placeholders: Placeholders) -> str:
    for start, end, replacement in reversed(placeholders.redactions):
        text = text[:start] + replacement + text[end:]
    return text


def test_equal_values_of_one_type_share_a_placeholder() -> None:
    text = "bob@x.org, amy@x.org and bob@x.org; Bob, bob@x.org"
    mail = "EMAIL_ADDRESS"
    placeholders = found(
        text,
        (mail, "bob@x.org"),
        (mail, "amy@x.org"),
        (mail, "bob@x.org"),
        ("PERSON", "Bob"),
        ("PERSON", "bob@x.org"),
    )
    sent = redacted(text, placeholders)
    assert sent == (
        "[EMAIL_ADDRESS_1], [EMAIL_ADDRESS_2] and [EMAIL_ADDRESS_1]; [PERSON_1], [PERSON_2]"
    )
    assert placeholders.restore(sent) == text


def test_what_the_text_has_already_is_nobodys_placeholder() -> None:
    text = "[PERSON_1] met Bob, [PERSON_3] and Amy [PERSON_02]"
    placeholders = found(text, ("PERSON", "Bob"), ("PERSON", "Amy"))
    sent = redacted(text, placeholders)
    assert sent == "[PERSON_1] met [PERSON_2], [PERSON_3] and [PERSON_4] [PERSON_02]"
    assert placeholders.restore(sent) == text


def test_no_value_is_taken_for_a_placeholder() -> None:
    text = "Bob is [A_2] and Amy"
    placeholders = found(text, ("A", "[A_2]"), ("A", "Amy"))
    assert placeholders.restore(redacted(text, placeholders)) == text


@pytest.mark.parametrize("type_", ["a b", "X]", "[", ".*", "é", "A-B", "_"])
def test_a_type_of_any_name_makes_a_placeholder(type_: str) -> None:
    text = "call Bob or Amy"
    placeholders = found(text, (type_, "Bob"), (type_ + "\n", "Amy"))
    sent = redacted(text, placeholders)
    assert "Bob" not in sent
    assert "Amy" not in sent
    assert placeholders.restore(sent) == text


def test_nothing_to_redact() -> None:
    placeholders = Placeholders.of("some [_1] text", [])
    assert placeholders.redactions == []
    assert placeholders.restore("some [_1] [A_1]") == "some [_1] [A_1]"
    restorer = placeholders.restorer()
    assert restorer.feed("[") == "["
    assert restorer.flush() == ""


def test_inside_of_json_values_are_escaped() -> None:
    text = 'name: "Bob \\ O\'Neil"\n'
    placeholders = found(text, ("PERSON", '"Bob \\ O\'Neil"\n'))
    arguments = '{"who": "[PERSON_1]"}'
    assert json.loads(placeholders.restore(arguments, json_text=True)) == {
        "who": '"Bob \\ O\'Neil"\n'
    }
    restorer = placeholders.restorer(json_text=True)
    restored = "".join(map(restorer.feed, arguments)) + restorer.flush()
    assert restored == placeholders.restore(arguments, json_text=True)


names = ["[A_1]", "[A_2]", "[A_10]", "[LONG_NAME_1]"]
answers = st.lists(
    st.one_of(
        st.sampled_from(names),
        st.sampled_from(names).flatmap(lambda n: st.integers(1, len(n)).map(lambda k: n[:k])),
        st.text("[]_A1 é", max_size=4),
    ),
    max_size=12,
).map("".join)


@given(answers, randoms)
def test_an_answer_in_pieces_is_restored_as_a_whole(answer: str, rng: random.Random) -> None:
    values = [f"v[A_1]{number}" for number in range(10)]
    text = " ".join([*values, "w"])
    placeholders = found(text, *(("A", value) for value in values), ("LONG_NAME", "w"))
    restorer = placeholders.restorer()
    out = ""
    fed = ""
    at = 0
    while at < len(answer):
        step = rng.choice((1, 2, 5, 50))
        piece = answer[at : at + step]
        at += step
        fed += piece
        out += restorer.feed(piece)
        # What is not yet given out may become a placeholder.
        held = next(
            (
                fed[-length:]
                for length in range(min(len(fed), 12), 0, -1)
                if any(name.startswith(fed[-length:]) and name != fed[-length:] for name in names)
                or fed[-length:] in {f"[A_{n}" for n in range(3, 10)}
            ),
            "",
        )
        assert out == placeholders.restore(fed[: len(fed) - len(held)])
    assert out + restorer.flush() == placeholders.restore(answer)


def test_values_are_in_no_representation() -> None:
    placeholders = found("call Bob", ("PERSON", "Bob"))
    restorer = placeholders.restorer()
    for thing in (placeholders, restorer):
        for shown in (repr(thing), str(thing), f"{thing}"):
            assert "Bob" not in shown


def test_many_placeholders_in_a_long_answer() -> None:
    values = [f"user{number}@example.com" for number in range(20_000)]
    text = " ".join(values)
    spans = []
    at = 0
    for value in values:
        spans.append(span("EMAIL_ADDRESS", at, at + len(value)))
        at += len(value) + 1
    placeholders = Placeholders.of(text, spans)
    sent = " ".join(replacement for _, _, replacement in placeholders.redactions)
    assert placeholders.restore(sent) == text
    restorer = placeholders.restorer()
    pieces = [sent[at : at + 3] for at in range(0, len(sent), 3)]
    assert "".join(map(restorer.feed, pieces)) + restorer.flush() == text
