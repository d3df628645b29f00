"""Values put back into replies: whatever the pieces and events are cut into."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.decision import PiiSpan
from pointsman.placeholders import Placeholders
from pointsman.restore import reply_restorer

VALUES = ("bob@example.com", 'a "quoted"\n\\ street', "Ünï☃")
TEXT = " ".join(VALUES)


def placeholders() -> Placeholders:
    spans, begin = [], 0
    for kind, value in zip(("EMAIL_ADDRESS", "STREET_ADDRESS", "PERSON"), VALUES, strict=True):
        spans.append(
            PiiSpan(
                type=kind,
                start=begin,
                end=begin + len(value),
                score=1.0,
                source="pattern",
                action="redact",
            )
        )
        begin += len(value) + 1
    return Placeholders.of(TEXT, spans)


NAMES = [redaction.replacement for redaction in placeholders().redactions]
PIECES = st.lists(
    st.one_of(st.sampled_from([*NAMES, "[", "]", "[[", "[EMAIL", "_1]", "[EMAIL_ADDRESS_9]"]),
              st.text(max_size=5)),
    max_size=8,
)  # fmt: skip


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({place % (len(text) + 1) for place in places})
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


def cut_bytes(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places})
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


def restored(reply: bytes, content_type: str, places: list[int]) -> bytes:
    restorer = reply_restorer(placeholders(), content_type)
    assert restorer is not None
    return b"".join(map(restorer.feed, cut_bytes(reply, places))) + restorer.flush()


def event(choice: dict[str, Any], end: str = "\n\n") -> bytes:
    return f"data: {json.dumps({'id': 'x', 'choices': [choice]})}{end}".encode()


def choices(stream: bytes) -> list[dict[str, Any]]:
    lines = [line[5:] for line in stream.splitlines() if line.startswith(b"data:")]
    return [
        choice
        for line in lines
        if line.strip() != b"[DONE]"
        for choice in json.loads(line)["choices"]
    ]


PLACES = st.lists(st.integers(0, 10_000), max_size=20)


@given(PIECES, PLACES, PLACES, st.sampled_from(["\n\n", "\r\n\r\n", "\r\r"]), st.booleans())
def test_a_streamed_text(
    parts: list[str], places: list[int], cuts: list[int], end: str, finishes: bool
) -> None:
    text = "".join(parts)
    events = [event({"index": 0, "delta": {"content": p}}, end) for p in cut(text, places)]
    if finishes:
        events.append(event({"index": 0, "delta": {}, "finish_reason": "stop"}, end))
        events.append(f"data: [DONE]{end}".encode())
    got = choices(restored(b"".join(events), "text/event-stream; charset=utf-8", cuts))
    assert "".join(c["delta"].get("content", "") for c in got) == placeholders().restore(text)
    if finishes:
        assert [c.get("finish_reason") for c in got].index("stop") == len(got) - 1


@given(PIECES, PIECES, PLACES, PLACES)
def test_choices_and_fields_do_not_mix(
    first: list[str], second: list[str], places: list[int], cuts: list[int]
) -> None:
    texts = "".join(first), "".join(second)
    one, two = (cut(text, places) for text in texts)
    events = []
    for number in range(max(len(one), len(two))):
        if number < len(one):
            events.append(event({"index": 0, "text": one[number]}))
            events.append(event({"index": 1, "delta": {"reasoning_content": one[number]}}))
        if number < len(two):
            events.append(event({"index": 1, "delta": {"content": two[number]}}))
    got = choices(restored(b"".join(events), "text/event-stream", cuts))
    wanted = [placeholders().restore(text) for text in texts]
    assert "".join(c.get("text", "") for c in got if c["index"] == 0) == wanted[0]
    deltas = [c["delta"] for c in got if c["index"] == 1]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == wanted[0]
    assert "".join(delta.get("content", "") for delta in deltas) == wanted[1]


@given(PLACES, PLACES)
def test_arguments_of_streamed_tool_calls_stay_json(places: list[int], cuts: list[int]) -> None:
    arguments = json.dumps({"to": " ".join(NAMES)})
    events = [
        event({"index": 0, "delta": {"tool_calls": [{"index": 2, "function": {"arguments": p}}]}})
        for p in cut(arguments, places)
    ]
    events.append(event({"index": 0, "delta": {}, "finish_reason": "tool_calls"}))
    calls = [
        call
        for choice in choices(restored(b"".join(events), "text/event-stream", cuts))
        for call in choice["delta"].get("tool_calls", [])
    ]
    assert {call["index"] for call in calls} == {2}
    assert json.loads("".join(c["function"]["arguments"] for c in calls)) == {"to": TEXT}


@given(st.lists(st.binary(max_size=20), max_size=6), PLACES)
def test_what_holds_no_placeholder_passes_as_it_came(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"\n\n".join(parts)
    assert restored(stream, "text/event-stream", cuts) == stream
    assert restored(stream, "application/json", cuts) == stream


def test_events_come_out_as_soon_as_they_are_whole() -> None:
    restorer = reply_restorer(placeholders(), "text/event-stream")
    assert restorer is not None
    whole = event({"index": 0, "delta": {"content": "a [EMA"}})
    assert restorer.feed(whole[:-1]) == b""
    assert choices(restorer.feed(whole[-1:]))[0]["delta"]["content"] == "a "
    rest = restorer.feed(event({"index": 0, "delta": {"content": "IL_ADDRESS_1] b"}}))
    assert choices(rest)[0]["delta"]["content"] == "bob@example.com b"


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": None},
        {"choices": [None, 1, "x", []]},
        {"choices": [{"index": [], "delta": {"content": "[PERSON_1]"}}]},
        {"choices": [{"delta": {"content": 1, "tool_calls": [None, {"index": {}}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": [], "function": {"arguments": "x"}}]}}]},
        [],
        "x",
        None,
    ],
)
def test_odd_events_do_no_harm(odd: object) -> None:
    stream = f"data: {json.dumps(odd)}\n\n".encode()
    assert restored(stream, "text/event-stream", [3])
    assert restored(json.dumps(odd).encode(), "application/json", [3])


@given(PIECES)
def test_a_whole_reply(parts: list[str]) -> None:
    text = "".join(parts)
    arguments = json.dumps({"q": text})
    call = {"function": {"name": "f", "arguments": arguments}}
    message = {"content": text, "tool_calls": [call]}
    reply = {"id": NAMES[0], "choices": [{"index": 0, "message": message}], "usage": {"n": 1}}
    got = json.loads(restored(json.dumps(reply).encode(), "application/json", [5, 9]))
    assert got["id"] == NAMES[0]
    assert got["choices"][0]["message"]["content"] == placeholders().restore(text)
    call = got["choices"][0]["message"]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"q": placeholders().restore(text)}


def test_other_types_are_not_restored() -> None:
    assert reply_restorer(placeholders(), "text/plain") is None
    assert reply_restorer(placeholders(), "") is None
