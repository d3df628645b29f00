"""Classes of tokens from spans of characters."""

from hypothesis import given
from hypothesis import strategies as st

from training.model.tagging import IGNORED, tag

LABELS = ("O", "B-A", "I-A", "B-B", "I-B")


@st.composite
def texts(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[tuple[str, int, int]]]:
    """Tokens, each of one to four characters with gaps, and spans of whole runs of them."""
    tokens, place = [], 0
    for _ in range(draw(st.integers(1, 30))):
        place += draw(st.integers(0, 2))
        width = draw(st.integers(1, 4))
        tokens.append((place, place + width))
        place += width
    spans, first = [], 0
    while first < len(tokens):
        count = draw(st.integers(1, 4))
        last = min(first + count, len(tokens)) - 1
        if draw(st.booleans()):
            spans.append((draw(st.sampled_from("AB")), tokens[first][0], tokens[last][1]))
        first = last + 1
    return tokens, spans


@given(texts())
def test_spans_can_be_read_back(
    text: tuple[list[tuple[int, int]], list[tuple[str, int, int]]],
) -> None:
    tokens, spans = text
    found: list[tuple[str, int, int]] = []
    for (start, end), number in zip(tokens, tag(tokens, spans, LABELS), strict=True):
        name = LABELS[number]
        if name.startswith("B-"):
            found.append((name[2:], start, end))
        elif name.startswith("I-"):
            found[-1] = (found[-1][0], found[-1][1], end)
    assert found == spans


def test_special_tokens_have_no_class_and_split_words_go_on() -> None:
    offsets = [(0, 0), (0, 2), (2, 5), (6, 7), (0, 0)]
    assert tag(offsets, [("A", 0, 5)], LABELS) == [IGNORED, 1, 2, 0, IGNORED]


def test_a_token_that_a_span_cuts_belongs_to_it() -> None:
    assert tag([(0, 5)], [("B", 2, 4)], LABELS) == [3]
