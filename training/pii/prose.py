"""Real prose and code for the PII set: texts that name nobody, and sentences to put names into.

Nothing of this is committed: texts come from data files and installed packages at training time.
"""

from __future__ import annotations

import random
import re
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from training.pii import words as lexicon
from training.pii.types import SLOT

_MID_CAPITAL = re.compile(r"[^\W_.!?:>)\]]\s+[A-Z]\w+|[,;(\"'-]\s*[A-Z]\w+|[A-Z]\w+[,;]|\b\w+'s\b")
_PERSONAL = re.compile(
    r"@|https?:|www\.|\b(?:Mr|Mrs|Ms|Dr|Prof)\b|\d{4}|\d[\d -]{6,}\d|years?[ -]old|\baged?\b|"
    r"(?i:monday|tuesday|wednesday|thursday|friday|saturday|sunday)|"
    r"(?i:\b(?:january|february|april|june|july|august|september|october|november|december)\b)"
)


def names_nobody(text: str) -> bool:
    """A strict test for texts to train on as free of personal data.

    No capital letter but at the start of a sentence, no year, long number, day, month, age,
    address or possessive. It rejects most texts, and first words of sentences may still be names.
    """
    return not (_MID_CAPITAL.search(text) or _PERSONAL.search(text))


@cache
def _first_names() -> frozenset[str]:
    from faker.providers.person.en_US import Provider

    return frozenset(Provider.first_names)


def _clean(text: str) -> bool:
    return names_nobody(text) and _first_names().isdisjoint(re.findall(r"[A-Z]\w+", text))


def real_negatives(texts: Iterable[str]) -> list[str]:
    """Those of the texts that can be trained on as free of personal data.

    Beyond :func:`names_nobody`, no word that starts with a capital may be a first name.
    """
    return [text for text in texts if len(text) < 1500 and _clean(text)]


def code_chunks(folder: Path, rng: random.Random, limit: int) -> list[str]:
    """Stretches of 3 to 30 lines of the Python files of a folder that hold no personal data.

    Lines with an address, a URL, a date, an author or a string literal are dropped first.
    """
    chunks: list[str] = []
    paths = sorted(folder.glob("*.py"))
    rng.shuffle(paths)
    for path in paths:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        clean = [
            line
            for line in lines
            if line.strip()
            and not re.search(r"@\w+\.|http|#|\"|\d{4}|author|copyright|by [A-Z]|'[A-Z]", line)
        ]
        position = 0
        while position < len(clean) and len(chunks) < limit:
            step = rng.randrange(3, 31)
            chunks.append("\n".join(clean[position : position + step])[:1500])
            position += step * 4
    rng.shuffle(chunks)
    return chunks


def standard_library() -> Path:
    """Folder of Python's standard library (PSF licence)."""
    return Path(sysconfig.get_path("stdlib"))


_STARTS = frozenset(lexicon.SENTENCE_STARTS)
_SENTENCE_END = re.compile(r"(?<=[a-z)][.!?])\s+(?=[A-Z])")


def sentences(texts: Iterable[str]) -> list[str]:
    """Sentences of prose that begin with a common word and are 40 to 400 characters long."""
    return [
        sentence
        for text in texts
        for sentence in _SENTENCE_END.split(text.replace("\n", " "))
        if 40 <= len(sentence) <= 400 and sentence.split(" ", 1)[0] in _STARTS
    ]


