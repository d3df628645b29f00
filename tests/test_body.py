"""Bodies as they arrive: in any pieces, kept or streamed through."""

from __future__ import annotations

import json
import random
import re
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.body import RequestBody
from pointsman.chat import parse_chat
from pointsman.errors import EmptyRequestError, InvalidRequestError, RequestTooLargeError
from pointsman.scan import ModelScan
from tests.spelled_json import chats, completions, pieces, randoms, spell, texts

TWICE = 'the key "model" occurs twice'


def scanned(chunks: Sequence[bytes]) -> ModelScan:
    scan = ModelScan()
    for chunk in chunks:
        scan.feed(chunk)
    return scan


@given(st.one_of(chats(), completions()), randoms)
def test_the_model_is_found_wherever_it_stands_and_however_it_arrives(
    request: dict[str, Any], rng: random.Random
) -> None:
    spelled = spell(request, rng)
    raw = bytes(spelled.raw)
    scan = scanned(pieces(raw, rng))
    assert scan.model == request.get("model")
    assert scan.position == len(raw)
    if scan.model is None:
        assert scan.span is None
    else:
        assert scan.span == spelled.spans["model",]
        # It is certain with the value's last byte, and not before.
        assert scanned([raw[: scan.span[1]]]).model == scan.model
        assert scanned([raw[: scan.span[1] - 1]]).model is None


@given(chats(), texts, randoms)
def test_a_second_model_is_found_in_any_pieces(
    request: dict[str, Any], second: str, rng: random.Random
) -> None:
    """The first stands in a body of its own, whose end is cut off and the other begins."""
    request["model"] = "exempt"
    raw = bytes(spell(request, rng).raw).rstrip()
    again = bytes(spell({"model": second}, rng).raw).lstrip()
    doubled = raw[:-1] + b"," + again[1:]

    def streamed() -> None:
        body = RequestBody()
        for chunk in pieces(doubled, rng):
            body.feed(chunk)
            if body.model is not None:
                body.stream_through()
        body.stream_through()  # where the model was not looked for early

    with pytest.raises(InvalidRequestError, match=TWICE):
        streamed()
    whole = RequestBody()
    whole.feed(doubled)
    with pytest.raises((InvalidRequestError, EmptyRequestError)):
        whole.finish()


@given(chats(), randoms)
def test_what_only_looks_like_a_second_model_streams_through(
    request: dict[str, Any], rng: random.Random
) -> None:
    request = {"model": "exempt", **request, "x": 'so "model"', "y": "model", "z": {"model": ["]"]}}
    request["model"] = "exempt"
    raw = bytes(spell(request, rng).raw)
    body = RequestBody()
    sent = b""
    streaming = False
    for chunk in pieces(raw, rng):
        body.feed(chunk)
        if streaming:
            sent += chunk
        elif body.model == "exempt":
            sent += body.stream_through()
            streaming = True
    if not streaming:
        sent = body.stream_through()
    assert sent == raw
    with pytest.raises(RuntimeError, match="streamed through"):
        body.finish()


@given(st.text('"\\{}[]:,a ', min_size=1, max_size=300), st.integers(0, 5), st.booleans())
def test_windows_and_marks_skip_alike(text: str, depth: int, in_string: bool) -> None:
    def state(scan: ModelScan, used: int) -> tuple[int, int, bool, bool]:
        return used, scan._depth, scan._in_string, scan._escaped and not used

    outcomes = []
    piece = text.encode()
    for name in ("_skip_short", "_skip_window"):
        scan = ModelScan()
        scan._depth, scan._in_string = depth + 1, in_string or depth == 0
        outcomes.append(state(scan, getattr(scan, name)(piece)))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"{}",
        b"[1]",
        b'"model"',
        b'["model","x"]',
        b'\xef\xbb\xbf{"model":"x"}',
        b'x{"model":"x"}',
        b'{"a":1}{"model":"x"}',
        b'{"model":7,"a":"b"}',
        b'{"model":{"model":"x"}}',
        b'{"model":["x"],"b":"c"}',
        b'{"model":null}',
        b'{"model":"bad \\escape"}',
        b'{"model":"cut',
        b'{"a":{"model":"x"}}',
        b'{"a":"model"}',
        b'{"model":"' + b"x" * 5000 + b'"}',
        '{"model":"x"}'.encode("utf-16"),
        '{"model":"x"}'.encode("utf-32-le"),
    ],
)
def test_no_model_is_found_where_there_is_none(raw: bytes) -> None:
    for size in (1, 7, 10_000):
        chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
        scan = scanned(chunks)
        assert (scan.model, scan.span) == (None, None)
        assert scan.position == len(raw)


