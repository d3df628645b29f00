"""The PII training set: templates filled with generated values, with exact spans.

``python -m training.pii_data OUT.jsonl`` writes one JSON object a line:
``{"text", "spans": [{"label", "start", "end"}], "source", "locale"}``; offsets are Unicode code
points, half-open. The same seed gives the same file.

_Values come from Faker; sentences from ``training.pii_templates`` and, where the package is
installed, from presidio-evaluator's templates (MIT). Nothing here needs PyTorch.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from faker import Faker

from training import pii_templates
from training import pii_words as lexicon

TYPES: tuple[str, ...] = (
    "AGE",
    "CREDIT_CARD",
    "DATE_TIME",
    "DOMAIN_NAME",
    "EMAIL_ADDRESS",
    "GPE",
    "IBAN_CODE",
    "IP_ADDRESS",
    "NRP",
    "ORGANIZATION",
    "PERSON",
    "PHONE_NUMBER",
    "STREET_ADDRESS",
    "TITLE",
    "US_DRIVER_LICENSE",
    "US_SSN",
    "ZIP_CODE",
)
LABELS: tuple[str, ...] = ("O", *(f"{bio}-{type_}" for type_ in TYPES for bio in "BI"))

SLOT_TYPES: dict[str, str] = {
    "person": "PERSON",
    "name": "PERSON",
    "name_male": "PERSON",
    "name_female": "PERSON",
    "first_name": "PERSON",
    "first_name_male": "PERSON",
    "first_name_female": "PERSON",
    "first_name_nonbinary": "PERSON",
    "last_name": "PERSON",
    "last_name_male": "PERSON",
    "last_name_female": "PERSON",
    "title": "TITLE",
    "prefix": "TITLE",
    "prefix_male": "TITLE",
    "prefix_female": "TITLE",
    "job": "TITLE",
    "organization": "ORGANIZATION",
    "address": "STREET_ADDRESS",
    "street": "STREET_ADDRESS",
    "street_name": "STREET_ADDRESS",
    "building_number": "STREET_ADDRESS",
    "secondary_address": "STREET_ADDRESS",
    "postcode": "STREET_ADDRESS",
    "zipcode": "ZIP_CODE",
    "city": "GPE",
    "state": "GPE",
    "state_abbr": "GPE",
    "country": "GPE",
    "nrp": "NRP",
    "nationality": "NRP",
    "nation_woman": "NRP",
    "nation_man": "NRP",
    "nation_plural": "NRP",
    "date": "DATE_TIME",
    "date_time": "DATE_TIME",
    "date_of_birth": "DATE_TIME",
    "day": "DATE_TIME",
    "day_of_week": "DATE_TIME",
    "age": "AGE",
    "email": "EMAIL_ADDRESS",
    "phone_number": "PHONE_NUMBER",
    "credit_card_number": "CREDIT_CARD",
    "iban": "IBAN_CODE",
    "ssn": "US_SSN",
    "us_driver_license": "US_DRIVER_LICENSE",
    "ip_address": "IP_ADDRESS",
    "url": "DOMAIN_NAME",
    "domain": "DOMAIN_NAME",
}
"""Type of each slot. A slot that is not named here (``n_...``, a bare ``year``) is no PII."""


def _locales(names: str) -> tuple[str, ...]:
    return tuple(names.split())


TRAIN_LOCALES = _locales(
    "en_US en_GB en_CA en_AU en_IN en_NZ en_IE en_NG en_KE en_PK de_DE de_AT de_CH fr_FR "
    "fr_CA fr_BE es_ES es_MX es_AR es_CO it_IT nl_NL nl_BE pl_PL sv_SE no_NO pt_BR pt_PT "
    "tr_TR hu_HU hr_HR sl_SI cs_CZ id_ID vi_VN is_IS az_AZ lv_LV yo_NG ga_IE ja_JP zh_CN "
    "ru_RU el_GR uk_UA"
)
HELD_OUT_LOCALES = _locales("da_DK fi_FI ro_RO sk_SK et_EE en_TH es_CL")
"""Never used in training: the ``held_out`` split is written with these."""

_NOT_LATIN = frozenset(_locales("ja_JP zh_CN ru_RU el_GR uk_UA"))
_SLOT = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
_CHOICE = re.compile(r"<<(.*?)>>", re.DOTALL)


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
    for match in _SLOT.finditer(template):
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


def held_out(text: str, share: float) -> bool:
    """Whether a hash puts this template or value into the share kept out of training."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32


