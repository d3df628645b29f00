"""Values for the slots of PII templates: people, places, organisations, numbers, in many locales.

Faker gives the raw material, a few hundred values a kind and locale (drawing each value anew is
twenty times slower); shapes and mixtures are ours, because Faker knows few.
"""

from __future__ import annotations

import random
import re
import string
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from zlib import crc32

from faker import Faker

from training.pii import words as lexicon
from training.pii.romanise import romanise
from training.pii.types import SLOT_TYPES


def locales(names: str) -> tuple[str, ...]:
    """Locale names out of one string."""
    return tuple(names.split())


TRAIN_LOCALES = locales(
    "en_US en_GB en_CA en_AU en_IN en_NZ en_IE en_NG en_KE en_PK de_DE de_AT de_CH fr_FR "
    "fr_CA fr_BE es_ES es_MX es_AR es_CO it_IT nl_NL nl_BE pl_PL sv_SE no_NO pt_BR pt_PT "
    "tr_TR hu_HU hr_HR sl_SI cs_CZ id_ID vi_VN is_IS az_AZ lv_LV yo_NG ga_IE ja_JP zh_CN "
    "ru_RU el_GR uk_UA ko_KR bg_BG"
)
HELD_OUT_LOCALES = locales("da_DK fi_FI ro_RO sk_SK et_EE en_TH es_CL")
"""Never used in training: the held-out sets are written with these."""

NAME_LOCALES = locales(
    "zu_ZA tw_GH sw en_BD lt_LT fr_DZ uz_UZ ha_NG ig_NG de_LU de_LI es_CA fr_CH ka_GE hy_AM mk_MK"
)
"""Further locales of training that give names of people alone (the rest of them is English)."""

ROMANISED = frozenset(locales("ru_RU el_GR uk_UA ko_KR bg_BG ja_JP ka_GE hy_AM mk_MK"))
NOT_LATIN = ROMANISED | {"zh_CN"}
_SIZES = {"first_name": 600, "last_name": 600, "city": 300, "country": 1200, "company": 250}
_POOL = 150


@cache
def pool(locale: str, kind: str) -> tuple[str, ...]:
    """Different values that Faker gives for a locale; the same at each call.

    Args:
        locale: of Faker.
        kind: name of one of its methods, such as "first_name".
    """
    fake = _faker(locale)
    fake.seed_instance(crc32(f"{locale} {kind}".encode()))
    draw = getattr(fake, kind)
    values = (str(draw()).replace("\r", "").strip() for _ in range(_SIZES.get(kind, _POOL)))
    return tuple(dict.fromkeys(value for value in values if value))


@cache
def romanised(locale: str, kind: str) -> tuple[str, ...]:
    """As :func:`pool`, in Latin letters."""
    if locale == "ja_JP" and kind in ("first_name", "last_name"):
        kind = kind.replace("name", "romanized_name")
    return tuple(dict.fromkeys(romanise(value) for value in pool(locale, kind)))


@cache
def _faker(locale: str) -> Faker:
    # Weights slow Faker down; without them it cannot draw companies of es_CL.
    return Faker(locale, use_weighting=locale == "es_CL")


_IBANS = {
    "GB": "????##############", "DE": "##################", "FR": "#######################",
    "ES": "####################", "IT": "?######################", "NL": "????##########",
    "BE": "############", "CH": "#################", "AT": "################",
    "PL": "########################", "SE": "####################", "NO": "###########",
    "PT": "#####################", "IE": "????##############", "TR": "######################",
    "CZ": "####################", "HU": "########################", "GR": "#######################",
    "SA": "####################", "AE": "###################", "LU": "################",
    "UA": "#########################", "HR": "#################", "IL": "###################",
    "LT": "################", "BG": "????##############", "MT": "????#######################",
}  # fmt: skip
"""National part of an IBAN by country (SWIFT registry): # is a digit, ? a letter."""

