"""The domain's hand-written texts: labelled, many, each different, and partly held out."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from training.dedupe import grams
from training.domain import written
from training.domain.data import LABELS

LEAST = {"requests": 60, "examinations": 20}


@pytest.mark.parametrize("kind", written.KINDS)
def test_every_label_has_enough_texts_and_no_other_label_exists(kind: str) -> None:
    counts = Counter(label for _, label in written.texts(kind))
    assert set(counts) == set(LABELS)
    assert min(counts.values()) >= LEAST[kind]


def test_line_breaks_are_read_and_nothing_is_empty() -> None:
    found = [text for kind in written.KINDS for text, _ in written.texts(kind)]
    assert all(text.strip() == text and text for text in found)
    assert not any("¶" in text for text in found)
    assert any("\n" in text for text in found)


def test_no_two_texts_share_eight_words_in_a_row() -> None:
    owner: dict[tuple[str, ...], str] = {}
    for text, _ in itertools.chain.from_iterable(map(written.texts, written.KINDS)):
        for gram in grams(text):
            assert gram not in owner, (text, owner[gram])
        owner.update(dict.fromkeys(grams(text), text))


@pytest.mark.parametrize("kind", written.KINDS)
def test_about_a_tenth_is_held_out_and_the_rest_trained_on(kind: str) -> None:
    held_out, training = set(written.held_out(kind)), set(written.training(kind))
    assert not held_out & training
    assert held_out | training == set(written.texts(kind))
    assert 0.05 < len(held_out) / len(written.texts(kind)) < 0.16


def test_case_and_stops_do_not_move_a_text_out_of_the_held_out_tenth() -> None:
    for text, _ in written.texts("requests"):
        assert written.is_held_out(text) == written.is_held_out(text.lower() + " !")


def test_pairs_follow_the_seed_and_keep_held_out_texts_out() -> None:
    pairs = written.pairs(random.Random(3))
    assert pairs == written.pairs(random.Random(3)) != written.pairs(random.Random(4))
    assert {label for _, label in pairs} == set(LABELS)
    assert all(text.strip() for text, _ in pairs)
    held_out = [text for kind in written.KINDS for text, _ in written.held_out(kind)]
    assert not any(text in drawn for text in held_out for drawn, _ in pairs)


def test_a_request_stays_whole_at_the_end_of_its_chat() -> None:
    requests = written.training("requests")
    chats = written.pairs(random.Random(5))[-len(requests) :]
    assert [label for _, label in chats] == [label for _, label in requests]
    kept = [r.lower() in chat.lower() for (r, _), (chat, _) in zip(requests, chats, strict=True)]
    assert all(kept)