def presidio_file(name: str) -> Path | None:
    """A raw data file of presidio-evaluator, or None where the package is not installed.

    The package is located, not imported: importing it needs pandas.
    """
    spec = find_spec("presidio_evaluator")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "data_generator" / "raw_data" / name


def presidio_templates() -> list[str]:
    """Presidio's sentence templates (MIT), or an empty list where they are not installed."""
    path = presidio_file("templates.txt")
    if path is None:
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    known = set(SLOT_TYPES) | {"year"}
    templates = []
    for line in lines:
        template = line.strip().replace("\\n", "\n").replace("\ufffd", "\u2013")
        if template and set(_SLOT.findall(template)) <= known:
            templates.append(template)
    return templates


@dataclass(slots=True)
class _Values:
    """Draws slot values for one sample; the person, once drawn, also shapes the e-mail address.

    Attributes:
        rng: source of every random choice.
        locale: Faker locale of the sample; a quarter of the names come from another one.
        locales: the locales those come from.
        organizations: real company names to draw from (may be empty).
    """

    rng: random.Random
    locale: str
    locales: Sequence[str]
    organizations: Sequence[str] = ()
    _person: tuple[str, str] | None = field(default=None, init=False)
    _fakers: dict[str, Faker] = field(default_factory=dict, init=False)

    def __call__(self, slot: str) -> str:
        """Value of a slot.

        Raises:
            KeyError: When no value is known for this slot.
        """
        return _SOURCES[slot](self).strip()

    # Helpers.

    def faker(self, locale: str = "") -> Faker:
        """Faker of a locale, or of this sample's, seeded from ``rng`` at its first use."""
        locale = locale or self.locale
        if locale not in self._fakers:
            fake = _faker(locale)
            fake.seed_instance(self.rng.getrandbits(32))
            self._fakers[locale] = fake
        return self._fakers[locale]

    def mixed(self) -> Faker:
        """Faker of this sample's locale or, one time in four, of another one."""
        if self.rng.random() < 0.25 and self.locale not in _NOT_LATIN:
            return self.faker(self.rng.choice([x for x in self.locales if x not in _NOT_LATIN]))
        return self.faker()

    def numerify(self, shape: str) -> str:
        """Replace ``#`` by digits and ``?`` by capital letters."""
        digit, letter = string.digits, string.ascii_uppercase
        return "".join(
            self.rng.choice(digit) if c == "#" else self.rng.choice(letter) if c == "?" else c
            for c in shape
        )

    def moment(self) -> datetime:
        """A moment between 1930 and 2029."""
        return datetime(1930, 1, 1) + timedelta(seconds=self.rng.randrange(99 * 365 * 86400))

    # People.

    def first(self) -> str:
        if self.rng.random() < 0.06:
            return self.rng.choice(lexicon.ROMAN_NAMES).split()[0]
        return str(self.mixed().first_name())

    def last(self) -> str:
        if self.rng.random() < 0.06:
            return self.rng.choice(lexicon.ROMAN_NAMES).split()[-1]
        name = str(self.mixed().last_name())
        if self.rng.random() < 0.03:
            name = self.rng.choice(("van ", "de ", "Mc", "O'", "von ", "Al-", "Di ")) + name
        return name

    def person(self) -> str:
        first, last = self.first(), self.last()
        self._person = (first, last)
        roll = self.rng.random()
        if self.locale in {"ja_JP", "zh_CN"}:
            return last + first
        if roll < 0.66:
            return f"{first} {last}"
        if roll < 0.76:
            return f"{first} {self.rng.choice(string.ascii_uppercase)}. {last}"
        if roll < 0.80:
            return f"{first} {self.rng.choice(string.ascii_uppercase)} {last}"
        if roll < 0.84:
            return f"{first} {self.first()} {last}"
        if roll < 0.87:
            return f"{first} {last}-{self.last()}"
        if roll < 0.90:
            return f"{first[0]}. {last}"
        if roll < 0.93:
            return f"{first} {last} {self.rng.choice(lexicon.SUFFIXES)}"
        if roll < 0.95:
            return f"{last}, {first}"
        if roll < 0.98:
            return self.rng.choice(lexicon.ROMAN_NAMES)
        return first

    def job(self) -> str:
        name = str(self.faker("en_US").job())
        return name.lower() if self.rng.random() < 0.4 else name

    # Places.

    def city(self) -> str:
        roll = self.rng.random()
        if roll < 0.25:
            return self.rng.choice(lexicon.CITIES)
        name = str(self.mixed().city())
        return name.upper() if roll > 0.95 else name

    def country(self) -> str:
        if self.rng.random() < 0.4:
            return self.rng.choice(lexicon.COUNTRIES)
        return str(self.faker("en_US").country())

    def state(self) -> str:
        return self.rng.choice(lexicon.STATES)

    def street(self) -> str:
        """A street, with its number more often than not."""
        fake = self.mixed()
        roll = self.rng.random()
        text = str(fake.street_name() if roll < 0.3 else fake.street_address())
        if 0.3 <= roll < 0.45:
            text = f"{fake.street_name()} {self.rng.randrange(1, 300)}"
        elif roll > 0.97:
            text = f"P.O. Box {self.rng.randrange(1, 9999)}"
        return text.replace("\n", ", ")

    def secondary(self) -> str:
        shape = self.rng.choice(("Apt. ###", "Suite ###", "Apt. ##", "Unit #", "Flat #", "Floor #"))
        return self.numerify(shape)

    def building(self) -> str:
        return str(self.rng.randrange(1, 1000)).zfill(self.rng.choice((1, 2, 2)))

    def postcode(self) -> str:
        roll = self.rng.random()
        if roll < 0.6:
            return self.numerify("#####")
        return str(self.faker().postcode()) if roll < 0.9 else self.numerify("#####-####")

    def address(self) -> str:
        """A whole postal address on one line or several."""
        rng = self.rng
        roll = rng.random()
        street, city = self.street(), self.city()
        if roll < 0.22:
            text = str(self.faker().address())
            return text if rng.random() < 0.5 else text.replace("\n", ", ")
        if roll < 0.30:
            return f"the corner of {street} and {self.last()} Street"
        if roll < 0.33:
            return f"{self.first()} and {street}"
        if roll < 0.38:
            unit, box, code = self.building(), self.numerify("####"), rng.choice(("AA", "AE", "AP"))
            line, post = rng.choice(
                (
                    (f"PSC {unit}, Box {box}", "APO"),
                    (f"Unit {unit} Box {box}", "DPO"),
                    (f"{rng.choice(('USS', 'USNS', 'USCGC', 'USNV'))} {self.last()}", "FPO"),
                )
            )
            return f"{line}\n{post} {code} {self.numerify('#####')}"
        if roll < 0.42:
            return f"{street}, {self.postcode()} {city}"
        state = rng.choice((self.state(), rng.choice(lexicon.STATE_CODES), self.country()))
        country = self.country()
        start = f"{self.building()} {street}" if rng.random() < 0.7 else street
        code, flat = self.postcode(), self.secondary()
        return rng.choice(
            (
                f"{start} {flat} {city} {state}",
                f"{start}\n {flat}\n {city}\n {country}",
                f"{start}\n {flat}\n {city}\n {country} {code}",
                f"{start}, {city}, {country}",
                f"{start} {flat}, {city}, {country} {code}",
                f"{start}\n{city}, {rng.choice(lexicon.STATE_CODES)} {code}",
                f"{start}\n{city}\n, {rng.choice(lexicon.STATE_CODES)}\n {code}",
                f"{start}\n{city}\n, {rng.choice(lexicon.STATE_CODES)}\n {country} {code}",
                f"{start}, {city}, {rng.choice(lexicon.STATE_CODES)} {code}",
                f"{start}, {flat}, {city}",
                f"{start}, {city}",
            )
        )

    def organization(self) -> str:
        roll = self.rng.random()
        if self.organizations and roll < 0.6:
            return self.rng.choice(self.organizations)
        if roll < 0.75:
            return str(self.mixed().company())
        word, word2 = (w.capitalize() for w in self.rng.sample(lexicon.HOST_WORDS, 2))
        return self.rng.choice(lexicon.ORG_SHAPES).format(
            city=self.city(),
            last=self.last(),
            last2=self.last(),
            last3=self.last(),
            word=word,
            word2=word2,
        )

    # Numbers and addresses of machines.

    def host(self) -> str:
        words = self.rng.sample(lexicon.HOST_WORDS, self.rng.choice((1, 2, 2)))
        if self.rng.random() < 0.4:
            words = [word.capitalize() for word in words]
        name = self.rng.choice(("", "", "-")).join(words)
        return f"{name}.{self.rng.choice(lexicon.TLDS)}"

    def url(self) -> str:
        roll = self.rng.random()
        www = self.rng.choice(("", "www."))
        if roll < 0.15:
            return f"{www or 'www.'}{self.host()}"
        path = self.rng.choice(("", "/", "/", f"/{self.rng.choice(lexicon.HOST_WORDS)}"))
        return f"{self.rng.choice(('http', 'https'))}://{www}{self.host()}{path}"

    def email(self) -> str:
        first, last = self._person or (self.first(), self.last())
        names = [re.sub(r"[^A-Za-z0-9]", "", _ascii(x)) or "info" for x in (first, last)]
        shape = self.rng.choice(("{0}.{1}", "{0}{1}", "{0}_{1}", "{2}{1}", "{0}{3}", "{1}.{0}"))
        local = shape.format(*names, names[0][0], self.rng.randrange(100))
        if self.rng.random() < 0.6:
            local = local.lower()
        host = (
            self.rng.choice(lexicon.MAIL_HOSTS) if self.rng.random() < 0.5 else self.host().lower()
        )
        return f"{local}@{host}"

    def phone(self) -> str:
        if self.rng.random() < 0.35:
            return str(self.mixed().phone_number())
        return self.numerify(self.rng.choice(lexicon.PHONES))

    def card(self) -> str:
        number = str(self.faker("en_US").credit_card_number())
        roll = self.rng.random()
        if len(number) == 16 and roll < 0.35:
            return ("-" if roll < 0.1 else " ").join(number[i : i + 4] for i in range(0, 16, 4))
        return number

    def iban(self) -> str:
        number = str(self.faker().iban())
        if self.rng.random() < 0.35:
            return " ".join(number[i : i + 4] for i in range(0, len(number), 4))
        return number

    def ssn(self) -> str:
        number = str(self.faker("en_US").ssn())
        return number.replace("-", self.rng.choice(("-", "-", "-", "-", "-", " ")))

    def ip(self) -> str:
        fake = self.faker("en_US")
        return str(fake.ipv4() if self.rng.random() < 0.75 else fake.ipv6())

    def age(self) -> str:
        if self.rng.random() < 0.03:
            return self.rng.choice(("1.5", "2.5", "0.5", "100", "104"))
        return str(self.rng.randrange(1, 100))


