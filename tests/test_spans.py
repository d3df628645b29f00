"""Span decoding and merging, against a plain-Python oracle and by property."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pointsman_backends.router.spans import Span, decode_spans, merge, softmax

LABELS = ("O", "B-PERSON", "I-PERSON", "B-PHONE_NUMBER", "I-PHONE_NUMBER", "B-GPE", "I-GPE")


def logits_for(*tags: str, confidence: float = 8.0) -> np.ndarray:
    logits = np.zeros((len(tags), len(LABELS)), dtype=np.float32)
    for row, tag in enumerate(tags):
        logits[row, LABELS.index(tag)] = confidence
    return logits


def decode(offsets: list[tuple[int, int]], *tags: str, **options: object) -> list[tuple]:
    spans = decode_spans(
        logits_for(*tags),
        np.array(offsets, dtype=np.int32).reshape(-1, 2),
        LABELS,
        0.5,
        **options,  # type: ignore[arg-type]
    )
    return [(span.type, span.start, span.end) for span in spans]


# "I am Ann Lee." with [CLS] and [SEP]
SENTENCE = [(-1, -1), (0, 1), (2, 4), (5, 8), (9, 12), (12, 13), (-1, -1)]


def test_begin_and_inside_make_one_span_between_special_tokens() -> None:
    tags = ["B-GPE", "O", "O", "B-PERSON", "I-PERSON", "O", "B-GPE"]
    assert decode(SENTENCE, *tags) == [("PERSON", 5, 12)]


def test_inside_without_begin_starts_a_span() -> None:
    assert decode(SENTENCE, "O", "O", "O", "I-PERSON", "I-PERSON", "O", "O") == [("PERSON", 5, 12)]


def test_begin_after_the_same_type_starts_a_new_span() -> None:
    tags = ["O", "O", "O", "B-PERSON", "B-PERSON", "O", "O"]
    assert decode(SENTENCE, *tags) == [("PERSON", 5, 8), ("PERSON", 9, 12)]


def test_change_of_type_ends_a_span() -> None:
    tags = ["O", "O", "O", "B-PERSON", "I-GPE", "O", "O"]
    assert decode(SENTENCE, *tags) == [("PERSON", 5, 8), ("GPE", 9, 12)]


def test_word_takes_its_best_supported_reading_whole() -> None:
    # "Miko lc ic": pieces of one word, the middle one misread.
    pieces = [(0, 4), (4, 6), (6, 8)]
    assert decode(pieces, "B-PERSON", "O", "I-PERSON") == [("PERSON", 0, 8)]
    assert decode(pieces, "O", "O", "I-PERSON") == []
    assert decode(pieces, "B-PERSON", "I-GPE", "I-GPE") == [("GPE", 0, 8)]


def test_begin_and_inside_of_one_type_support_each_other() -> None:
    logits = np.full((1, len(LABELS)), -20.0, dtype=np.float32)
    logits[0, :3] = np.log([0.4, 0.3, 0.3])
    spans = decode_spans(logits, np.array([[0, 3]]), LABELS, 0.5)
    assert [(span.type, round(span.score, 4)) for span in spans] == [("PERSON", 0.6)]


def test_punctuation_stays_outside() -> None:
    # `{"name":"Ann","city":"Rome"}`: no white space at all
    offsets = [(0, 1), (1, 2), (2, 6), (6, 7), (7, 8), (8, 9), (9, 12), (12, 13), (13, 14)]
    tags = ["O", "O", "O", "O", "O", "O", "B-PERSON", "O", "O"]
    assert decode(offsets, *tags) == [("PERSON", 9, 12)]


def test_one_character_between_words_of_an_entity_is_inside() -> None:
    # "555-1234" then ",Ann,Bob": the comma before a B- separates.
    offsets = [(0, 3), (3, 4), (4, 8), (8, 9), (9, 12), (12, 13), (13, 16)]
    tags = ["B-PHONE_NUMBER", "O", "I-PHONE_NUMBER", "O", "B-PERSON", "O", "B-PERSON"]
    assert decode(offsets, *tags) == [
        ("PHONE_NUMBER", 0, 8),
        ("PERSON", 9, 12),
        ("PERSON", 13, 16),
    ]


def test_dropped_text_never_lies_inside_a_span() -> None:
    offsets = [(0, 3), (40, 43)]
    tags = ("B-PERSON", "I-PERSON")
    assert decode(offsets, *tags) == [("PERSON", 0, 43)]
    kept = np.array([[0, 20], [30, 60]])
    assert decode(offsets, *tags, kept=kept) == [("PERSON", 0, 3), ("PERSON", 40, 43)]
    whole = np.array([[0, 20], [20, 60]])
    assert decode(offsets, *tags, kept=whole) == [("PERSON", 0, 43)]


def test_pieces_that_share_a_character_stay_together() -> None:
    # NFD turns one Hangul syllable into several letters, which can become several pieces.
    assert decode([(0, 1), (0, 1), (1, 2)], "B-PERSON", "I-PERSON", "I-PERSON") == [
        ("PERSON", 0, 2)
    ]


def test_threshold_and_score() -> None:
    logits = np.full((2, len(LABELS)), -20.0, dtype=np.float32)
    logits[0, [0, 1]] = np.log([0.2, 0.8])
    logits[1, [0, 2]] = np.log([0.4, 0.6])
    offsets = np.array([[0, 3], [4, 7]])
    (span,) = decode_spans(logits, offsets, LABELS, 0.69)
    assert span.score == pytest.approx(0.7, abs=1e-5)
    assert decode_spans(logits, offsets, LABELS, 0.71) == []


@pytest.mark.parametrize(
    ("logits", "offsets", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 2)), "shape"),
        (np.zeros((2, 7)), np.zeros((3, 2)), "shape"),
        (np.full((1, 7), np.nan), np.array([[0, 1]]), "not finite"),
        (np.full((1, 7), np.inf), np.array([[0, 1]]), "not finite"),
        (np.zeros((2, 7)), np.array([[3, 4], [0, 1]]), "ascending"),
        (np.zeros((1, 7)), np.array([[4, 3]]), "start <= end"),
        (np.zeros((1, 7)), np.array([[-2, 3]]), "start <= end"),
    ],
)
def test_broken_tensors_are_refused(logits: np.ndarray, offsets: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_spans(logits, offsets, LABELS, 0.5)


def test_labels_that_are_not_bio_are_refused() -> None:
    with pytest.raises(ValueError, match="B-TYPE"):
        decode_spans(np.zeros((1, 2)), np.array([[0, 1]]), ("O", "PERSON"), 0.5)
    with pytest.raises(ValueError, match="exactly once"):
        decode_spans(np.zeros((1, 1)), np.array([[0, 1]]), ("B-PERSON",), 0.5)


@given(hnp.arrays(np.float32, (3, 5), elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_softmax_is_a_distribution_for_any_finite_logits(logits: np.ndarray) -> None:
    probabilities = softmax(logits)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-5)
    assert (probabilities >= 0).all()


# -- properties ---------------------------------------------------------------------------------


@st.composite
def tokens(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Logits and valid offsets: ascending pieces with gaps, empty tokens and specials."""
    steps = draw(st.lists(st.tuples(st.sampled_from([0, 0, 1, 3]), st.integers(0, 4)), max_size=24))
    offsets, position = [(-1, -1)], 0
    for gap, length in steps:
        offsets.append((position + gap, position + gap + length))
        position = offsets[-1][1]
    offsets.append((-1, -1))
    seed = draw(st.integers(0, 2**32 - 1))
    scale = draw(st.sampled_from([0.5, 3.0, 10.0]))
    logits = np.random.default_rng(seed).normal(0, scale, (len(offsets), len(LABELS)))
    return logits.astype(np.float32), np.array(offsets, dtype=np.int32)


