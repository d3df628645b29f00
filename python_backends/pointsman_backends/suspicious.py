"""Finds where in a text personal data of a fixed form can be at all, in one pass.

Each form that ``patterns`` knows has something in it that is rare in prose: six digits close
together, ``@``, ``://``, ``.com``. What is around those is looked at; the rest needs no detector.
"""

from __future__ import annotations

import re

import re2

__all__ = ["suspicious"]

# Each is short, so a search never looks far beyond what it finds: linear, however often it is
# begun anew. Every match of a detector's pattern holds one of them.
_TRACE = re2.compile(
    rb"[0-9](?:[ ().\-/]{0,3}[0-9]){5}"  # card, SSN, phone
    rb"|[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]"
    rb"|\b[A-Za-z]{2}[0-9]{2}"  # IBAN
    rb"|::|(?::[0-9A-Fa-f]{0,4}){7}"  # IPv6
    rb"|@|://|(?i:www)\."
    rb"|\.(?i:com|org|net|edu|gov|mil|info|biz|dev|app|xyz|cloud|online|site|shop|store|tech|blog"
    rb"|[a-z]{2})\b"
)
_SPACE = re.compile(rb"[ \n]")
# Patterns and checks look at no more than this beside a trace and the unbroken word it is in.
_AROUND = 160
# A match goes on for as long, so that searches are few; after a trace that is close to the last
# one, for twice as long as there: where traces are dense, looking at all is faster.
_STRIDE, _LONGEST_STRIDE = 128, 1 << 14
_CLOSE = 512


def suspicious(text: bytes) -> list[tuple[int, int]]:
    """Find stretches [start, end) outside of which no detector finds anything.

    They are ascending, begin and end at spaces, newlines or the ends of the text, and lie apart.
    In a stretch a detector finds what it finds in the whole text.
    """
    stretches: list[tuple[int, int]] = []
    stride = _STRIDE
    start = end = at = 0
    while (trace := _TRACE.search(text, at)) is not None:
        first, last = trace.span()
        is_close = first - at < _CLOSE
        stride = min(2 * stride, _LONGEST_STRIDE) if is_close else max(stride // 2, _STRIDE)
        word = _space_before(text, end, first)
        begin = _space_before(text, end, word - _AROUND)
        if begin > end:
            stretches.append((start, end))
            start = begin
        at = _space_after(text, last + stride)
        end = _space_after(text, at + _AROUND)
    stretches.append((start, end))
    return [stretch for stretch in stretches if stretch[1]]


def _space_before(text: bytes, start: int, end: int) -> int:
    """Where the word at ``end`` begins, or ``start`` if that is later."""
    if end <= start:
        return start
    return max(start, text.rfind(b" ", start, end) + 1, text.rfind(b"\n", start, end) + 1)


def _space_after(text: bytes, start: int) -> int:
    """The next space or newline at or after ``start``, or the end of the text."""
    space = _SPACE.search(text, start)
    return space.start() if space else len(text)