_FOLLOWS = (
    r"(?=[,.;?]|'s\b| (?:is|was|has|had|who|said|says|will|can|does|did|wants|wanted|must|may|"
    r"should|would|could|and|or|to|in|on|at|by|with|from|for|that|as|are|were|have|when|if|but|then|made|"
    r"gives|gave|took|takes|goes|went|sold|bought|agreed|signed|found|told|asked|knew|owns|owned|\w+ed)\b)"
)
_NOT_AFTER = r"(?<!\bis )(?<!\bwas )(?<!\bas )(?<!\bbe )(?<!\bor )(?<!\bbecome )"  # definitions
_PEOPLE = (
    "man|woman|student|teacher|defendant|plaintiff|buyer|seller|patient|farmer|scientist|researcher|"
    "physician|driver|boy|girl|landlord|tenant|employee|manager|investor|runner|child|professor|"
    "doctor|lawyer|customer|client|author|owner|worker|nurse|psychologist|counselor|therapist|"
    "engineer|economist|philosopher|carpenter|contractor|builder|painter|thief|burglar|victim|"
    "witness|neighbor|friend|collector|grantee|grantor|testator|debtor|creditor|mother|father|"
    "husband|wife|son|daughter|actor|singer|writer|player|resident|mayor|politician|judge|officer"
)
_FIRMS = (
    "company|firm|corporation|bank|university|hospital|manufacturer|school|agency|retailer|factory|"
    "store|organization|partnership|college|newspaper|airline|union|church|museum|committee|court"
)
_RULES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (
        re.compile(rf"{_NOT_AFTER}\b(?:[Aa]n?|[Tt]he) (?:{_PEOPLE})\b{_FOLLOWS}"),
        (
            "person",
            "person",
            "person",
            "full_name",
            "full_name",
            "first_name",
            "last_name",
            "wordy_name",
        ),
    ),
    (re.compile(rf"{_NOT_AFTER}\b(?:[Aa]n?|[Tt]he) (?:{_FIRMS})\b{_FOLLOWS}"), ("organization",)),
    (re.compile(rf"\b(?:[Aa]|[Tt]he) (?:city|town|village)\b{_FOLLOWS}"), ("city",)),
    (re.compile(rf"\b(?:[Aa]|[Tt]he) (?:country|nation)\b{_FOLLOWS}"), ("country",)),
    (re.compile(rf"\b(?:[Aa]|[Tt]he) state\b{_FOLLOWS}"), ("state",)),
    (re.compile(r"\b\d{1,2}(?=[- ]years?[- ]old\b)"), ("age",)),
    (re.compile(r"(?<=\baged )\d{1,2}\b|(?<=\bage )\d{1,2}\b|(?<=\bage of )\d{1,2}\b"), ("age",)),
    (re.compile(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"), ("day",)),
    (
        re.compile(
            r"\b(?:January|February|March|April|June|July|August|September|October|November|December)"
            r" \d{1,2}(?:, \d{4})?\b"
        ),
        ("date",),
    ),
    (
        re.compile(r"\b(?:" + "|".join(re.escape(w) for w in lexicon.NATIONALITIES) + r")\b"),
        ("nationality",),
    ),
    (
        re.compile(
            r"\b(?:" + "|".join(re.escape(w) for w in lexicon.RELIGIONS if w[0].isupper()) + r")\b"
        ),
        ("religion",),
    ),
    (
        re.compile(
            r"(?<![A-Z.])\b(?:"
            + "|".join(re.escape(w) for w in lexicon.COUNTRIES if len(w) > 4)
            + r")\b"
        ),
        ("country",),
    ),
    (
        re.compile(
            r"\b(?:" + "|".join(re.escape(w) for w in lexicon.BRANDS if len(w) > 4) + r")\b"
        ),
        ("organization",),
    ),
)
_AGE_WORD = re.compile(r"\byears?[ -]old\b|\baged?\b")


def frame(text: str, rng: random.Random) -> str | None:
    """A template out of real text: "the tenant" becomes ``{{person}}``, "a firm" a company.

    Returns:
        None where nothing is replaced or where the rest may name somebody (see
        :func:`names_nobody`).
    """
    if len(text) > 900 or any(mark in text for mark in ("{{", "}}", "<<", "((")):
        return None
    template = text
    for pattern, slots in _RULES:
        template = pattern.sub(lambda _, s=slots: "{{" + rng.choice(s) + "}}", template)  # type: ignore[misc]
    if template == text:
        return None
    rest = SLOT.sub("x", re.sub(r"(\{\{[a-z_]+\}\})'s", r"\1", template))
    return template if _clean(_AGE_WORD.sub("", rest) if "{{age}}" in template else rest) else None
