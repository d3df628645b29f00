"""Early looks: what they block, the whole request would have been blocked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.early import EarlyLook
from pointsman_backends.router.policy import Policy

POLICY = Policy.model_validate(
    {
        "default_model": "m",
        "domain_threshold": 0.5,
        "safety": {},
        "pii": {"threshold": 0.5, "default": "redact", "types": {"US_SSN": "block"}},
        "coverage": {"compressed": "allow", "truncated": "allow"},
    }
)
SSN = "my number is 536-22-8412"
TEXTS = st.sampled_from(["hello", "", "é\n", "bob@example.com", "[{", SSN])


def body(texts: list[str], *, parts: bool = False) -> bytes:
    contents: list[Any] = [[{"type": "text", "text": t}] for t in texts] if parts else list(texts)
    messages = [{"role": "user", "content": content} for content in contents]
    return json.dumps({"model": "auto", "messages": messages}).encode()


@given(st.lists(TEXTS, max_size=5), st.booleans(), st.lists(st.integers(0, 500), max_size=6))
def test_a_message_blocks_once_it_is_whole(
    texts: list[str], parts: bool, places: list[int]
) -> None:
    whole = body(texts, parts=parts)
    look = EarlyLook(POLICY)
    end = whole.find(b'8412"') + 5 if SSN in texts else len(whole) + 1
    for place in sorted({*(place % len(whole) for place in places), len(whole)}):
        assert look.rule(whole[:place]) == ("pii:US_SSN" if place >= end else None)
        if place >= end:
            break


def test_a_number_that_is_cut_is_not_taken_for_a_whole_one() -> None:
    whole = body(["my number is 536-22-84123"])
    look = EarlyLook(POLICY)
    assert [look.rule(whole[:end]) for end in range(len(whole) + 1)] == [None] * (len(whole) + 1)


def test_prompts_of_completions() -> None:
    assert EarlyLook(POLICY).rule(b'{"prompt": "%b", "n"' % SSN.encode()) == "pii:US_SSN"
    assert EarlyLook(POLICY).rule(b'{"prompt": ["a", "%b", "b' % SSN.encode()) == "pii:US_SSN"


@pytest.mark.parametrize("begin", [b"", b"\xff", b"[1, ", b'{"messages": 1', b'{"messages": [1, "'])
def test_what_is_no_request_is_left_to_the_end(begin: bytes) -> None:
    assert EarlyLook(POLICY).rule(begin) is None


@pytest.mark.parametrize("text", ["a\ud800", "bob@example.com " * 50_001])
def test_what_cannot_be_scanned_is_left_to_the_end(text: str) -> None:
    assert EarlyLook(POLICY).rule(body([text, SSN])) is None


def test_looks_come_at_twice_the_size_and_not_before_the_model_is_certain() -> None:
    look = EarlyLook(POLICY)
    assert not look.due(8191, None)
    assert look.due(8192, None)
    look.rule(b" " * 10_000)
    assert not look.due(19_999, "auto")
    assert look.due(20_000, "auto")
    exempting = EarlyLook(POLICY.model_copy(update={"exempt_models": ["free"]}))
    assert not exempting.due(10**6, None)
    assert exempting.due(10**6, "auto")
