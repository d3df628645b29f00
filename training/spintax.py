"""Text templates with slots and inline alternatives ("spintax"), the grammar of generated texts.

A template holds ``{slot}`` places, filled from a table, and ``{one|other|}`` alternatives; both
may nest. Tables are written as plain text, see `table`. Standard library only.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

Slots = Mapping[str, Sequence[str]]

_PLACE = re.compile(r'\{([a-z_]+|[^{}"]*\|[^{}"]*)\}')
_HEADER = re.compile(r"([a-z_]+):")
_MAX_DEPTH = 16


def table(text: str) -> dict[str, tuple[str, ...]]:
    """Read a table of slots.

    Args:
        text: A line ``name:`` starts a slot; each following line holds choices, separated by
            ``" | "``. ``~`` is the empty choice and a backslash before n a line break.

    Returns:
        The choices by slot.

    Raises:
        ValueError: A choice stands before the first header, or a slot is named twice.
    """
    slots: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        header = _HEADER.fullmatch(line.strip())
        if header:
            if header.group(1) in slots:
                raise ValueError(f"slot {header.group(1)!r} is named twice: join its choices")
            current = slots[header.group(1)] = []
        elif line.strip():
            if current is None:
                raise ValueError(f"choices before the first 'name:' line: {line.strip()!r}")
            choices = (c.strip() for c in line.split(" | "))
            current += ["" if c == "~" else c.replace("\\n", "\n") for c in choices]
    return {name: tuple(choices) for name, choices in slots.items()}


def expand(template: str, slots: Slots, rng: random.Random) -> str:
    """Fill every known ``{slot}`` and every ``{a|b}`` of ``template``, innermost first.

    Args:
        template: Text; a name that ``slots`` lacks is left as it stands.
        slots: Choices by name; a choice may hold further slots and alternatives.
        rng: Source of randomness.

    Returns:
        The filled text.

    Raises:
        ValueError: The slots refer to each other in a circle.
    """

    def fill(match: re.Match[str]) -> str:
        inside: str = match.group(1)
        if "|" in inside:
            return rng.choice(inside.split("|"))
        return rng.choice(slots[inside]) if inside in slots else f"{{{inside}}}"

    text = template
    for _ in range(_MAX_DEPTH):
        filled = _PLACE.sub(fill, text)
        if filled == text:
            return text
        text = filled
    raise ValueError(f"slots refer to each other in a circle: {template!r}")


def tidy(text: str) -> str:
    """Mend what filling leaves behind: doubled spaces, spaces before stops, "a apple"."""
    text = re.sub(r"(?<=\S) {2,}", " ", text.strip())
    text = re.sub(r"(?<=\w) +(?=[.,!?;:](?:\s|$))", "", text)
    text = re.sub(r"([.!?])\.(?=\s|$)", r"\1", text)
    text = re.sub(r"\b([Aa])n (?=[bcdfgjklmnpqrstvwxz])", r"\1 ", text)
    return re.sub(r"\b([Aa]) (?=[aeio](?!ne\b))", r"\1n ", text)


def sentence_case(text: str) -> str:
    """Upper-case the first character of ``text``."""
    return text[:1].upper() + text[1:]


def capitalise_sentences(text: str) -> str:
    """Upper-case the first letter of ``text`` and of what follows a stop and a space."""
    return sentence_case(re.sub(r"(?<=[.!?] )[a-z]", lambda m: m.group().upper(), text))