def oracle(logits: np.ndarray, offsets: np.ndarray) -> list[tuple[str, int, int, float]]:
    """The rules of `decode_spans` one token at a time, for disjoint offsets."""
    probabilities = np.exp(logits - logits.max(1, keepdims=True))
    probabilities /= probabilities.sum(1, keepdims=True)
    types = ["O", "PERSON", "PHONE_NUMBER", "GPE"]
    words: list[dict] = []
    for row, (start, end) in zip(probabilities, offsets.tolist(), strict=True):
        if start < 0 or start == end:
            continue
        mass = [row[0], row[1] + row[2], row[3] + row[4], row[5] + row[6]]
        touches = bool(words) and words[-1]["end"] == start
        if touches and end - start > 1 and words[-1]["last"] > 1:
            words[-1]["mass"].append(mass)
            words[-1].update(end=end, last=end - start)
        else:
            words.append(
                {"start": start, "end": end, "last": end - start, "mass": [mass],
                 "first": row, "touches": touches}
            )  # fmt: skip
    for word in words:
        word["mean"] = np.mean(word["mass"], axis=0)
        second, first = np.sort(word["mean"])[-2:]
        assume(first - second > 1e-5)  # else float32 may choose the other
        word["type"] = int(np.argmax(word["mean"]))
        k = word["type"]
        word["begins"] = k > 0 and word["first"][2 * k - 1] > word["first"][2 * k]
    read = [word["type"] for word in words]
    for left, word, right in zip(words, words[1:], words[2:], strict=False):
        i = words.index(word)
        if (
            read[i] == 0
            and word["end"] - word["start"] == 1
            and word["touches"]
            and right["touches"]
            and read[i - 1] == read[i + 1] != 0
            and not right["begins"]
        ):
            word["type"], word["begins"] = left["type"] or read[i - 1], False
    spans: list[list] = []
    previous = 0
    for word in words:
        k = word["type"]
        if k and k == previous and not word["begins"]:
            spans[-1][2] = word["end"]
            spans[-1][3].extend(m[k] for m in word["mass"])
        elif k:
            spans.append([types[k], word["start"], word["end"], [m[k] for m in word["mass"]]])
        previous = k
    return [(t, a, b, float(np.mean(m))) for t, a, b, m in spans]


