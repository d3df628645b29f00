"""Encodings, suffixes and variants of safety texts; a variant keeps track of the attack in it."""

from __future__ import annotations

import base64
import codecs
import random
import re
import urllib.parse
from collections.abc import Callable, Mapping

from training.safety.words import COMMON, HARMLESS_WORDS, load
from training.spintax import expand, sentence_case, tidy

Span = tuple[int, int]

# --------------------------------------------------------------------------------------------
# Encodings
# --------------------------------------------------------------------------------------------

_LEET = str.maketrans("aeiostAEIOST", "431057431057")
_LOOKALIKES = str.maketrans("aceiopsxyABCEHKMOPTXjh", "асеіорѕхуАВСЕНКМОРТХјһ")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(33, 127)}
_MORSE = {row[:1]: row[2:] for row in load("disguise_morse")["letter"]}


def _morse(text: str) -> str:
    return " / ".join(
        " ".join(_MORSE[c] for c in word if c in _MORSE) for word in text.lower().split()
    )


def _pig_latin(text: str) -> str:
    return " ".join(word[1:] + word[:1] + "ay" if word.isalpha() else word for word in text.split())


ENCODERS: Mapping[str, Callable[[str], str]] = {
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 (URL-safe)": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "base32": lambda s: base64.b32encode(s.encode()).decode(),
    "base85": lambda s: base64.b85encode(s.encode()).decode(),
    "ascii85": lambda s: base64.a85encode(s.encode(), adobe=True).decode(),
    "hex": lambda s: s.encode().hex(),
    "hexadecimal bytes": lambda s: s.encode().hex(" "),
    "escaped bytes": lambda s: "".join(f"\\x{b:02x}" for b in s.encode()),
    "unicode escapes": lambda s: "".join(f"\\u{ord(c):04x}" for c in s),
    "binary": lambda s: " ".join(f"{b:08b}" for b in s.encode()),
    "octal": lambda s: " ".join(f"{b:03o}" for b in s.encode()),
    "percent encoding": lambda s: "".join(f"%{b:02X}" for b in s.encode()),
    "URL encoding": urllib.parse.quote,
    "HTML entities": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "decimal character codes": lambda s: " ".join(str(ord(c)) for c in s),
    "rot13": lambda s: codecs.encode(s, "rot13"),
    "Caesar cipher": lambda s: "".join(
        chr((ord(c) - 94) % 26 + 97) if "a" <= c <= "z" else c for c in s.lower()
    ),
    "Atbash": lambda s: "".join(chr(219 - ord(c)) if "a" <= c <= "z" else c for c in s.lower()),
    "leetspeak": lambda s: s.translate(_LEET),
    "reversed text": lambda s: s[::-1],
    "words in reverse order": lambda s: " ".join(reversed(s.split())),
    "Morse code": _morse,
    "pig latin": _pig_latin,
    "spaced letters": lambda s: "  ".join(" ".join(word) for word in s.split()),
    "dotted letters": lambda s: " ".join(".".join(word) for word in s.split()),
    "dashed letters": lambda s: " ".join("-".join(word) for word in s.split()),
    "zero-width characters": lambda s: "\u200b".join(s),
    "look-alike letters": lambda s: s.translate(_LOOKALIKES),
    "full-width letters": lambda s: s.translate(_FULL_WIDTH),
    "letters with marks": lambda s: "".join(c + "\u0335" if c.isalpha() else c for c in s),
    "quoted chunks": lambda s: " + ".join(f"'{s[i : i + 7]}'" for i in range(0, len(s), 7)),
    "first letters of lines": lambda s: "\n".join(f"{c} is for {c}" for c in s if c.isalpha()),
}
_LEGIBLE = frozenset(
    {
        "leetspeak", "words in reverse order", "spaced letters", "dotted letters", "dashed letters",
        "zero-width characters", "look-alike letters", "full-width letters", "letters with marks",
    }
)  # fmt: skip

FRAMES = load("disguise_frames")


def _frame(kind: str, name: str, payload: str, rng: random.Random) -> tuple[str, Span]:
    frame = expand(rng.choice(FRAMES[kind]).replace("{E}", name), COMMON, rng)
    before, _, after = frame.partition("<X>")
    return before + payload + after, (len(before), len(before) + len(payload))


def encoded_attack(payload: str, rng: random.Random) -> str:
    """Return an attack in disguise, mostly with the order to decode and obey it."""
    name = rng.choice(sorted(ENCODERS))
    text, _ = _frame("obey", name, ENCODERS[name](payload), rng)
    return text


def legible_disguise(payload: str, rng: random.Random) -> str:
    """Return ``payload`` in letters that a person can still read."""
    return ENCODERS[rng.choice(sorted(_LEGIBLE))](payload)