def _ascii(text: str) -> str:
    """ASCII letters of a name, for an e-mail address."""
    table = str.maketrans(
        "äöüßéèêáàâíìóòôúùçñåøšžčćřýłęąśżńğışæ", "aouseeeaaaiiooouucnaoszccrylaeszngisa"
    )
    return text.lower().translate(table).encode("ascii", "ignore").decode()


@cache
def _faker(locale: str) -> Faker:
    return Faker(locale)


def _pick(pattern: str) -> Callable[[_Values], str]:
    return lambda values: values.numerify(values.rng.choice(pattern.split("|")))


def _hex(*lengths: int) -> Callable[[_Values], str]:
    def draw(values: _Values) -> str:
        length = values.rng.choice(lengths)
        return "".join(values.rng.choice("0123456789abcdef") for _ in range(length))

    return draw


_SOURCES: dict[str, Callable[[_Values], str]] = {
    **dict.fromkeys(("person", "name", "name_male", "name_female"), _Values.person),
    **dict.fromkeys([s for s in SLOT_TYPES if s.startswith("first_name")], _Values.first),
    **dict.fromkeys([s for s in SLOT_TYPES if s.startswith("last_name")], _Values.last),
    **dict.fromkeys(
        ("title", "prefix", "prefix_male", "prefix_female"),
        lambda v: v.rng.choice(lexicon.PREFIXES),
    ),
    "job": _Values.job,
    "organization": _Values.organization,
    "address": _Values.address,
    "street": _Values.street,
    "street_name": _Values.street,
    "building_number": _Values.building,
    "secondary_address": _Values.secondary,
    "postcode": _Values.postcode,
    "zipcode": _Values.postcode,
    "city": _Values.city,
    "state": _Values.state,
    "state_abbr": lambda v: v.rng.choice(lexicon.STATE_CODES),
    "country": _Values.country,
    **dict.fromkeys(
        ("nrp", "nationality"),
        lambda v: v.rng.choice(
            lexicon.NATIONALITIES if v.rng.random() < 0.75 else lexicon.RELIGIONS
        ),
    ),
    **dict.fromkeys(("nation_woman", "nation_man"), lambda v: v.rng.choice(lexicon.NATIONALITIES)),
    "nation_plural": lambda v: v.rng.choice(lexicon.NATIONALITIES) + "s",
    **dict.fromkeys(
        ("date", "date_of_birth"),
        lambda v: v.moment().strftime(v.rng.choice(lexicon.DATE_FORMATS)),
    ),
    "date_time": lambda v: v.moment().strftime(v.rng.choice(lexicon.DATE_TIME_FORMATS)),
    **dict.fromkeys(("day", "day_of_week"), lambda v: v.rng.choice(lexicon.DAYS)),
    "year": lambda v: str(v.rng.randrange(1900, 2027)),
    "age": _Values.age,
    "email": _Values.email,
    "phone_number": _Values.phone,
    "credit_card_number": _Values.card,
    "iban": _Values.iban,
    "ssn": _Values.ssn,
    "us_driver_license": lambda v: v.numerify(v.rng.choice(lexicon.LICENSES)),
    "ip_address": _Values.ip,
    "url": _Values.url,
    "domain": _Values.host,
    # What looks like personal data and is not.
    "n_expiry": lambda v: f"{v.rng.randrange(1, 13):02d}/{v.rng.randrange(24, 32)}",
    "n_percent": _pick("#%|##%|##.#%|-#.##%"),
    "n_year": lambda v: str(v.rng.randrange(1700, 2040)),
    "n_order": _pick("#######|########|ORD-######|#??-#######|SO##########|###-#######-#######"),
    "n_id": _pick("######|A######|INC0######|??-####|##-#####|K#########|MRN####"),
    "n_code": _pick("??##??|XR-####|?###|??????##|R2D-##|JX#####|T-###?"),
    "n_money": _pick("$#,###|$###.##|EUR ##,###|#,### dollars|$# million|###.## USD|£##"),
    "n_plate": _pick("?? ## ???|???-####|#???###"),
    "n_int": _pick("#|##|##|###|###|####|#####|######|#########|###########"),
    "n_small": lambda v: str(v.rng.randrange(2, 60)),
    "n_quarter": lambda v: str(v.rng.randrange(1, 5)),
    "n_float": _pick("#.#|##.##|0.####|-#.###|###.#|-##.####|#.######"),
    "n_sci": _pick("#.##e-##|#.#e+#|#.### x 10^-#|-#.#E##"),
    "n_version": _pick("#.#|#.#.#|##.##.#|v#.#.##|#.#.#-rc#|#.##.#.#|20##.#"),
    "n_hash": _hex(7, 12, 32, 40, 64),
    "n_hex": lambda v: "0x" + _hex(4, 8, 16)(v),
    "n_uuid": lambda v: "-".join(_hex(n)(v) for n in (8, 4, 4, 4, 12)),
    "n_isbn": _pick("978-#-##-######-#|978##########|0-###-#####-?"),
    "n_tech": lambda v: v.rng.choice(lexicon.TECH),
    "n_topic": lambda v: v.rng.choice(lexicon.TOPICS),
    "n_job": lambda v: v.rng.choice(lexicon.JOBS_LOWER),
}