@settings(max_examples=300)
@given(tokens())
def test_decoding_agrees_with_the_rules_applied_one_token_at_a_time(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    logits, offsets = case
    expected = oracle(logits.astype(np.float64), offsets)
    found = decode_spans(logits, offsets, LABELS, 0.0)
    assert [s[:3] for s in found] == [e[:3] for e in expected]
    np.testing.assert_allclose([s.score for s in found], [e[3] for e in expected], atol=1e-5)


def assert_valid(spans: list[Span]) -> None:
    for span in spans:
        assert 0 <= span.start < span.end
        assert 0.0 <= span.score <= 1.0 + 1e-6
    for left, right in itertools.pairwise(spans):
        assert left.end <= right.start


@given(tokens(), st.floats(0, 1))
def test_spans_are_sorted_disjoint_and_on_token_edges(
    case: tuple[np.ndarray, np.ndarray], threshold: float
) -> None:
    logits, offsets = case
    spans = decode_spans(logits, offsets, LABELS, threshold)
    assert_valid(spans)
    assert {span.start for span in spans} <= set(offsets[:, 0].tolist())
    assert {span.end for span in spans} <= set(offsets[:, 1].tolist())
    assert all(span.score >= threshold and span.source == "model" for span in spans)


def spans_of(source: str) -> st.SearchStrategy[list[Span]]:
    span = st.builds(
        lambda type_, start, length, score: Span(type_, start, start + length, score, source),  # type: ignore[arg-type]
        st.sampled_from(["EMAIL_ADDRESS", "PERSON"]),
        st.integers(0, 60),
        st.integers(1, 12),
        st.floats(0, 1),
    )
    return st.lists(span, max_size=8)


@given(spans_of("pattern"), spans_of("model"))
@example(
    [Span("EMAIL_ADDRESS", 37, 49, 0, "pattern"), Span("EMAIL_ADDRESS", 52, 53, 0, "pattern")],
    [Span("PERSON", 39, 51, 0, "model"), Span("PERSON", 51, 53, 0, "model")],
)
def test_merge_is_disjoint_and_loses_no_more_than_punctuation(
    pattern: list[Span], model: list[Span]
) -> None:
    merged = merge(pattern, model)
    assert_valid(merged)

    def covered(spans: list[Span]) -> set[int]:
        return {p for span in spans for p in range(span.start, span.end)}

    assert covered([s for s in merged if s.source == "pattern"]) == covered(pattern)
    lost = sorted(covered(model) - covered(merged))
    # Only rests of one or two characters beside a pattern may be lost, of each span by itself.
    inner = {p for span in model for p in range(span.start + 1, span.end)}
    cuts = [i for i in range(1, len(lost)) if lost[i] - lost[i - 1] > 1 or lost[i] not in inner]
    runs = np.split(lost, cuts) if lost else []
    edges = {s.start for s in pattern} | {s.end for s in pattern}
    for run in runs:
        assert len(run) <= 2
        assert int(run[0]) in edges or int(run[-1]) + 1 in edges


def test_pattern_wins_where_they_overlap() -> None:
    email = Span("EMAIL_ADDRESS", 10, 27, 1.0, "pattern")
    inside = Span("PERSON", 10, 14, 0.9, "model")
    runs_in = Span("PERSON", 4, 14, 0.9, "model")
    apart = Span("AGE", 40, 42, 0.8, "model")
    assert merge([email], [inside, apart]) == [email, apart]
    assert merge([email], [runs_in]) == [runs_in._replace(end=10), email]


def test_overlapping_patterns_become_one_of_the_longest_type() -> None:
    email = Span("EMAIL_ADDRESS", 0, 16, 1.0, "pattern")
    domain = Span("DOMAIN_NAME", 5, 18, 1.0, "pattern")
    assert merge([domain, email], []) == [email._replace(end=18)]


def test_many_spans_merge_in_linear_time() -> None:
    pattern = [Span("EMAIL_ADDRESS", i * 20, i * 20 + 9, 1.0, "pattern") for i in range(50_000)]
    model = [Span("PERSON", i * 20 + 10, i * 20 + 19, 0.9, "model") for i in range(50_000)]
    began = time.perf_counter()
    assert len(merge(pattern, model)) == 100_000
    assert time.perf_counter() - began < 5
