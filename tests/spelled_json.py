"""JSON written in every way that it can be, with a record of where each string's characters are."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]

_SHORT = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r"}
_SHORT["\t"] = "\\t"


@dataclass
class Spelled:
    """A document.

    Attributes:
        raw: the document.
        strings: for the path of each string that is a value, where each of its code points begins,
            and where the last one ends.
        spans: for the path of each value, its bytes.
    """

    raw: bytearray = field(default_factory=bytearray)
    strings: dict[Path, list[int]] = field(default_factory=dict)
    spans: dict[Path, tuple[int, int]] = field(default_factory=dict)


def spell(value: Any, rng: random.Random) -> Spelled:
    """Write a value, choosing escapes and white space at random."""
    written = Spelled()
    _space(written.raw, rng)
    _write(written, value, (), rng)
    _space(written.raw, rng)
    return written


def _write(written: Spelled, value: Any, path: Path, rng: random.Random) -> None:
    raw = written.raw
    begin = len(raw)
    if isinstance(value, str):
        written.strings[path] = _string(raw, value, rng)
    elif isinstance(value, dict | list):
        raw += b"{" if isinstance(value, dict) else b"["
        _space(raw, rng)
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for number, (key, inner) in enumerate(items):
            raw += b"," if number else b""
            _space(raw, rng)
            if isinstance(value, dict):
                _string(raw, key, rng)
                _space(raw, rng)
                raw += b":"
                _space(raw, rng)
            _write(written, inner, (*path, key), rng)
            _space(raw, rng)
        raw += b"}" if isinstance(value, dict) else b"]"
    else:
        raw += json.dumps(value).encode()
    written.spans[path] = (begin, len(raw))


def _space(raw: bytearray, rng: random.Random) -> None:
    if rng.random() < 0.2:
        raw += "".join(rng.choices(" \t\r\n", k=rng.randint(1, 3))).encode()


def _string(raw: bytearray, text: str, rng: random.Random) -> list[int]:
    """Write a string; return where each code point begins, and where the last one ends."""
    escaping = rng.choice((0.0, 0.1, 1.0))
    raw += b'"'
    begins = []
    for character in text:
        begins.append(len(raw))
        if rng.random() < escaping:
            units = character.encode("utf-16-be").hex()
            digits = [units[at : at + 4] for at in range(0, len(units), 4)]
            spelling = "".join(
                "\\u" + (unit if rng.random() < 0.5 else unit.upper()) for unit in digits
            )
            if character in _SHORT and rng.random() < 0.7:
                spelling = _SHORT[character]
        elif character in '"\\' or character < " ":
            spelling = _SHORT.get(character, f"\\u{ord(character):04x}")
        else:
            spelling = character
        raw += spelling.encode()
    begins.append(len(raw))
    raw += b'"'
    return begins


def pieces(document: bytes, rng: random.Random) -> list[bytes]:
    """Cut a document: into single bytes, a few pieces, or none at all."""
    longest = rng.choice((1, 3, 100, 10**9))
    found = []
    at = 0
    while at < len(document):
        step = rng.randint(1, longest)
        found.append(document[at : at + step])
        at += step
    return found


texts = st.text(
    st.one_of(
        st.sampled_from('"\\/\n\t\0[]{}:,aé世😀𐀀\U0010ffff\u2028'),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=30,
)
parts = st.one_of(
    texts,
    texts.map(lambda text: {"type": "text", "text": text}),
    st.just({"type": "image_url", "image_url": {"url": "data:x", "text": "not judged"}}),
)
messages = st.one_of(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "tool"]), "content": texts},
        optional={"name": texts},
    ),
    st.fixed_dictionaries(
        {"content": st.lists(parts, max_size=4), "role": st.just("user")},
        optional={"extra": st.just({"content": "not judged", "text": ["x"], "model": "no"})},
    ),
    st.just({"role": "assistant", "content": None, "tool_calls": [{"text": "content"}]}),
)
others = st.dictionaries(
    st.sampled_from(
        ["a", "temperature", "models", "mode", "metadata", "content", "stream_options"]
    ),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-5, 10**12), st.just("model"), texts),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["model", "messages", "b", "]"]), inner, max_size=3),
        ),
        max_leaves=8,
    ),
    max_size=4,
)
"""Keys beside those that matter, with much that looks like them."""


@st.composite
def chats(draw: st.DrawFn) -> dict[str, Any]:
    """A chat request, its keys in any order; there may be no model."""
    request = draw(others)
    request["messages"] = draw(st.lists(messages, min_size=1, max_size=5))
    if draw(st.booleans()):
        request["model"] = draw(st.one_of(st.none(), st.just("auto"), texts))
    return {key: request[key] for key in draw(st.permutations(sorted(request)))}


@st.composite
def completions(draw: st.DrawFn) -> dict[str, Any]:
    """A completions request, likewise."""
    request = draw(others)
    request["prompt"] = draw(st.one_of(texts, st.lists(texts, min_size=1, max_size=4)))
    if draw(st.booleans()):
        request["suffix"] = draw(st.one_of(st.none(), texts))
    if draw(st.booleans()):
        request["model"] = draw(st.one_of(st.none(), texts))
    return {key: request[key] for key in draw(st.permutations(sorted(request)))}


randoms = st.integers(0, 2**32).map(random.Random)