def organizations(keep: Callable[[str], bool]) -> list[str]:
    """Real company names of presidio-evaluator's list that ``keep`` accepts (may be empty).

    The list holds investment funds too; they are left out.
    """
    path = presidio_file("companies_and_organizations.csv")
    if path is None:
        return []
    names = path.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
    fund = re.compile(r"[\d\"/]|\b(?:[A-Z]{2}D|EUR|GBP|JPY|ETFS?|Long|Short|Fund|Index)\b")
    return [name for name in names if 1 < len(name) <= 45 and not fund.search(name) and keep(name)]


_MID_CAPITAL = re.compile(r"[^\W_.!?:>)\]]\s+[A-Z]\w+|[,;(\"'-]\s*[A-Z]\w+|[A-Z]\w+[,;]|\b\w+'s\b")
_PERSONAL = re.compile(
    r"@|https?:|www\.|\d{4}|\d[\d -]{6,}\d|years?[ -]old|\baged?\b|"
    r"(?i:monday|tuesday|wednesday|thursday|friday|saturday|sunday)|"
    r"(?i:\b(?:january|february|april|june|july|august|september|october|november|december)\b)"
)


def names_nobody(text: str) -> bool:
    """A strict test for texts to train on as free of personal data.

    No capital letter but at the start of a sentence, no year, long number, day, month, age,
    address or possessive. It rejects most texts, and first words of sentences may still be names.
    """
    return not (_MID_CAPITAL.search(text) or _PERSONAL.search(text))