@pytest.mark.parametrize("backslashes", [0, 1, 2, 3, 31, 32, 63, 64, 65, 200])
def test_a_long_string_ends_at_its_own_quote(backslashes: int) -> None:
    content = (
        "x" * 5000 + "\\" * backslashes + '"]},"model":"no","' + "y" * 5000 + "\\" * backslashes
    )
    for value in (content, [content, {"b": content}]):
        raw = orjson.dumps({"a": value, "model": "m"})
        for size in (len(raw), 4096, 5003, 2500, 1):
            chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
            assert scanned(chunks).model == "m"


@given(st.binary(max_size=200), randoms)
def test_any_bytes_are_looked_at(raw: bytes, rng: random.Random) -> None:
    try:
        whole = scanned([raw]).model
    except InvalidRequestError:
        with pytest.raises(InvalidRequestError):
            scanned(pieces(raw, rng))
    else:
        assert scanned(pieces(raw, rng)).model == whole


@given(chats(), randoms)
def test_a_body_in_pieces_is_the_body(request: dict[str, Any], rng: random.Random) -> None:
    raw = bytes(spell(request, rng).raw)
    body = RequestBody()
    looking = rng.random() < 0.5
    for chunk in pieces(raw, rng):
        body.feed(chunk)
        if looking:
            assert body.model in (None, request.get("model"))
    try:
        expected = parse_chat(raw)
    except EmptyRequestError:
        with pytest.raises(EmptyRequestError):
            body.finish()
        return
    parsed = body.finish()
    assert (parsed.raw, parsed.request, parsed.kind) == (raw, request, "chat")
    assert (parsed.model, parsed.stream) == (request.get("model"), False)
    assert parsed.chat.text == expected.text
    assert parsed.chat.message_offsets.tolist() == expected.message_offsets.tolist()


def test_the_first_look_is_at_the_first_bytes_and_the_next_at_twice_as_many() -> None:
    body = RequestBody()
    body.feed(b'{"model": "a')
    assert body.model is None
    body.feed(b'bc", ')
    assert body.model is None
    body.feed(b'"temperature": 0')
    assert body.model == "abc"
    body.feed(b', "messages": [{"role": "user", "content": "hi"}]}')
    assert body.finish().model == "abc"


def finished(raw: bytes, kind: Any = "chat") -> Any:
    body = RequestBody(kind)
    body.feed(raw)
    return body.finish()


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"", "not JSON"),
        (b"\xef\xbb\xbf" + b'{"messages": [{"content": "x"}]}', "not JSON"),
        (b'{"messages": [{"content": "x"}]} x', "not JSON"),
        (b'{"messages": [{"content": "x"}]}{}', "not JSON"),
        (b'{"messages": [{"content": "x"}]', "not JSON"),
        (b'{"messages": [{"content": "\xff"}]}', "not UTF-8"),
        (b'{"messages": [{"content": "x"}], "model": 7}', '"model" must be a text, not a number'),
        (b'{"messages": [{"content": "x"}], "stream": "yes"}', '"stream" must be true or false'),
        (b'{"model": "a", "mod\\u0065l": "b", "messages": [{"content": "x"}]}', TWICE),
        (b'{"messages": [{"content": "x"}], "model": "a", "model": "a"}', TWICE),
        (b'{"a": {"model": 1, "\\u006dodel": 2}, "messages": [{"content": "x"}]}', TWICE),
        (b'{"a": {"b\\u003a": 1, "model": 1, "model": 2}, "messages": [{"content": "x"}]}', TWICE),
    ],
)
def test_a_body_that_may_mean_something_else_is_refused(raw: bytes, complaint: str) -> None:
    with pytest.raises(InvalidRequestError, match=complaint):
        finished(raw)


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b'{"messages": [{"content": "x"}]}', 'no "prompt"'),
        (b'{"prompt": null}', 'no "prompt"'),
        (b'{"prompt": 7}', "must be a text or a list of texts, not a number"),
        (b'{"prompt": [1, 2, 3]}', "token ids cannot be judged"),
        (b'{"prompt": ["fine", [1, 2]]}', r"prompt\[1\] must be a text, not a list"),
        (b'{"prompt": "x", "suffix": 1}', '"suffix" must be a text'),
        (b'{"prompt": "x", "prompt": "y"}', "occurs twice"),
        (b'{"prompt": "x", "suffix": "y", "suffi\\u0078": "z"}', "occurs twice"),
        (b'{"prompt": ["a", "b\\ud800"]}', r"prompt\[1\] has a lone surrogate"),
        (b'{"prompt": ["a"], "suffix": "\\ud800"}', "suffix has a lone surrogate"),
        (b"[]", "must be a JSON object"),
    ],
)
def test_each_kind_of_bad_completions_body_is_named(raw: bytes, complaint: str) -> None:
    with pytest.raises(InvalidRequestError, match=complaint):
        finished(raw, "completions")


