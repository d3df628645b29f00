"""Values replaced where they stand: the same as parsing, editing and writing, byte by byte."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pointsman.body import ChatBody, RequestBody
from pointsman.errors import EmptyRequestError, InvalidRequestError
from pointsman.splice import Redaction
from tests.spelled_json import chats, completions, randoms, spell


def body(raw: bytes, kind: Any = "chat") -> ChatBody:
    request = RequestBody(kind)
    request.feed(raw)
    return request.finish()


def text_paths(request: dict[str, Any]) -> list[list[tuple[str | int, ...]]]:
    """The paths of all judged texts, by message."""
    if "prompt" in request:
        prompt = request["prompt"]
        paths: list[Any] = [("prompt",)]
        if isinstance(prompt, list):
            paths = [("prompt", index) for index in range(len(prompt))]
        return [[path] for path in [*paths, ("suffix",)] if isinstance(at(request, path), str)]
    found = []
    for index, message in enumerate(request["messages"]):
        where = ("messages", index, "content")
        content = message["content"]
        if isinstance(content, str):
            found.append([where])
            continue
        inner: list[Any] = []
        for number, part in enumerate(content or []):
            if isinstance(part, str):
                inner.append((*where, number))
            elif isinstance(part.get("text"), str):
                inner.append((*where, number, "text"))
        found.append(inner)
    return found


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else value[key]
    return value


def owners(request: dict[str, Any]) -> list[tuple[tuple[str | int, ...], int] | None]:
    """For each code point of the judged text the string that it is in, None for a joint."""
    found: list[Any] = []
    for number, paths in enumerate(text_paths(request)):
        found += [None] if number else []
        for index, path in enumerate(paths):
            found += [None] if index else []
            found += [(path, offset) for offset in range(len(at(request, path)))]
    return found


@st.composite
def redactions(draw: st.DrawFn, length: int) -> list[Redaction]:
    cuts = sorted(draw(st.sets(st.integers(0, length), max_size=8)))
    spans = zip(cuts[::2], cuts[1::2], strict=False)
    replacement = st.one_of(st.just("[PERSON_1]"), st.text('"\\\n\0é😀', max_size=3))
    found = [Redaction(start, end, draw(replacement)) for start, end in spans]
    return draw(st.permutations(found))


@given(st.data(), st.one_of(chats(), completions()), randoms, st.booleans())
def test_splicing_is_editing_each_string_and_leaves_every_other_byte(
    data: st.DataObject, request: dict[str, Any], rng: Any, with_model: bool
) -> None:
    spelled = spell(request, rng)
    raw = bytes(spelled.raw)
    assert json.loads(raw) == request  # the helper does what it says
    try:
        parsed = body(raw, "completions" if "prompt" in request else "chat")
    except EmptyRequestError:
        assume(False)
    owned = owners(request)
    assert len(parsed.chat.text) == len(owned)
    wanted = data.draw(redactions(len(owned)))
    model = data.draw(st.sampled_from(["gpt", 'a"\\é'])) if with_model else None

    # What each code point becomes, at the bytes where it stands.
    edits: dict[tuple[int, int], str] = {}
    for start, end, replacement in wanted:
        for owner in filter(None, owned[start:end]):
            begins = spelled.strings[owner[0]]
            edits[begins[owner[1]], begins[owner[1] + 1]] = replacement
            replacement = ""
    expected = bytearray()
    done = 0
    for (first, last), replacement in sorted(edits.items()):
        expected += raw[done:first] + orjson.dumps(replacement)[1:-1]
        done = last
    expected += raw[done:]

    edited = b"".join(parsed.edited(redactions=wanted))
    assert edited == expected
    changed = json.loads(edited)
    if model is not None:
        both = b"".join(parsed.edited(model=model, redactions=wanted))
        assert json.loads(both) == {**changed, "model": model}
        if ("model",) in spelled.spans:
            first, last = spelled.spans["model",]
            alone = b"".join(parsed.edited(model=model))
            assert alone == raw[:first] + orjson.dumps(model) + raw[last:]


@given(chats(), randoms)
def test_without_edits_the_body_is_as_it_came(request: dict[str, Any], rng: Any) -> None:
    raw = bytes(spell(request, rng).raw)
    try:
        assert body(raw).edited() == [raw]
    except EmptyRequestError:
        assume(False)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"messages":[{"content":"x"}]}', b'{"model":"m","messages":[{"content":"x"}]}'),
        (
            b' {\n "messages":[{"content":"x"}],"a":{"model":"no"}}',
            b' {"model":"m",\n "messages":[{"content":"x"}],"a":{"model":"no"}}',
        ),
        (
            b'{"a":"model","model" :null,"messages":[{"content":"\\"model\\":1"}]}',
            b'{"a":"model","model" :"m","messages":[{"content":"\\"model\\":1"}]}',
        ),
        (
            b'{"messages":[{"content":"x"}],"mod\\u0065l":"\\u0061uto"}',
            b'{"messages":[{"content":"x"}],"mod\\u0065l":"m"}',
        ),
    ],
)
def test_the_model_is_set_where_it_stands(raw: bytes, expected: bytes) -> None:
    assert b"".join(body(raw).edited(model="m")) == expected


def test_a_redaction_over_a_border_stands_once_and_takes_from_both() -> None:
    raw = orjson.dumps(
        {"messages": [{"content": "one two"}, {"content": ["", "three", "four"]}, {"content": "x"}]}
    )
    parsed = body(raw)
    text = parsed.chat.text
    span = (text.index("two"), text.index("ur\n"))
    edited = json.loads(b"".join(parsed.edited(redactions=[Redaction(*span, "[X]")])))
    assert [message["content"] for message in edited["messages"]] == [
        "one [X]",
        ["", "", "ur"],
        "x",
    ]
    # A newline that joins two messages is in neither.
    joint = text.index("\n")
    assert parsed.edited(redactions=[Redaction(joint, joint + 1, "[X]")]) == [raw]


@pytest.mark.parametrize(
    "wrong",
    [[(0, 2), (1, 3)], [(1, 1)], [(2, 1)], [(-1, 2)], [(0, 5)], [(4, 5)]],
)
def test_redactions_that_cannot_be_meant_are_refused(wrong: list[tuple[int, int]]) -> None:
    parsed = body(b'{"messages":[{"content":"text"}]}')
    with pytest.raises(ValueError, match="redaction"):
        parsed.edited(redactions=[Redaction(*span, "x") for span in wrong])


@pytest.mark.parametrize("depth", [200, 400, 900, 1020])
def test_deep_nesting_is_edited_or_refused(depth: int) -> None:
    raw = b'{"a":%b%b,"messages":[{"content":"x"}]}' % (b"[" * depth, b"]" * depth)
    try:
        parsed = body(raw)
        edited = b"".join(parsed.edited(model="m", redactions=[Redaction(0, 1, "y")]))
    except InvalidRequestError as error:
        assert "nested too deep" in str(error)  # noqa: PT017 - either is right
    else:
        assert edited == raw.replace(b'"x"', b'"y"').replace(b"{", b'{"model":"m",', 1)


def test_many_redactions_in_a_long_string_of_every_kind_of_character() -> None:
    text = 'é"\\n😀世\u0000 a' * 40_000
    for ascii_only in (True, False):
        raw = json.dumps({"messages": [{"content": text}]}, ensure_ascii=ascii_only).encode()
        wanted = [Redaction(start, start + 3, "<>") for start in range(0, len(text) - 3, 7)]
        edited = json.loads(b"".join(body(raw).edited(redactions=wanted)))
        pieces = [text[i : i + 7] for i in range(0, len(text), 7)]
        expected = "".join("<>" + p[3:] if len(p) > 3 else p for p in pieces)
        assert edited["messages"][0]["content"] == expected