_VOWELS, _CONSONANTS = "aeiou", "bcdfglmnprstvz"


_LEGAL_FORM = re.compile(
    rf"[\s,]+(?:(?:{'|'.join(re.escape(x) for x in lexicon.LEGAL_FORMS)})\.?|Class [ABC]"
    r"|(?:Ordinary|Preference) Shares)$",
    re.IGNORECASE,
)


def short_company(name: str) -> str:
    """A company's name as people say it: without its legal form."""
    return _LEGAL_FORM.sub("", name)


@dataclass(slots=True)
class Values:
    """Draws slot values for one sample; the person, once drawn, also shapes the e-mail address.

    Attributes:
        rng: source of every random choice.
        locale: Faker locale of the sample; a quarter of the names come from another one.
        others: the locales those come from.
        name_locales: more locales for names of people.
        organizations: real company names to draw from (may be empty).
        brands: well-known organisations (may be empty).
        listed: values of other sources by kind, drawn now and then (may be empty).
        roman: whether names of other scripts are written in Latin letters, where they can be.
    """

    rng: random.Random
    locale: str
    others: Sequence[str]
    name_locales: Sequence[str] = ()
    organizations: Sequence[str] = ()
    brands: Sequence[str] = ()
    listed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    roman: bool = True
    _person: tuple[str, str] | None = field(default=None, init=False)

    def __call__(self, slot: str) -> str:
        """Value of a slot.

        Raises:
            KeyError: When no value is known for this slot.
        """
        return SOURCES[slot](self).strip()

    # Helpers.

    def draw(self, kind: str, locale: str = "") -> str:
        """A value of Faker in a locale, or in this sample's."""
        locale = locale or self.locale
        in_latin = locale in ROMANISED and self.roman
        return self.rng.choice(romanised(locale, kind) if in_latin else pool(locale, kind))

    def mixed(self, kind: str) -> str:
        """A value of this sample's locale or, one time in four, of another one."""
        if self.from_list(kind, 0.25):
            return self.rng.choice(self.listed[kind])
        if self.rng.random() < 0.25 and (self.roman or self.locale not in NOT_LATIN):
            return self.draw(kind, self.rng.choice(self.others))
        return self.draw(kind)

    def from_list(self, kind: str, share: float) -> bool:
        """Whether to take a listed value of this kind, ``share`` of the time where there are."""
        return bool(self.listed.get(kind)) and self.rng.random() < share

    def numerify(self, shape: str) -> str:
        """Replace ``#`` by digits and ``?`` by capital letters."""
        if "?" in shape:
            shape = "".join(
                self.rng.choice(string.ascii_uppercase) if c == "?" else c for c in shape
            )
        count = shape.count("#")
        if not count:
            return shape
        digits = iter(f"{self.rng.randrange(10**count):0{count}d}")
        return "".join(next(digits) if c == "#" else c for c in shape)

    def moment(self) -> datetime:
        """A moment between 1930 and 2029."""
        return datetime(1930, 1, 1) + timedelta(seconds=self.rng.randrange(99 * 365 * 86400))

    # People.

    def first(self) -> str:
        """A first name, one in twenty an ordinary word."""
        roll = self.rng.random()
        if roll < 0.05:
            return self.rng.choice(lexicon.ROMAN_NAMES).split()[0]
        if roll < 0.10:
            return self.rng.choice(lexicon.WORDS_THAT_ARE_FIRST_NAMES).capitalize()
        if roll < 0.16 and self.name_locales:
            return self.draw("first_name", self.rng.choice(self.name_locales))
        if roll < 0.30:
            return (
                self.draw("first_name", "en_US") if "en_US" in self.others else self.other_first()
            )
        return self.mixed("first_name")

    def other_first(self) -> str:
        """A first name of another locale."""
        return self.draw("first_name", self.rng.choice(self.others))

    def last(self) -> str:
        """A last name, now and then with a particle."""
        roll = self.rng.random()
        if roll < 0.05:
            return self.rng.choice(lexicon.ROMAN_NAMES).split()[-1]
        if roll < 0.08:
            return self.rng.choice(lexicon.WORDS_THAT_ARE_LAST_NAMES).capitalize()
        if roll < 0.13 and self.name_locales:
            return self.draw("last_name", self.rng.choice(self.name_locales))
        if roll < 0.20:
            return self.draw("last_name", self.rng.choice(self.others))
        name = self.mixed("last_name")
        if self.rng.random() < 0.05 and name[:1].isupper():
            name = self.rng.choice(lexicon.PARTICLES) + name
        return name

    def person(self) -> str:
        """A name in one of the ways that people are written."""
        first, last = self.first(), self.last()
        self._person = (first, last)
        rng = self.rng
        if self.locale in {"ja_JP", "zh_CN"} and not self.roman:
            return last + first
        roll = rng.random()
        if roll < 0.56:
            return f"{first} {last}"
        initial = rng.choice(string.ascii_uppercase)
        if roll < 0.66:
            return f"{first} {initial}{rng.choice(('.', '.', ''))} {last}"
        if roll < 0.70:
            return f"{first} {self.first()} {last}"
        if roll < 0.73:
            return f"{first} {last}{rng.choice(('-', ' '))}{self.last()}"
        if roll < 0.77:
            shape = rng.choice(("{0}. {2}", "{0}. {1}. {2}", "{0}.{1}. {2}", "{0}{1} {2}"))
            return str(shape.format(first[0], initial, last))
        if roll < 0.81:
            return f"{first} {last}{rng.choice((' ', ' ', ', '))}{rng.choice(lexicon.SUFFIXES)}"
        if roll < 0.84:
            return f"{last}, {first}{rng.choice(('', '', f' {initial}.'))}"
        if roll < 0.86:
            quoted = rng.choice(("“{}”", '"{}"', "({})", "'{}'"))
            return f"{first} {quoted.format(rng.choice(lexicon.NICKNAMES))} {last}"
        if roll < 0.90:
            return rng.choice(lexicon.ROMAN_NAMES)
        if roll < 0.92:
            return f"{last} {first}"
        if roll < 0.94:
            return self.pinyin()
        return first if roll < 0.98 else last

    def pinyin(self) -> str:
        """A Chinese or Korean name in Latin letters."""
        given = [self.rng.choice(lexicon.PINYIN) for _ in range(self.rng.choice((1, 2, 2)))]
        joined = self.rng.choice(("", "-", " ")).join(given).capitalize()
        surname = self.rng.choice(lexicon.CHINESE_SURNAMES)
        return self.rng.choice((f"{surname} {joined}", f"{joined} {surname}"))

    def full_name(self) -> str:
        """First and last name."""
        first, last = self.first(), self.last()
        self._person = (first, last)
        return f"{first} {last}"

    def name_last_first(self) -> str:
        """A name with the last name first."""
        first, last = self.first(), self.last()
        self._person = (first, last)
        return f"{last}, {first}"

    def job(self) -> str:
        """A job or position."""
        if self.from_list("job", 0.25):
            return self.rng.choice(self.listed["job"])
        roll = self.rng.random()
        name = self.rng.choice(lexicon.JOBS) if roll < 0.45 else self.draw("job", "en_US")
        if roll < 0.2:
            name = f"{self.rng.choice(lexicon.JOB_LEVELS)} {name}"
        return name.lower() if self.rng.random() < 0.4 else name

    # Places.

    def city(self) -> str:
        """A town."""
        if self.from_list("city", 0.3):
            return self.rng.choice(self.listed["city"])
        roll = self.rng.random()
        if roll < 0.20:
            return self.rng.choice(lexicon.CITIES)
        if roll < 0.24:
            return self.rng.choice(lexicon.SMALL_PLACES)
        return self.mixed("city")

    def country(self) -> str:
        """A country."""
        if self.rng.random() < 0.5:
            return self.rng.choice(lexicon.COUNTRIES)
        return self.draw("country", "en_US")

    def state(self) -> str:
        """A state, province or region."""
        if self.from_list("state", 0.35):
            return self.rng.choice(self.listed["state"])
        return self.rng.choice(lexicon.STATES)

    def state_abbr(self) -> str:
        """Letters that stand for a state or province."""
        if self.from_list("state_abbr", 0.3):
            return self.rng.choice(self.listed["state_abbr"])
        return self.rng.choice(lexicon.STATE_CODES)

    def place(self) -> str:
        """A town, state or country."""
        return self.rng.choice((self.city, self.city, self.country, self.state))()

    def street_name(self) -> str:
        """A street without a number."""
        roll = self.rng.random()
        if roll < 0.45:
            return self.mixed("street_name")
        if roll < 0.80:
            name = self.rng.choice((self.last, self.first, self.city, self.street_word))()
            return self.rng.choice(lexicon.STREETS).format(name)
        number = self.rng.randrange(1, 140)
        ending = {1: "st", 2: "nd", 3: "rd"}.get(
            number % 10 if number % 100 // 10 != 1 else 0, "th"
        )
        side = self.rng.choice(("", "", "E ", "W ", "North ", "SW "))
        return (
            f"{side}{number}{ending} {self.rng.choice(('St', 'Street', 'Avenue', 'Ave', 'Ave.'))}"
        )

    def street_word(self) -> str:
        """A word that streets are called by."""
        return self.rng.choice(lexicon.STREET_WORDS)

    def house(self) -> str:
        """A house number."""
        number = str(self.rng.randrange(1, self.rng.choice((30, 200, 2000, 19999))))
        if self.rng.random() < 0.15:
            number += self.rng.choice(("a", "b", "A", "B", " bis", "/2", "-3", "-12", "c"))
        return number

    def street(self) -> str:
        """A street, with its number more often than not."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.25:
            return self.street_name()
        if roll < 0.55:
            return self.mixed("street_address").replace("\n", ", ")
        if roll < 0.78:
            return f"{self.house()}{rng.choice((' ', ' ', ' ', ', '))}{self.street_name()}"
        if roll < 0.94:
            return f"{self.street_name()}{rng.choice((' ', ' ', ', '))}{self.house()}"
        return self.numerify(
            rng.choice(("P.O. Box ####", "PO Box ###", "P.O. Box #####", "POB ##"))
        )

    def secondary(self) -> str:
        """A flat, floor or suite."""
        return self.numerify(self.rng.choice(lexicon.FLATS))

    def building(self) -> str:
        """A bare building number."""
        limit = self.rng.choice((100, 100, 1000, 100_000))
        return str(self.rng.randrange(1, limit)).zfill(self.rng.choice((1, 2, 2)))

    def postcode(self) -> str:
        """A postal code."""
        roll = self.rng.random()
        if roll < 0.55:
            return self.numerify("#####")
        if roll < 0.75:
            return self.mixed("postcode")
        return self.numerify(self.rng.choice(lexicon.POSTCODES))

    def military(self) -> str:
        """An address of the US forces."""
        rng = self.rng
        unit, box, code = self.building(), self.numerify("####"), rng.choice(("AA", "AE", "AP"))
        line, post = rng.choice(
            (
                (f"PSC {unit}, Box {box}", "APO"),
                (f"Unit {unit} Box {box}", "DPO"),
                (f"{rng.choice(('USS', 'USNS', 'USCGC', 'USNV'))} {self.last()}", "FPO"),
            )
        )
        return f"{line}\n{post} {code} {self.numerify('#####')}"

    def address(self) -> str:
        """A whole postal address on one line or several."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.15:
            text = self.draw("address")
            return text if rng.random() < 0.5 else text.replace("\n", ", ")
        street = self.street()
        if roll < 0.20:
            return f"the corner of {street} and {self.street_name()}"
        if roll < 0.23:
            return f"{self.first()} and {street}"
        if roll < 0.26:
            return self.military()
        if roll < 0.29:
            return street
        city, code, flat = self.city(), self.postcode(), self.secondary()
        short = rng.choice(lexicon.STATE_CODES)
        long = rng.choice((self.state, self.country, self.country, lambda: short))()
        start = f"{self.building()} {street}" if rng.random() < 0.35 else street
        shape = rng.choice(lexicon.ADDRESSES)
        return shape.format(
            street=start, flat=flat, city=city, code=code, short=short, long=long,
            country=self.country() if "{country}" in shape else "",
        )  # fmt: skip

    # Organisations.

    def organization(self) -> str:
        """A company, agency, club, school or brand."""
        roll = self.rng.random()
        if self.organizations and roll < 0.36:
            name = self.rng.choice(self.organizations)
            return short_company(name) if self.rng.random() < 0.55 else name
        if self.brands and roll < 0.43:
            return self.rng.choice(self.brands)
        if roll < 0.58 and self.from_list("organization", 0.7):
            return self.rng.choice(self.listed["organization"])
        if roll < 0.61:
            return self.mixed("company")
        if roll < 0.66:
            return self.coined()
        if roll < 0.69:
            length = self.rng.choice((2, 3, 3, 3, 4, 4, 5))
            return "".join(self.rng.choice(string.ascii_uppercase) for _ in range(length))
        rng = self.rng
        shape = rng.choice(lexicon.ORG_SHAPES)
        word, word2 = (w.capitalize() for w in rng.sample(lexicon.HOST_WORDS, 2))
        return shape.format(
            city=self.city() if "{city}" in shape else "",
            country=self.country() if "{country}" in shape else "",
            first=self.first() if "{first}" in shape else "",
            last=self.last() if "{last}" in shape else "",
            last2=self.last() if "{last2}" in shape else "",
            last3=self.last() if "{last3}" in shape else "",
            word=word, word2=word2, coined=self.coined(),
            field=rng.choice(lexicon.FIELDS), form=rng.choice(lexicon.LEGAL_FORMS),
            state=self.state() if "{state}" in shape else "",
        )  # fmt: skip

    def coined(self) -> str:
        """A made-up brand name: Zovela, Trimbly, DataForge."""
        rng = self.rng
        if rng.random() < 0.35:
            a, b = rng.sample(lexicon.HOST_WORDS, 2)
            return rng.choice((a.capitalize() + b, a.capitalize() + b.capitalize()))
        stem = "".join(
            rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(rng.choice((1, 2, 2)))
        )
        return (stem + rng.choice(lexicon.BRAND_ENDINGS)).capitalize()

    # Numbers and addresses of machines.

    def host(self) -> str:
        """A domain name."""
        roll = self.rng.random()
        if roll < 0.25:
            words = [self.coined().lower()]
        elif roll < 0.40:
            words = [_ascii(self.last()) or "info"]
        else:
            words = self.rng.sample(lexicon.HOST_WORDS, self.rng.choice((1, 2, 2)))
            if self.rng.random() < 0.4:
                words = [word.capitalize() for word in words]
        name = self.rng.choice(("", "", "-")).join(words)
        below = self.rng.choice(("", "", "", "", "", "", "api.", "mail.", "shop.", "db1.", "dev."))
        return f"{below}{name}.{self.rng.choice(lexicon.TLDS)}"

    def url(self) -> str:
        """A URL with a short path or none."""
        roll = self.rng.random()
        www = self.rng.choice(("", "www."))
        if roll < 0.15:
            return f"{www or 'www.'}{self.host()}"
        path = self.rng.choice(("", "/", "/", f"/{self.rng.choice(lexicon.HOST_WORDS)}"))
        return f"{self.rng.choice(('http', 'https'))}://{www}{self.host()}{path}"

    def email(self) -> str:
        """An address of the person drawn before, or of somebody."""
        rng = self.rng
        first, last = self._person or (self.first(), self.last())
        names = [_ascii(x) or "info" for x in (first, last)]
        if rng.random() < 0.12:
            local = rng.choice(lexicon.MAILBOXES)
        else:
            shape = rng.choice(lexicon.MAIL_SHAPES)
            names = [name.capitalize() for name in names] if rng.random() < 0.25 else names
            local = shape.format(*names, names[0][0], rng.randrange(2100))
        roll = rng.random()
        host = rng.choice(lexicon.MAIL_HOSTS) if roll < 0.5 else self.host().lower()
        return f"{local}@{host}"

    def phone(self) -> str:
        """A phone number."""
        if self.rng.random() < 0.3:
            return self.mixed("phone_number")
        return self.numerify(self.rng.choice(lexicon.PHONES))

    def card(self) -> str:
        """A card number that passes the checksum (ISO/IEC 7812)."""
        prefix, length = self.rng.choice(lexicon.CARDS)
        digits = self.numerify(prefix + "#" * (length - len(prefix) - 1))
        total = sum(
            sum(divmod(int(digit) * (2 - i % 2), 10)) for i, digit in enumerate(reversed(digits))
        )
        number = digits + str(-total % 10)
        roll = self.rng.random()
        if length == 16 and roll < 0.4:
            return ("-" if roll < 0.12 else " ").join(number[i : i + 4] for i in range(0, 16, 4))
        if length == 15 and roll < 0.4:
            return f"{number[:4]} {number[4:10]} {number[10:]}"
        return number

    def iban(self) -> str:
        """An IBAN that passes the checksum (ISO 13616)."""
        country = self.rng.choice(("GB", *_IBANS))
        body = self.numerify(_IBANS[country])
        rest = int("".join(str(int(c, 36)) for c in f"{body}{country}00")) % 97
        number = f"{country}{98 - rest:02d}{body}"
        if self.rng.random() < 0.35:
            return " ".join(number[i : i + 4] for i in range(0, len(number), 4))
        return number

    def ssn(self) -> str:
        """A US social security number."""
        area = self.rng.choice([n for n in (self.rng.randrange(1, 900),) if n != 666] or [1])
        mark = self.rng.choice(("-", "-", "-", "-", "-", " ", ""))
        return mark.join(
            (
                f"{area:03d}",
                f"{self.rng.randrange(1, 100):02d}",
                f"{self.rng.randrange(1, 10000):04d}",
            )
        )

    def ip(self) -> str:
        """An IPv4 or IPv6 address."""
        rng = self.rng
        if rng.random() < 0.75:
            first = rng.choice((10, 172, 192, rng.randrange(1, 224)))
            return ".".join(str(x) for x in (first, *(rng.randrange(256) for _ in range(3))))
        groups = [f"{rng.getrandbits(16):x}" for _ in range(8)]
        if rng.random() < 0.4:
            return f"{rng.choice(('2001', 'fe80', '2a02', 'fd12'))}:{groups[0]}::{groups[1]}"
        return ":".join(groups)

    def age(self) -> str:
        """An age in digits."""
        roll = self.rng.random()
        if roll < 0.03:
            return self.rng.choice(("1.5", "2.5", "0.5", "100", "104"))
        return str(self.rng.randrange(1, 100))

    def age_words(self) -> str:
        """An age between one and ninety-nine in words."""
        number = self.rng.randrange(1, 100)
        if number < 20:
            return lexicon.NUMBERS[number]
        tens, ones = lexicon.TENS[number // 10], number % 10
        return f"{tens}{self.rng.choice('- ')}{lexicon.NUMBERS[ones]}" if ones else tens

    # Dates.

    def date(self) -> str:
        """A date, at times without a year or as a weekday with a word before it."""
        moment, rng = self.moment(), self.rng
        roll = rng.random()
        if roll < 0.70:
            return moment.strftime(rng.choice(lexicon.DATE_FORMATS))
        day, month, year = moment.day, moment.strftime("%B"), moment.year
        ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
        if roll < 0.86:
            return rng.choice(lexicon.DATE_PHRASES).format(
                d=day, th=ending, m=month, b=month[:3], y=year, n=moment.month,
                yy=f"{year % 100:02d}", w=moment.strftime("%A"), ww=moment.strftime("%a"),
            )  # fmt: skip
        month = rng.choice(rng.choice(lexicon.MONTHS))
        if roll < 0.96:
            return rng.choice(lexicon.FOREIGN_DATES).format(d=day, m=month, y=year)
        return f"{rng.choice(('next', 'last', 'this'))} {rng.choice(lexicon.DAYS)}"

    def date_range(self) -> str:
        """A range of days within a month."""
        moment, rng = self.moment(), self.rng
        month, day = moment.strftime(rng.choice(("%B", "%b"))), moment.day
        return rng.choice(lexicon.DATE_RANGES).format(
            a=day % 20 + 1, b=day % 20 + 1 + rng.randrange(1, 8), m=month, y=moment.year
        )


def _ascii(text: str) -> str:
    """Lower-case ASCII letters and digits of a name, for addresses of mail and machines."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("ø", "o"))
    return re.sub(r"[^a-z0-9]", "", plain)


def _pick(pattern: str) -> Callable[[Values], str]:
    shapes = pattern.split("|")
    return lambda values: values.numerify(values.rng.choice(shapes))


def _word(words: Sequence[str]) -> Callable[[Values], str]:
    return lambda values: values.rng.choice(words)


def _hex(*lengths: int) -> Callable[[Values], str]:
    def draw(values: Values) -> str:
        length = values.rng.choice(lengths)
        return f"{values.rng.getrandbits(4 * length):0{length}x}"

    return draw


def _strftime(formats: Sequence[str]) -> Callable[[Values], str]:
    return lambda values: values.moment().strftime(values.rng.choice(formats))


SOURCES: dict[str, Callable[[Values], str]] = {
    **dict.fromkeys(("person", "name", "name_male", "name_female"), Values.person),
    **dict.fromkeys([s for s in SLOT_TYPES if s.startswith("first_name")], Values.first),
    **dict.fromkeys([s for s in SLOT_TYPES if s.startswith("last_name")], Values.last),
    "full_name": Values.full_name,
    "name_last_first": Values.name_last_first,
    "wordy_name": lambda v: v.rng.choice(lexicon.WORDS_THAT_ARE_FIRST_NAMES).capitalize(),
    **dict.fromkeys(("prefix", "prefix_male", "prefix_female"), _word(lexicon.PREFIXES)),
    "title": _word(lexicon.PREFIXES),
    "job": Values.job,
    "organization": Values.organization,
    "address": Values.address,
    "street": Values.street,
    "street_name": lambda v: v.street() if v.rng.random() < 0.35 else v.street_name(),
    "building_number": Values.building,
    "secondary_address": Values.secondary,
    "postcode": Values.postcode,
    "zipcode": Values.postcode,
    "city": Values.city,
    "state": Values.state,
    "state_abbr": Values.state_abbr,
    "country": Values.country,
    "place": Values.place,
    "nationality": _word(lexicon.NATIONALITIES),
    "religion": _word(lexicon.RELIGIONS),
    "politics": _word(lexicon.POLITICS),
    "nrp": lambda v: v.rng.choice(
        v.rng.choice(
            (*(lexicon.NATIONALITIES,) * 6, lexicon.RELIGIONS, lexicon.RELIGIONS, lexicon.POLITICS)
        )
    ),
    **dict.fromkeys(("nation_woman", "nation_man"), _word(lexicon.NATIONALITIES)),
    "nation_plural": lambda v: v.rng.choice((*lexicon.NATIONALITIES, *lexicon.RELIGIONS)) + "s",
    "date": Values.date,
    "date_of_birth": _strftime(lexicon.DATE_FORMATS),
    "date_range": Values.date_range,
    "date_time": _strftime(lexicon.DATE_TIME_FORMATS),
    "timestamp": _strftime(lexicon.DATE_TIME_FORMATS),
    **dict.fromkeys(("day", "day_of_week"), _word(lexicon.DAYS)),
    "year": lambda v: str(v.rng.randrange(1900, 2027)),
    "age": Values.age,
    "age_words": Values.age_words,
    "email": Values.email,
    "phone_number": Values.phone,
    "credit_card_number": Values.card,
    "iban": Values.iban,
    "ssn": Values.ssn,
    "us_driver_license": _pick("|".join(lexicon.LICENSES)),
    "ip_address": Values.ip,
    "url": Values.url,
    "domain": Values.host,
    # What looks like personal data and is not.
    "n_expiry": lambda v: f"{v.rng.randrange(1, 13):02d}/{v.rng.randrange(24, 32)}",
    "n_percent": _pick("#%|##%|##.#%|-#.##%|##.##%"),
    "n_year": lambda v: str(v.rng.randrange(1700, 2040)),
    "n_order": _pick("#######|########|ORD-######|#??-#######|SO##########|###-#######-#######"),
    "n_id": _pick("######|A######|INC0######|??-####|##-#####|K#########|MRN####|EMP-####|#####"),
    "n_code": _pick("??##??|XR-####|?###|??????##|R2D-##|JX#####|T-###?|??-##-??"),
    "n_money": _pick("$#,###|$###.##|EUR ##,###|#,### dollars|$# million|###.## USD|£##|€##,##"),
    "n_plate": _pick("?? ## ???|???-####|#???###"),
    "n_int": _pick("#|##|##|###|###|####|#####|######|#########|###########"),
    "n_small": lambda v: str(v.rng.randrange(2, 60)),
    "n_quarter": lambda v: str(v.rng.randrange(1, 5)),
    "n_float": _pick("#.#|##.##|0.####|-#.###|###.#|-##.####|#.######"),
    "n_sci": _pick("#.##e-##|#.#e+#|#.### x 10^-#|-#.#E##"),
    "n_version": _pick("#.#|#.#.#|##.##.#|v#.#.##|#.#.#-rc#|#.##.#.#|20##.#|#.#.#.dev#"),
    "n_hash": _hex(7, 12, 32, 40, 64),
    "n_hex": lambda v: "0x" + _hex(4, 8, 16)(v),
    "n_uuid": lambda v: "-".join(_hex(n)(v) for n in (8, 4, 4, 4, 12)),
    "n_isbn": _pick("978-#-##-######-#|978##########|0-###-#####-?"),
    "n_tech": _word(lexicon.TECH),
    "n_topic": _word(lexicon.TOPICS),
    "n_job": _word(lexicon.JOBS_LOWER),
    "n_size": _pick(
        '## x ## cm|#.## m|### kg|## mm|#,### ft|##"|#.# GB|### ml|## km/h|##°C|### kWh'
    ),
    "n_geo": lambda v: f"{v.rng.uniform(-90, 90):.4f}, {v.rng.uniform(-180, 180):.4f}",
    "n_time": lambda v: f"{v.rng.randrange(24)}:{v.rng.randrange(60):02d}",
    "n_room": _pick("B-###|###|#.##|A##|Room ###"),
    "n_word": _word(lexicon.WORDS_THAT_ARE_FIRST_NAMES + lexicon.WORDS_THAT_ARE_LAST_NAMES),
    "n_product": _word(lexicon.PRODUCTS),
    "n_animal": _word(lexicon.ANIMALS),
    "n_thing": _word(lexicon.THINGS),
    "n_ident": _word(lexicon.IDENTIFIERS),
    "n_masked": _word(lexicon.MASKED),
}