def real_negatives(texts: Iterable[str]) -> list[str]:
    """Those of the texts that can be trained on as free of personal data.

    Beyond :func:`names_nobody`, no word that starts with a capital may be a first name.
    """
    from faker.providers.person.en_US import Provider

    first_names = set(Provider.first_names)
    return [
        text
        for text in texts
        if len(text) < 1500
        and names_nobody(text)
        and first_names.isdisjoint(re.findall(r"[A-Z]\w+", text))
    ]


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


@dataclass(frozen=True, slots=True)
class Sources:
    """What samples are made of.

    Attributes:
        presidio: presidio-evaluator's templates (may be empty).
        own: this package's templates with personal data.
        negative: this package's templates without.
        texts: real texts without personal data (may be empty).
        locales: Faker locales.
        organizations: real company names (may be empty).
    """

    presidio: Sequence[str]
    own: Sequence[str]
    negative: Sequence[str]
    texts: Sequence[str] = ()
    locales: Sequence[str] = TRAIN_LOCALES
    organizations: Sequence[str] = ()


def training_organizations() -> list[str]:
    """The company names that training draws from."""
    return organizations(lambda name: not held_out(name, HELD_OUT_ORGANIZATIONS))


HELD_OUT_TEMPLATES = 0.1
HELD_OUT_ORGANIZATIONS = 0.3