def test_prompts_and_suffix_are_the_texts_of_a_completions_body() -> None:
    parsed = finished(
        b'{"model": "m", "stream": true, "prompt": ["a", "\\u00e9"], "suffix": "z"}', "completions"
    )
    assert (parsed.chat.text, parsed.chat.message_offsets.tolist()) == ("a\né\nz", [0, 2, 4])
    assert (parsed.kind, parsed.model, parsed.stream) == ("completions", "m", True)
    assert finished(b'{"prompt": "p", "prompt_embeds": "AA"}', "completions").chat.skipped_parts
    for empty in (b'{"prompt": ""}', b'{"prompt": []}', b'{"prompt": [" "], "suffix": "\\n"}'):
        with pytest.raises(EmptyRequestError):
            finished(empty, "completions")


def test_the_limit_holds_while_the_body_arrives_kept_or_not() -> None:
    for streaming in (False, True):
        body = RequestBody(max_body_bytes=100)
        body.feed(b'{"model": "exempt", "messages": [')
        if streaming:
            body.stream_through()
        body.feed(b" " * (100 - 33))
        with pytest.raises(RequestTooLargeError, match="101 bytes, over the limit of 100"):
            body.feed(b" ")


@pytest.mark.parametrize("size", [100, 1000, 65_536, 10 * 2**20])
@pytest.mark.parametrize("first", [True, False])
def test_bodies_of_every_size(size: int, first: bool) -> None:
    content = ('Grüße "quoted" \\ 世界 😀\n' * (size // 20 + 1))[: size // 2]
    inner = {"messages": [{"role": "user", "content": content}]}
    request = {"model": "m", **inner} if first else {**inner, "model": "m"}
    raw = orjson.dumps(request)
    body = RequestBody()
    for at in range(0, len(raw), 65_537):
        body.feed(raw[at : at + 65_537])
        assert body.model in ("m", None)
    parsed = body.finish()
    assert parsed.chat.text == content
    assert orjson.loads(b"".join(parsed.edited(model="n"))) == {**request, "model": "n"}


@pytest.mark.parametrize("filler", [b"plain prose, ", b'\\"', b'"},{"c":"', b"\\\\", b"   "])
def test_streaming_holds_little_whatever_the_size(filler: bytes) -> None:
    chunk = (filler * 70_000)[:65_536]
    body = RequestBody(max_body_bytes=2**30)
    body.feed(b'{"model":"exempt","messages":[{"content":"')
    assert body.model == "exempt"
    assert body.stream_through() == b'{"model":"exempt","messages":[{"content":"'
    for _ in range(3):
        body.feed(chunk)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(64):
            body.feed(chunk)
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after - before < 4096


def test_the_guide_does_what_it_says() -> None:
    guide = (Path(__file__).parents[1] / "docs" / "body.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", guide, re.M | re.S)
    exec(compile(example, "body.md", "exec"), {})


def test_a_printed_body_shows_no_text() -> None:
    parsed = finished(b'{"model": "m", "messages": [{"content": "secret"}]}')
    assert "secret" not in repr(parsed)


def test_a_kept_body_is_copied_once() -> None:
    raw = json.dumps({"messages": [{"content": "x" * 2**22}]}).encode()
    body = RequestBody()
    tracemalloc.start()
    try:
        for at in range(0, len(raw), 2**16):
            body.feed(raw[at : at + 2**16])
        kept = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert kept < 1.5 * len(raw)
    assert body.finish().raw == raw
