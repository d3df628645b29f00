"""The one pass that says where the pattern scan has to look: it hides nothing from it."""

from __future__ import annotations

import random
import time
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman_backends import patterns
from pointsman_backends import suspicious as module
from pointsman_backends.patterns import scan
from pointsman_backends.suspicious import suspicious

FILLER = st.sampled_from(
    ["The quick brown fox jumps over a dog. " * 9, "x" * 500, " " * 400, "\n", "\t", "é" * 90]
)
VALUES = st.sampled_from(
    [
        "joe@example.com", "git@github.com:org/repo", "https://user:pw@host.org/", "http://a/b.com",
        "www.Bahn.de", "visit is example.de", "web site: a.shop", "url=", "domain ", "foo.co.uk",
        "4111 1111 1111 1111", "4111-1111-1111-1111 123", "378282246310005",
        "DE89 3704 0044 0532 0130 00", "MT84MALT011000012345MTLCAST001S", "123-45-6789",
        "social security number is 123456789", "SSN: 123 45 6789", "1.2.3.4", "version\n10.2.3.4",
        "8.8.8.8 Heading", "2001:db8::1", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "12:30:45",
        "+1 415 555 2671", "(415) 555-2671", "call me now please at 415 555 2671", "06 12 34 56 78",
        "电话：13800138000", "07911 123 456", "212 555 1234 office", "tel ", " x44", "2024-11-21",
        "example.com =", "example.com:8080/", "5", "6789", "-", "+", ".", "(", ":", "@", "/",
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(VALUES, VALUES, FILLER, st.text(max_size=6)), max_size=14).map(
    lambda parts: " ".join(parts).encode("utf-8", "ignore")
)
PAD = b" and nothing" * 8000  # so that the traces are rare


@given(TEXTS, st.booleans())
@settings(max_examples=400, deadline=None)
def test_findings_are_those_of_the_whole_text(text: bytes, joined: bool) -> None:
    if joined:
        text = text.replace(b" ", b"")
    text = text + PAD
    with pytest.MonkeyPatch.context() as everywhere:
        everywhere.setattr(patterns, "suspicious", lambda text: [(0, len(text))])
        expected = scan(text)
    assert scan(text) == expected


@given(TEXTS)
def test_stretches_are_apart_and_end_where_words_do(text: bytes) -> None:
    stretches = suspicious(text)
    before = -1
    for start, end in stretches:
        assert before < start < end <= len(text)
        assert start == 0 or text[start - 1] in b" \n"
        assert end == len(text) or text[end] in b" \n"
        before = end


def test_what_nothing_is_suspicious_in_is_not_looked_at() -> None:
    assert suspicious(b"In 2024, Mr. Smith paid $5.99 at 12:30. " * 1000) == []
    text = b"word " * 1000 + b"joe@example.com" + b" word" * 1000
    ((start, end),) = suspicious(text)
    assert start > 4000
    assert end < 6100


@pytest.mark.parametrize("unit", ["@", "@ ", "a@\n", ":1", "::", "1234567", "a" * 700 + "@ "])
def test_time_is_linear_in_traces(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit))).encode()
        start = time.process_time()
        suspicious(text)
        return time.process_time() - start

    assert seconds(1_600_000) < 64 * max(min(seconds(100_000) for _ in range(3)), 0.0002)


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_detectors_that_are_not_asked_would_find_nothing(text: bytes) -> None:
    with pytest.MonkeyPatch.context() as all_asked:
        every = set(range(len(patterns._DETECTORS)))
        all_asked.setattr(patterns._Forms, "in_text", lambda *_: every)
        expected = scan(text)
    assert scan(text) == expected


def test_where_the_one_pass_gives_up_all_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"write to ann@example.org, my card is 4111 1111 1111 1111"
    expected = scan(text)
    assert len(expected) == 2
    # What google-re2 gives when its automaton is out of memory: the same as for no match.
    monkeypatch.setattr(patterns._FORMS, "_set", SimpleNamespace(Match=lambda _: []))
    assert scan(text) == expected


@pytest.mark.parametrize("alphabet", ["0123456789 .-()/", "0123456789 .-()/:@+abDE", "01 -"])
def test_who_is_asked_is_told_in_time_whatever_the_text(alphabet: str) -> None:
    draw = random.Random(1)

    def seconds(letters: str) -> float:
        text = "".join(draw.choices(letters, k=500_000)).encode()
        start = time.process_time()
        patterns._FORMS.in_text(text)
        return time.process_time() - start

    assert seconds(alphabet) < 30 * max(seconds("abc "), 0.0005)


def test_where_traces_are_dense_few_are_sought(monkeypatch: pytest.MonkeyPatch) -> None:
    searches = []

    class Counting:
        def search(self, text: bytes, at: int) -> object:
            searches.append(at)
            return trace.search(text, at)

    trace = module._TRACE
    monkeypatch.setattr(module, "_TRACE", Counting())
    text = b"ab12 " * 100_000
    assert suspicious(text) == [(0, len(text))]
    assert len(searches) < 60