def sources(train: bool, texts: Sequence[str] = ()) -> Sources:
    """The sources of the training split, or of the split held out from it.

    Templates and company names are divided by a hash, locales by a list, so that the two
    splits share neither.
    """

    def ours(values: Iterable[str], share: float) -> list[str]:
        return [value for value in values if held_out(value, share) != train]

    # A template without slots would put texts of Presidio's own sets into training.
    presidio = [template for template in presidio_templates() if _SLOT.search(template)]

    pii = (*pii_templates.CHAT, *pii_templates.RECORDS, *pii_templates.STRUCTURED)
    return Sources(
        presidio=ours(presidio, HELD_OUT_TEMPLATES),
        own=ours(pii, HELD_OUT_TEMPLATES),
        negative=ours(pii_templates.NEGATIVE, HELD_OUT_TEMPLATES),
        texts=texts,
        locales=TRAIN_LOCALES if train else HELD_OUT_LOCALES,
        organizations=organizations(lambda name: held_out(name, HELD_OUT_ORGANIZATIONS) != train),
    )


_LOCALE_WEIGHTS = {"en_US": 14.0, "en_GB": 3.0, "de_DE": 2.0, "fr_FR": 2.0, "es_ES": 2.0}


def _values(src: Sources, rng: random.Random) -> _Values:
    weights = [
        0.3 if locale in _NOT_LATIN else _LOCALE_WEIGHTS.get(locale, 1.0) for locale in src.locales
    ]
    locale = rng.choices(src.locales, weights)[0]
    return _Values(rng, locale, src.locales, src.organizations)


