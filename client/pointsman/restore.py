"""Puts redacted values back into a model's reply, be it one JSON document or a stream of events.

Only strings inside ``choices`` are looked at. Events that hold no placeholder pass as they came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

import orjson

from pointsman.placeholders import Placeholders, StreamRestorer

__all__ = ["ReplyRestorer", "reply_restorer"]

# A string of that name holds JSON of its own: the arguments of a tool call.
_JSON_TEXT = "arguments"
_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
# A reply, or an event, over that is passed on as it came: memory is bounded.
_MOST_BYTES = 32 * 2**20


class ReplyRestorer(Protocol):
    """What is fed comes back, now or later, with values in the place of placeholders."""

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk of the reply; return what can go to the client already."""

    def flush(self) -> bytes:
        """Return the rest, at the end of the reply."""


def reply_restorer(placeholders: Placeholders, content_type: str) -> ReplyRestorer | None:
    """Return what restores a reply of a content type; None for types that are not restored."""
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return _Document(placeholders)
        case "text/event-stream":
            return _Events(placeholders)
    return None


class _Document:
    """A reply that is one JSON document."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self._held = bytearray()
        self._passing = False

    def feed(self, chunk: bytes) -> bytes:
        if self._passing:
            return chunk
        self._held += chunk
        if len(self._held) <= _MOST_BYTES:
            return b""
        self._passing = True
        return self._take()

    def flush(self) -> bytes:
        body = self._take()
        try:
            reply = orjson.loads(body)
        except orjson.JSONDecodeError:
            return body
        if not isinstance(reply, dict) or "choices" not in reply:
            return body
        restored = self._restored(reply["choices"], json_text=False)
        return body if restored == reply["choices"] else orjson.dumps(reply | {"choices": restored})

    def _take(self) -> bytes:
        body = bytes(self._held)
        self._held.clear()
        return body

    def _restored(self, value: Any, *, json_text: bool) -> Any:  # noqa: ANN401 (any JSON)
        match value:
            case str():
                return self._placeholders.restore(value, json_text=json_text)
            case list():
                return [self._restored(item, json_text=json_text) for item in value]
            case dict():
                return {
                    key: self._restored(item, json_text=key == _JSON_TEXT)
                    for key, item in value.items()
                }
        return value


Path = tuple[str | int, ...]


class _Events:
    """A reply that is a stream of events, each with a piece of the text of some strings.

    What a string ends with may be the beginning of a placeholder; it is held until more of the
    same string has come, or the choice is finished.
    """

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self._held = bytearray()
        self._looked = 0
        self._passing = False
        # Of each choice, the strings begun: by their place in the choice.
        self._strings: dict[int, dict[Path, StreamRestorer]] = {}
        self._head: dict[str, Any] = {}

    def feed(self, chunk: bytes) -> bytes:
        if self._passing:
            return chunk
        self._held += chunk
        out = bytearray()
        begin = 0
        # The end of an event may have been cut in its middle.
        for end in _END.finditer(self._held, max(0, self._looked - 3)):
            out += self._event(bytes(self._held[begin : end.end()]))
            begin = end.end()
        del self._held[:begin]
        self._looked = len(self._held)
        if self._looked > _MOST_BYTES:
            self._passing = True
            out += self._rests(list(self._strings)) + self._held
            self._held.clear()
        return bytes(out)

    def flush(self) -> bytes:
        # A last event without its end, or a stream that broke.
        return self._rests(list(self._strings)) + bytes(self._held)

    def _event(self, event: bytes) -> bytes:
        lines = event.splitlines(keepends=True)
        data = [line for line in lines if line.startswith(b"data:")]
        if len(data) != 1:
            return event
        document = data[0][5:].strip()
        if document == b"[DONE]":
            return self._rests(list(self._strings)) + event
        try:
            reply = orjson.loads(document)
        except orjson.JSONDecodeError:
            return event
        if not isinstance(reply, dict) or not isinstance(reply.get("choices"), list):
            return event
        self._head = {key: value for key, value in reply.items() if key not in ("choices", "usage")}
        before, changed = b"", False
        for choice in reply["choices"]:
            if isinstance(choice, dict) and isinstance(choice.get("index", 0), int):
                finished = choice.get("finish_reason") is not None
                changed |= self._restore(choice, finished=finished)
                if finished:
                    before += self._rests([choice.get("index", 0)])
        if not changed:
            return before + event
        edited = b"data: " + orjson.dumps(reply) + data[0][len(data[0].rstrip(b"\r\n")) :]
        return before + b"".join(edited if line is data[0] else line for line in lines)

    def _restore(self, choice: dict[str, Any], *, finished: bool) -> bool:
        """Put values into a choice's new pieces of text; say whether that changed it."""
        strings = self._strings.setdefault(choice.get("index", 0), {})
        changed = False
        for path, holder, key in _pieces(choice):
            if path not in strings:
                strings[path] = self._placeholders.restorer(json_text=key == _JSON_TEXT)
            piece = strings[path].feed(holder[key])
            if finished:
                piece += strings.pop(path).flush()
            changed |= piece != holder[key]
            holder[key] = piece
        return changed

    def _rests(self, indices: list[int]) -> bytes:
        """Events with what was held of some choices, which get no more."""
        events = b""
        for index in indices:
            for path, string in self._strings.pop(index, {}).items():
                if rest := string.flush():
                    choice = {"index": index, **_nested(path, rest), "finish_reason": None}
                    events += b"data: %b\n\n" % orjson.dumps(self._head | {"choices": [choice]})
        return events


def _pieces(choice: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any], str]]:
    """The pieces of text in a choice of an event: place in the choice, and the string itself."""
    if isinstance(choice.get("text"), str):
        yield ("text",), choice, "text"
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return
    for key in ("content", "refusal", "reasoning_content", "reasoning"):
        if isinstance(delta.get(key), str):
            yield ("delta", key), delta, key
    calls = delta.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get(_JSON_TEXT), str):
            number = call.get("index")
            number = number if isinstance(number, int) else 0
            yield ("delta", "tool_calls", number, "function", _JSON_TEXT), function, _JSON_TEXT
    function = delta.get("function_call")
    if isinstance(function, dict) and isinstance(function.get(_JSON_TEXT), str):
        yield ("delta", "function_call", _JSON_TEXT), function, _JSON_TEXT


def _nested(path: Path, text: str) -> dict[str, Any]:
    """A piece of text at its place in a choice."""
    value: Any = text
    for position in range(len(path) - 1, -1, -1):
        part = path[position]
        value = [{"index": part, **value}] if isinstance(part, int) else {part: value}
    assert isinstance(value, dict)  # noqa: S101 (for the type checker: no path begins with a number)
    return value
