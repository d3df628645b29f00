"""Values of a JSON document replaced where they stand in its bytes; all else stays as it is.

Only what is replaced is located. The document must be JSON, and no key of those looked for may
occur twice in one object (`pointsman.chat.parse_body` sees to both).
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np
import orjson

from pointsman.chat import ChatText, Kind
from pointsman.errors import InvalidRequestError
from pointsman.scan import escapes

__all__ = ["Edit", "Redaction", "model_edit", "redaction_edits", "spliced"]


class Redaction(NamedTuple):
    """What to put in place of code points ``[start, end)`` of the judged text."""

    start: int
    end: int
    replacement: str


class Edit(NamedTuple):
    """What to put in place of bytes ``[start, end)`` of the document."""

    start: int
    end: int
    replacement: bytes


_T = TypeVar("_T")


class _Model(msgspec.Struct):
    model: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Message(msgspec.Struct, gc=False):
    content: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Chat(msgspec.Struct):
    messages: list[_Message]


class _Part(msgspec.Struct):
    text: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Completions(msgspec.Struct):
    prompt: msgspec.Raw
    suffix: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_MODEL = msgspec.json.Decoder(_Model)
_CHAT = msgspec.json.Decoder(_Chat)
_PART = msgspec.json.Decoder(_Part)
_COMPLETIONS = msgspec.json.Decoder(_Completions)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class _Text(NamedTuple):
    """A text of the request: where it begins in the judged text, and the JSON string it is in."""

    begin: int
    text: str
    raw: msgspec.Raw


def spliced(document: bytes, edits: Iterable[Edit]) -> list[bytes]:
    """Apply edits, which must not overlap; return the new document in pieces."""
    pieces = []
    done = 0
    for start, end, replacement in sorted(edits):
        pieces += [document[done:start], replacement]
        done = end
    pieces.append(document[done:])
    return [piece for piece in pieces if piece]


def model_edit(document: bytes, model: str, span: tuple[int, int] | None = None) -> Edit:
    """Set the top-level "model"; a document without one gains it, as the first key.

    Args:
        document: An object with at least one key.
        model: The new value.
        span: Where the present value stands, if known.
    """
    value = orjson.dumps(model)
    if span is None:
        found = _decode(_MODEL, document).model
        if found is msgspec.UNSET:
            begin = document.index(b"{") + 1
            return Edit(begin, begin, b'"model":' + value + b",")
        span = _Addresses(document).find(found)
    return Edit(*span, value)


def redaction_edits(
    document: bytes,
    kind: Kind,
    request: dict[str, Any],
    chat: ChatText,
    redactions: Sequence[Redaction],
) -> list[Edit]:
    """Locate redactions in the document.

    A redaction that reaches over the border of two texts (messages, or parts of one) has its
    replacement in the first of them that it takes anything from, and nothing in the others. The
    newlines that join texts are not in the document, so there is nothing to take of them.

    Args:
        document: The body.
        kind: What it is.
        request: The same, decoded.
        chat: Its text.
        redactions: In any order, disjoint, offsets in code points of ``chat.text``.

    Raises:
        ValueError: Redactions overlap, are empty or reach beyond the text.
    """
    if not redactions:
        return []
    redactions = sorted(redactions)
    _check(redactions, len(chat.text))
    touched = _touched(chat.message_offsets.tolist(), redactions)
    found = _chat_texts if kind == "chat" else _completions_texts
    texts = list(found(document, request, touched))
    return _edits(document, texts, list(_cut(redactions, texts)))


def _check(redactions: Sequence[Redaction], length: int) -> None:
    end = 0
    for redaction in redactions:
        if not end <= redaction.start < redaction.end <= length:
            raise ValueError(
                f"a redaction of [{redaction.start}, {redaction.end}) is empty, overlaps the one "
                f"before, which ends at {end}, or is beyond the text's {length} code points"
            )
        end = redaction.end


def _touched(begins: list[int], redactions: Sequence[Redaction]) -> list[tuple[int, int]]:
    """The messages that redactions take something from, each with where it begins, in order."""
    touched: list[int] = []
    for start, end, _ in redactions:
        first = bisect_right(begins, start) - 1
        last = bisect_right(begins, end - 1) - 1
        touched += range(max(first, touched[-1] + 1) if touched else first, last + 1)
    return [(index, begins[index]) for index in touched]


def _chat_texts(
    document: bytes, request: dict[str, Any], messages: Iterable[tuple[int, int]]
) -> Iterator[_Text]:
    """The texts of some messages, each given by its number and where it begins."""
    raws = _decode(_CHAT, document).messages
    for index, begin in messages:
        content, raw = request["messages"][index].get("content"), raws[index].content
        if isinstance(content, str):
            yield _Text(begin, content, _present(raw))
        elif content:
            part_raws: list[msgspec.Raw] = _decode(_LIST, _present(raw))
            for part, part_raw in zip(content, part_raws, strict=True):
                if isinstance(part, str):
                    found = _Text(begin, part, part_raw)
                elif isinstance(part.get("text"), str):
                    found = _Text(begin, part["text"], _present(_decode(_PART, part_raw).text))
                else:
                    continue
                yield found
                begin += len(found.text) + 1


def _completions_texts(
    document: bytes, request: dict[str, Any], messages: Iterable[tuple[int, int]]
) -> Iterator[_Text]:
    """The prompts, each given by its number and where it begins; the suffix is the last of them."""
    found = _decode(_COMPLETIONS, document)
    prompt = request["prompt"]
    single = isinstance(prompt, str)
    texts = [prompt] if single else [*prompt]
    raws = [found.prompt] if single else _decode(_LIST, found.prompt)
    if request.get("suffix") is not None:
        texts.append(request["suffix"])
        raws.append(_present(found.suffix))
    for index, begin in messages:
        yield _Text(begin, texts[index], raws[index])


def _cut(
    redactions: Sequence[Redaction], texts: Sequence[_Text]
) -> Iterator[tuple[int, int, int, str]]:
    """Cut redactions at the borders of texts; yield the number of the text with each piece."""
    ends = [text.begin + len(text.text) for text in texts]
    first = 0
    for start, end, replacement in redactions:
        while first < len(texts) and ends[first] <= start:
            first += 1
        number = first
        while number < len(texts) and (begin := texts[number].begin) < end:
            low, high = max(start, begin), min(end, ends[number])
            if low < high:
                yield number, low, high, replacement
                replacement = ""
            number += 1


def _edits(
    document: bytes, texts: Sequence[_Text], pieces: Sequence[tuple[int, int, int, str]]
) -> list[Edit]:
    """Turn pieces of redactions into edits of the document."""
    addresses = _Addresses(document)
    edits = []
    for number, group in groupby(pieces, key=itemgetter(0)):
        text = texts[number]
        span = addresses.find(text.raw)
        cuts = [(low - text.begin, high - text.begin, new) for _, low, high, new in group]
        points = [point for low, high, _ in cuts for point in (low, high)]
        offsets = iter(_byte_offsets(document, span, text.text, points))
        edits += [
            Edit(start, end, orjson.dumps(new)[1:-1])
            for start, end, (_, _, new) in zip(offsets, offsets, cuts, strict=True)
        ]
    return edits


def _byte_offsets(
    document: bytes, span: tuple[int, int], text: str, points: list[int]
) -> list[int]:
    """Turn offsets in a text's code points into offsets in the document.

    Args:
        document: The document.
        span: Where the JSON string stands, with its quotes.
        text: What it spells.
        points: Offsets, ascending.
    """
    begin, end = span[0] + 1, span[1] - 1
    if end - begin == len(text):  # all ASCII, and nothing escaped
        return [begin + point for point in points]
    for spell in (_compact, _ascii):
        offsets = _offsets_as_spelled(document, begin, text, points, spell)
        if offsets is not None:
            return offsets
    return [begin + at for at in _offsets_in_any(document[begin:end], len(text), points)]


def _compact(text: str) -> bytes:
    """Spell a text as most do: nothing is escaped that need not be."""
    return orjson.dumps(text)[1:-1]


def _ascii(text: str) -> bytes:
    """Spell a text as Python does unless told otherwise."""
    return json.dumps(text)[1:-1].encode()


def _offsets_as_spelled(
    document: bytes, at: int, text: str, points: list[int], spell: Callable[[str], bytes]
) -> list[int] | None:
    """:func:`_byte_offsets`, or None if the text is not spelled this way."""
    offsets = []
    done = 0
    for point in points:
        piece = spell(text[done:point])
        if not document.startswith(piece, at):
            return None
        done, at = point, at + len(piece)
        offsets.append(at)
    return offsets


def _offsets_in_any(inside: bytes, length: int, points: list[int]) -> list[int]:
    """Do the same in the inside of a JSON string of so many code points, however it is spelled."""
    data = np.frombuffer(inside, np.uint8)
    backslashes = np.flatnonzero(data == ord("\\"))
    escaping = backslashes[escapes(backslashes)]
    inner = [escaping + 1]
    unicode = escaping[data[escaping + 1] == ord("u")]
    if unicode.size:
        inner += [unicode + digit for digit in range(2, 6)]
        # Of two surrogates, \\uD800 to \\uDBFF and \\uDC00 to \\uDFFF, the second begins nothing.
        high, low = data[unicode + 2] | 0x20, data[unicode + 3] | 0x20
        inner.append(unicode[(high == ord("d")) & (low >= ord("c"))])
    if not inside.isascii():
        inner.append(np.flatnonzero((data & 0xC0) == 0x80))
    others = np.concatenate(inner)  # bytes that begin no code point
    others.sort(kind="stable")
    if data.size - others.size != length:
        raise RuntimeError(f"strings of {length} code points spell {data.size - others.size}")
    before = others - np.arange(others.size)  # how many code points begin before each of them
    found: list[int] = (points + before.searchsorted(points, side="right")).tolist()
    return found


def _present(raw: msgspec.Raw | msgspec.UnsetType) -> msgspec.Raw:
    if raw is msgspec.UNSET:
        raise RuntimeError("a value that was read is not found again")
    return raw


def _decode(decoder: msgspec.json.Decoder[_T], document: bytes | msgspec.Raw) -> _T:
    try:
        return decoder.decode(document)
    except RecursionError:
        raise InvalidRequestError("the request is nested too deep") from None


class _Addresses:
    """Finds where values that msgspec cut out, without a copy, stand in a document."""

    def __init__(self, document: bytes) -> None:
        self._begin = _address(document)
        self._size = len(document)

    def find(self, raw: msgspec.Raw) -> tuple[int, int]:
        """Return where a value begins and ends."""
        start = _address(raw) - self._begin
        end = start + len(memoryview(raw))
        if not 0 <= start < end <= self._size:
            raise RuntimeError("a value was copied from its document and cannot be located")
        return start, end


def _address(buffer: bytes | msgspec.Raw) -> int:
    address: int = np.frombuffer(buffer, np.uint8).__array_interface__["data"][0]
    return address