def single(src: Sources, rng: random.Random, pii: bool) -> Sample:
    """One filled template, with or without personal data."""
    values = _values(src, rng)
    if not pii:
        if src.texts and rng.random() < 0.5:
            return Sample(rng.choice(src.texts), (), "text")
        name, templates = "negative", src.negative
    elif src.presidio and rng.random() < 0.5:
        name, templates = "presidio", src.presidio
    else:
        name, templates = "own", src.own
    template = rng.choice(templates)
    filled = fill(choose(template, rng), values, f"{name}:{templates.index(template)}")
    return Sample(filled.text, filled.spans, filled.source, values.locale)


def composite(src: Sources, rng: random.Random) -> Sample:
    """Several texts behind one another, as messages, paragraphs or sentences; 100-1,800 chars."""
    share = rng.choice((0.15, 0.5, 0.8))
    limit = rng.randrange(100, 1800)
    parts: list[Sample] = []
    length = 0
    while length < limit:
        part = single(src, rng, rng.random() < share)
        if parts and length + len(part.text) > 1900:
            break
        parts.append(part)
        length += len(part.text) + 1
    usual = rng.choice(("\n", "\n", "\n\n", " "))
    separators = [usual if rng.random() < 0.8 else rng.choice(("\n", " ")) for _ in parts]
    return join(parts, separators, "composite")


def generate(
    src: Sources, seed: int, singles: int, negatives: int, composites: int
) -> Iterator[Sample]:
    """Draw so many samples of each kind; the same seed gives the same samples."""
    rng = random.Random(seed)
    for _ in range(singles):
        yield single(src, rng, pii=True)
    for _ in range(negatives):
        yield single(src, rng, pii=False)
    for _ in range(composites):
        yield composite(src, rng)


def main(argv: Sequence[str] | None = None) -> None:
    """Write one split as JSON lines."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--held-out", action="store_true", help="the split kept out of training")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--singles", type=int, default=1000)
    parser.add_argument("--negatives", type=int, default=300)
    parser.add_argument("--composites", type=int, default=300)
    args = parser.parse_args(argv)
    samples = generate(
        sources(train=not args.held_out), args.seed, args.singles, args.negatives, args.composites
    )
    with args.out.open("w", encoding="utf-8") as file:
        file.writelines(sample.as_json() + "\n" for sample in samples)


if __name__ == "__main__":
    main()
