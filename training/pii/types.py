"""What a PII sample is, and the small template language that makes one.

A template is text with ``{{slot}}`` (a value, labelled where the slot has a type), ``<<a|b|c>>``
(one alternative) and ``((rule))`` (one alternative of a grammar's rule, which may hold any of the
three).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pointsman_backends.router.policy import PII_TYPES

TYPES = PII_TYPES
LABELS: tuple[str, ...] = ("O", *(f"{bio}-{type_}" for type_ in TYPES for bio in "BI"))


def _slots(type_: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), type_)


SLOT_TYPES: dict[str, str] = {
    **_slots("PERSON", "person name name_male name_female first_name first_name_male"),
    **_slots("PERSON", "first_name_female first_name_nonbinary last_name last_name_male"),
    **_slots("PERSON", "last_name_female full_name wordy_name name_last_first"),
    **_slots("TITLE", "title prefix prefix_male prefix_female job"),
    **_slots("ORGANIZATION", "organization"),
    **_slots("STREET_ADDRESS", "address street street_name building_number secondary_address"),
    **_slots("STREET_ADDRESS", "postcode"),
    **_slots("ZIP_CODE", "zipcode"),
    **_slots("GPE", "city state state_abbr country place"),
    **_slots("NRP", "nrp nationality nation_woman nation_man nation_plural religion politics"),
    **_slots("DATE_TIME", "date date_time date_of_birth day day_of_week date_range timestamp"),
    **_slots("AGE", "age age_words"),
    **_slots("EMAIL_ADDRESS", "email"),
    **_slots("PHONE_NUMBER", "phone_number"),
    **_slots("CREDIT_CARD", "credit_card_number"),
    **_slots("IBAN_CODE", "iban"),
    **_slots("US_SSN", "ssn"),
    **_slots("US_DRIVER_LICENSE", "us_driver_license"),
    **_slots("IP_ADDRESS", "ip_address"),
    **_slots("DOMAIN_NAME", "url domain"),
}
"""Type of each slot. A slot that is not named here (``n_...``, a bare ``year``) is no PII."""

SLOT = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
_CHOICE = re.compile(r"<<(.*?)>>", re.DOTALL)
_RULE = re.compile(r"\(\(([a-z_]+)\)\)")


@dataclass(frozen=True, slots=True)
class Span:
    """Personal data of one type: code points ``[start, end)``."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One text with its spans in order, and where it comes from (a template's name, a locale)."""

    text: str
    spans: tuple[Span, ...] = ()
    source: str = ""
    locale: str = ""

    def as_json(self) -> str:
        """One line of the data file."""
        spans = [{"label": s.label, "start": s.start, "end": s.end} for s in self.spans]
        record = {"text": self.text, "spans": spans, "source": self.source, "locale": self.locale}
        return json.dumps(record, ensure_ascii=False)


def choose(template: str, rng: random.Random) -> str:
    """Replace every ``<<a|b|c>>`` by one of its alternatives."""
    return _CHOICE.sub(lambda match: rng.choice(match.group(1).split("|")), template)


def expand(template: str, grammar: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    """Replace every ``((rule))`` and ``<<a|b>>`` until none is left.

    Args:
        template: may hold rules and choices; slots stay as they are.
        grammar: alternatives of each rule. Rules must not call themselves.
        rng: source of the choices.

    Raises:
        KeyError: When a rule is not in the grammar.
    """
    template = choose(template, rng)
    while _RULE.search(template):
        template = choose(
            _RULE.sub(lambda match: rng.choice(grammar[match.group(1)]), template), rng
        )
    return template


def fill(template: str, value_of: Callable[[str], str], source: str = "") -> Sample:
    """Fill the slots of a template.

    Args:
        template: text with ``{{slot}}``; nothing else is special.
        value_of: gives the value of a slot. An empty value leaves no span.
        source: kept in the sample.

    Returns:
        The text, with one span for each slot that has a type.
    """
    parts: list[str] = []
    spans: list[Span] = []
    length = position = 0
    for match in SLOT.finditer(template):
        literal = template[position : match.start()]
        value = value_of(match.group(1))
        start = length + len(literal)
        length = start + len(value)
        parts += literal, value
        label = SLOT_TYPES.get(match.group(1))
        if label and value:
            spans.append(Span(label, start, length))
        position = match.end()
    parts.append(template[position:])
    return Sample("".join(parts), tuple(spans), source)


def join(samples: Sequence[Sample], separators: Sequence[str], source: str = "") -> Sample:
    """Put samples behind one another, ``separators[i]`` after sample ``i`` (but the last)."""
    parts: list[str] = []
    spans: list[Span] = []
    length = 0
    for index, sample in enumerate(samples):
        spans += (Span(s.label, s.start + length, s.end + length) for s in sample.spans)
        separator = separators[index] if index < len(samples) - 1 else ""
        parts += sample.text, separator
        length += len(sample.text) + len(separator)
    return Sample("".join(parts), tuple(spans), source, samples[0].locale if samples else "")


def rewrite(sample: Sample, edit: Callable[[str], str]) -> Sample:
    """Apply ``edit`` to the text between the spans; values stay as they are.

    Args:
        sample: its spans are in order and disjoint.
        edit: pure; sees each stretch between two values alone.
    """
    parts: list[str] = []
    spans: list[Span] = []
    length = position = 0
    for span in sample.spans:
        literal, value = (
            edit(sample.text[position : span.start]),
            sample.text[span.start : span.end],
        )
        start = length + len(literal)
        length = start + len(value)
        parts += literal, value
        spans.append(Span(span.label, start, length))
        position = span.end
    parts.append(edit(sample.text[position:]))
    return Sample("".join(parts), tuple(spans), sample.source, sample.locale)