def encoded_benign(text: str, rng: random.Random) -> str:
    """Return a harmless request about an encoded text, or data that merely looks encoded."""
    if rng.random() < 0.6:
        name = rng.choice(sorted(ENCODERS))
        kind = "read" if rng.random() < 0.8 else "obey"
        return _frame(kind, name, ENCODERS[name](text[:120]), rng)[0]
    blob = bytes(rng.randrange(256) for _ in range(rng.choice((16, 20, 32, 48, 64, 96))))
    b64 = base64.b64encode(blob).decode()
    frame = expand(rng.choice(FRAMES["blob"]), COMMON, rng)
    return frame.replace("<H>", blob.hex()).replace("<B>", b64).replace("<B2>", b64[::-1])


_SUFFIX_PIECES = load("disguise_suffix")["piece"]


def gibberish_suffix(rng: random.Random) -> str:
    """Return a string in the style of an optimised adversarial suffix."""
    return " ".join(rng.choice(_SUFFIX_PIECES) for _ in range(rng.randint(10, 30)))


# --------------------------------------------------------------------------------------------
# Variants that must not change a verdict
# --------------------------------------------------------------------------------------------

_CHATTER = load("disguise_chatter")


def chatter(rng: random.Random, sentences: int = 1) -> str:
    """Return harmless small talk."""
    return " ".join(
        sentence_case(tidy(expand("{chatter}", {**COMMON, **_CHATTER}, rng)))
        for _ in range(sentences)
    )


def harmless_words(rng: random.Random, count: int) -> str:
    """Return ``count`` harmless words."""
    return " ".join(rng.choice(HARMLESS_WORDS) for _ in range(count))


def add_typos(text: str, rng: random.Random, rate: float = 0.03) -> str:
    """Swap, drop or double a few letters of ``text``."""
    out: list[str] = []
    for char in text:
        draw = rng.random()
        if not char.isalpha() or draw >= rate:
            out.append(char)
        elif draw < rate / 3:
            out.append(char * 2)
        elif draw < 2 * rate / 3 and out:
            out.insert(-1, char)
    return "".join(out)


def sprinkle(text: str, rng: random.Random, mapping: Mapping[int, int | str], rate: float) -> str:
    """Replace a share of the characters that ``mapping`` (of str.translate) knows."""
    return "".join(c.translate(mapping) if rng.random() < rate else c for c in text)


def respace(text: str, rng: random.Random) -> str:
    """Double, drop or change some of the spaces and line breaks."""
    return re.sub(
        r" ", lambda _: rng.choice((" ",) * 12 + ("  ", "\n", "\u00a0", "")), text
    )  # fmt: skip


def vary(text: str, rng: random.Random) -> str:
    """Return ``text`` in another spelling: case, typos, spacing, digits or look-alike letters."""
    draw = rng.random()
    if draw < 0.34:
        return text.lower().rstrip(".?!") if rng.random() < 0.6 else text.lower()
    if draw < 0.66:
        return add_typos(text, rng, rng.choice((0.01, 0.02, 0.04)))
    if draw < 0.74:
        return text.upper()
    if draw < 0.82:
        return re.sub(r"[^\w\s]", "", text)
    if draw < 0.90:
        return respace(text, rng)
    if draw < 0.95:
        return sprinkle(text, rng, _LOOKALIKES, rng.choice((0.1, 0.3)))
    return sprinkle(text, rng, _LEET, rng.choice((0.1, 0.3)))


def vary_parts(text: str, span: Span | None, rng: random.Random) -> tuple[str, Span | None]:
    """Vary the spelling of a text and keep the span of the attack in it exact.

    Args:
        text: The text.
        span: Code points [start, end) of the attack, or None.
        rng: Source of randomness.

    Returns:
        The variant, and the span of the attack's variant in it. What stands before, in and after
        the attack is varied on its own.
    """
    if span is None:
        return vary(text, rng), None
    start, end = span
    before, attack, after = text[:start], text[start:end], text[end:]
    parts = [vary(part, rng) if rng.random() < 0.7 else part for part in (before, attack, after)]
    if not parts[1].strip():
        parts[1] = attack
    at = len(parts[0])
    return "".join(parts), (at, at + len(parts[1]))


def surround(
    text: str, span: Span | None, before: str, after: str, mark: bool
) -> tuple[str, Span | None]:
    """Put harmless text around ``text``.

    Args:
        text: The text.
        span: Code points of the attack in it, or None.
        before: Put in front.
        after: Put behind.
        mark: Whether a text without a span is an attack as a whole, which gets one now.

    Returns:
        The longer text and the span of the attack in it.
    """
    if span is None and mark:
        span = (0, len(text))
    if span is not None:
        span = (span[0] + len(before), span[1] + len(before))
    return before + text + after, span


def pad(text: str, span: Span | None, rng: random.Random, mark: bool) -> tuple[str, Span | None]:
    """Add harmless words or sentences before or after ``text``; see `surround`."""
    filler = (
        harmless_words(rng, rng.choice((3, 5, 8, 10, 10, 12, 15, 20, 30, 60)))
        if rng.random() < 0.6
        else chatter(rng, rng.choice((1, 1, 2, 3, 5)))
    )
    sep = rng.choice((" ", " ", "\n", ". ", "\n\n", ", "))
    if rng.random() < 0.65:
        return surround(text, span, "", sep + filler, mark)
    return surround(text, span, filler + sep, "", mark)
