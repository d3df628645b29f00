"""Personal data replaced by placeholders in a request, and put back into its answer.

What a placeholder stands for is nowhere but in memory, for as long as the request lasts, and in no
representation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson

from pointsman.decision import PiiSpan
from pointsman.splice import Redaction

__all__ = ["Placeholders", "StreamRestorer"]

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")


class Placeholders:
    """The placeholders of one request: ``[EMAIL_ADDRESS_1]``, ``[EMAIL_ADDRESS_2]``, ...

    Attributes:
        redactions: What to put where in the text.
    """

    def __init__(self, redactions: Sequence[Redaction], values: dict[str, str]) -> None:
        self.redactions = list(redactions)
        self._values = values
        # The longest beginnings are all there is to hold back.
        self._beginnings = frozenset(
            name[:length] for name in values for length in range(1, len(name))
        )
        names = "|".join(sorted({_type(name) for name in values}))
        self._pattern = re.compile(rf"\[(?:{names})_[0-9]+\]")

    @classmethod
    def of(cls, text: str, spans: Sequence[PiiSpan]) -> Placeholders:
        """Make placeholders for the spans of a text.

        The same value of the same type has the same placeholder. None is one that the text has
        already.
        """
        types = {span.type: _NOT_IN_NAMES.sub("_", span.type) for span in spans}
        names = "|".join(sorted(set(types.values())))
        taken = set(re.findall(rf"\[(?:{names})_[0-9]+\]", text))
        counts = dict.fromkeys(types.values(), 0)
        known: dict[tuple[str, str], str] = {}
        redactions = []
        for span in spans:
            value, kind = text[span.start : span.end], types[span.type]
            if (kind, value) not in known:
                known[kind, value] = _free(kind, counts, taken)
            redactions.append(Redaction(span.start, span.end, known[kind, value]))
        return cls(redactions, {name: value for (_, value), name in known.items()})

    def restore(self, text: str, *, json_text: bool = False) -> str:
        """Put the values back.

        Args:
            text: An answer, or a part of one that begins and ends outside of placeholders.
            json_text: The text is itself the inside of JSON strings, such as the arguments of a
                tool call: values are escaped as in JSON.
        """
        if not self._values or "[" not in text:
            return text

        def value(found: re.Match[str]) -> str:
            value = self._values.get(found[0])
            if value is None:
                return found[0]
            return orjson.dumps(value).decode()[1:-1] if json_text else value

        return self._pattern.sub(value, text)

    def restorer(self, *, json_text: bool = False) -> StreamRestorer:
        """Return what restores an answer that comes in pieces."""
        return StreamRestorer(self, json_text=json_text)

    def begins_one(self, text: str) -> bool:
        """Whether a text is the beginning of a placeholder, and not a whole one."""
        return text in self._beginnings

    def __repr__(self) -> str:
        return f"<{len(self._values)} placeholders>"


class StreamRestorer:
    """Restores a text that comes in pieces, such as one choice of a streamed answer.

    Nothing is held back but what may be the beginning of a placeholder.
    """

    def __init__(self, placeholders: Placeholders, *, json_text: bool = False) -> None:
        self._placeholders = placeholders
        self._json_text = json_text
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take the next piece; return what can be passed on."""
        text = self._held + piece
        begin = text.rfind("[")
        if begin >= 0 and self._placeholders.begins_one(text[begin:]):
            text, self._held = text[:begin], text[begin:]
        else:
            self._held = ""
        return self._placeholders.restore(text, json_text=self._json_text)

    def flush(self) -> str:
        """Return what was held back, at the end of the text."""
        held, self._held = self._held, ""
        return held


def _type(name: str) -> str:
    return name[1 : name.rindex("_")]


def _free(kind: str, counts: dict[str, int], taken: set[str]) -> str:
    while True:
        counts[kind] += 1
        name = f"[{kind}_{counts[kind]}]"
        if name not in taken:
            return name
