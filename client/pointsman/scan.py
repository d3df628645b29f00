"""The top-level "model" of a request body that arrives in pieces, each byte looked at once.

What is nested and what is inside strings is skipped at the speed of numpy; only the top level is
read token by token. Nothing is kept but the beginning of a token that a piece has cut.
"""

from __future__ import annotations

import re

import numpy as np
import orjson
from numpy.typing import NDArray

from pointsman.errors import InvalidRequestError

__all__ = ["ModelScan", "escapes"]

# '"model"' with every letter escaped.
_LONGEST_KEY = 32
_LONGEST_NAME = 1024
# What is skipped is followed mark by mark at first, since most lists are short; from there on in
# windows, which cost the same whatever is in them.
_SHORT = 2**10
_WINDOW = 2**16
# A stretch without a quote that is worth a step of its own.
_LEAP = 2048

_MARK = re.compile(rb'["{}\[\]]')
_UP_TO_MARK = re.compile(rb'[^"{}\[\]]*')
_BEFORE_OBJECT = re.compile(rb"[ \t\r\n]*")
_IS_MARK = bytes(byte in b'"\\{}[]' for byte in range(256))
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def escapes(backslashes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which backslashes escape what follows: every other one of a run.

    Args:
        backslashes: Where they stand, all of them, in order.
    """
    follows = np.empty(backslashes.size, np.bool_)
    follows[:1] = False
    np.equal(backslashes[1:] - backslashes[:-1], 1, out=follows[1:])
    if not follows.any():
        return ~follows
    order = np.arange(backslashes.size)
    first = np.maximum.accumulate(order * ~follows)
    escaping: NDArray[np.bool_] = (order - first) & 1 == 0
    return escaping


class ModelScan:
    """Reads the top level of a JSON object as it arrives.

    What is not JSON is not always noticed, but never taken for a model: whoever parses the whole
    decides.

    Attributes:
        span: Where the value of the first "model" stands, bytes ``[start, end)``; None until its
            end has arrived, and for good when it is no string.
        model: That string.
        done: Whether a first "model" was found, with or without a string, or can no more come.
    """

    def __init__(self) -> None:
        self.span: tuple[int, int] | None = None
        self.model: str | None = None
        self.done = False
        self.position = 0
        """How many bytes were given so far."""
        self._cut = b""  # the beginning of a token
        self._depth = 0  # 1 in the top-level object, more in what is nested
        self._in_string = False  # in one that is skipped
        self._escaped = False  # the next byte belongs to a backslash before it
        self._value_next = False  # after a colon
        self._model_next = False  # after '"model":'
        self._keys = 0

    def feed(self, piece: bytes) -> None:
        """Look at the next bytes.

        Raises:
            InvalidRequestError: A second top-level "model" has come.
        """
        data = self._cut + piece if self._cut else piece
        self.position += len(piece)
        base = self.position - len(data)
        at = 0
        while at < len(data):
            if self._in_string or self._depth > 1:
                at = self._skip(data, at)
            elif (after := self._top(data, at, base)) == at:
                break
            else:
                at = after
        self._cut = data[at:]

    def _top(self, data: bytes, at: int, base: int) -> int:
        """Read one token; return where it ends, or ``at`` when more of it must come."""
        if self._depth == 0:
            return self._outside(data, at)
        end = _UP_TO_MARK.match(data, at).end()  # type: ignore[union-attr]  # always matches
        if end > at:
            colon, comma = data.rfind(b":", at, end), data.rfind(b",", at, end)
            if colon != comma:
                self._value_next = colon > comma
                if comma >= 0 and self._model_next:  # a value that is no string has passed
                    self._model_next = False
                    self.done = True
            return end
        mark = data[at]
        if mark == ord('"'):
            return self._string(data, at, base)
        if self._model_next:
            self._model_next = False
            self.done = True
        self._depth += 1 if mark in b"{[" else -1
        if self._depth == 0:
            self.done = True
        return at + 1

    def _outside(self, data: bytes, at: int) -> int:
        """Find the object's beginning; after its end nothing counts."""
        if self.done:
            return len(data)
        at = _BEFORE_OBJECT.match(data, at).end()  # type: ignore[union-attr]  # always matches
        if at == len(data):
            return at
        if data[at] == ord("{"):
            self._depth = 1
            return at + 1
        self.done = True  # no object: there is no model to come
        return len(data)

    def _string(self, data: bytes, at: int, base: int) -> int:
        """Read a key, or the name of the model; pass over any other string."""
        wanted = self._model_next or not self._value_next
        longest = _LONGEST_NAME if self._model_next else _LONGEST_KEY
        if wanted:
            found = _STRING.match(data, at, at + longest)
            if found is None and len(data) - at < longest:
                return at
            if found is not None:
                self._token(found[0], base + at)
                return found.end()
        if self._model_next:
            self._model_next = False
            self.done = True
        self._in_string = True
        return at + 1

    def _token(self, token: bytes, position: int) -> None:
        try:
            text = orjson.loads(token)
        except orjson.JSONDecodeError:
            text = None
        if self._model_next:
            self._model_next = False
            self.done = True
            self.model = text
            self.span = None if text is None else (position, position + len(token))
        elif text == "model":
            self._keys += 1
            if self._keys > 1:
                raise InvalidRequestError(
                    'the key "model" occurs twice in one object of the request'
                )
            self._model_next = True

    def _skip(self, data: bytes, at: int) -> int:
        """Pass over a string or what is nested; return where the top level goes on, or the end."""
        short = True
        while at < len(data) and (self._in_string or self._depth > 1):
            long = self._in_string and len(data) - at >= _LEAP
            if long and (after := self._leap(data, at)) > at:
                at = after
                short = True
                continue
            piece = data[at : at + (_SHORT if short else _WINDOW)]
            if self._escaped:
                piece = b"." + piece[1:]
            if used := self._skip_short(piece) if short else self._skip_window(piece):
                self._escaped = False
                return at + used
            at += len(piece)
            short = False
        return at

    def _leap(self, data: bytes, at: int) -> int:
        """Pass over a long stretch of a string up to the next quote, and over that."""
        quote = data.find(b'"', at)
        stop = len(data) if quote < 0 else quote
        if stop - at < _LEAP:
            return at
        tail = data[stop - 64 : stop]
        backslashes = len(tail) - len(tail.rstrip(b"\\"))
        if backslashes == len(tail):  # and perhaps more before
            return at
        escaped = backslashes % 2 == 1
        if quote < 0:
            self._escaped = escaped
            return stop
        self._escaped = False
        self._in_string = escaped
        return quote + 1

    def _skip_short(self, piece: bytes) -> int:
        """Follow depth and strings; return where the top level goes on, 0 when it does not."""
        if b"\\" in piece:
            piece = piece.replace(b"\\\\", b"..").replace(b'\\"', b"..")
        self._escaped = piece.endswith(b"\\")
        for found in _MARK.finditer(piece):
            mark = found[0]
            if mark == b'"':
                self._in_string = not self._in_string
            elif not self._in_string:
                self._depth += 1 if mark in b"{[" else -1
            if self._depth == 1 and not self._in_string:
                return found.end()
        return 0

    def _skip_window(self, piece: bytes) -> int:
        """:meth:`_skip_short`, for long pieces: the same, without a step per mark."""
        at = np.flatnonzero(np.frombuffer(piece.translate(_IS_MARK), np.bool_))
        marks = np.frombuffer(piece, np.uint8)[at]
        is_quote = marks == ord('"')
        backslashes = np.flatnonzero(marks == ord("\\"))
        self._escaped = False
        if backslashes.size:
            escaping = backslashes[escapes(at[backslashes])]
            self._escaped = bool(at[escaping[-1]] == len(piece) - 1)
            escaping = escaping[escaping < at.size - 1]
            escaped = (escaping + 1).compress(at.take(escaping + 1) - at.take(escaping) == 1)
            is_quote.put(escaped, False)
        quotes = at[is_quote]
        if self._depth == 1:
            self._in_string = quotes.size == 0
            return 0 if self._in_string else int(quotes[0]) + 1
        folded = marks | 0x20  # [ and ] become { and }
        in_string = (np.add.accumulate(is_quote, dtype=np.uint8) + self._in_string) & 1
        outside = np.flatnonzero((folded & 1) > in_string)  # of the marks, only { and } are odd
        if outside.size:
            # "{" is one less than "|", "}" one more.
            depths = self._depth + np.add.accumulate(ord("|") - folded[outside].astype(np.intp))
            ends = np.flatnonzero(depths == 1)
            if ends.size:
                self._depth = 1
                self._in_string = False
                return int(at[outside[ends[0]]]) + 1
            self._depth = int(depths[-1])
        self._in_string ^= bool(quotes.size & 1)
        return 0
