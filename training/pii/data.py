"""The PII training set: templates filled with generated values, with exact spans.

``python -m training.pii.data OUT.jsonl`` writes one JSON object a line:
``{"text", "spans": [{"label", "start", "end"}], "source", "locale"}``; offsets are Unicode code
points, half-open. The same seed gives the same file.

Values come from Faker; sentences from the grammar and the templates of this folder, from texts
written by hand (``training/written/pii``), from real sentences whose nouns are replaced, and, where
the package is installed, from presidio-evaluator's templates (MIT). Nothing here needs PyTorch.

Conventions, those of presidio-evaluator where it has one: honorifics and jobs are TITLE and not
part of the PERSON; an age is its number alone; an address in one piece is one STREET_ADDRESS with
its town and postcode, one in fields is STREET_ADDRESS, GPE and ZIP_CODE; a bare year, a time of
day and days like "tomorrow" or "next week" are nothing.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import hashlib
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from training import dedupe
from training.jsonl import read_jsonl
from training.pii import templates as sentence_templates
from training.pii import words as lexicon
from training.pii.grammar import GRAMMAR
from training.pii.lookalikes import LOOKALIKES
from training.pii.noise import noisy
from training.pii.prose import (
    code_chunks,
    frame,
    names_nobody,
    real_negatives,
    sentences,
    standard_library,
)
from training.pii.records import plain_record, record
from training.pii.types import (
    LABELS,
    SLOT,
    SLOT_TYPES,
    TYPES,
    Sample,
    Span,
    choose,
    expand,
    fill,
    join,
)
from training.pii.values import (
    HELD_OUT_LOCALES,
    NAME_LOCALES,
    NOT_LATIN,
    ROMANISED,
    TRAIN_LOCALES,
    Values,
    short_company,
)
from training.safety import sources as safety_sources

__all__ = [
    "HELD_OUT_LOCALES",
    "LABELS",
    "SLOT_TYPES",
    "TRAIN_LOCALES",
    "TYPES",
    "Sample",
    "Sources",
    "Span",
    "choose",
    "code_chunks",
    "expand",
    "fill",
    "from_written",
    "generate",
    "held_out",
    "join",
    "names_nobody",
    "presidio_templates",
    "real_negatives",
    "sources",
    "training_organizations",
    "training_samples",
    "training_sources",
    "written",
]

WRITTEN = Path(__file__).parents[1] / "written" / "pii"
HELD_OUT_TEMPLATES = 0.1
HELD_OUT_ORGANIZATIONS = 0.3


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
        if template and set(SLOT.findall(template)) <= known:
            templates.append(template)
    return templates


def written(kind: str) -> list[str]:
    """Texts written by hand, with ``{{slots}}``; all else in them is literal.

    Args:
        kind: "personal" (each holds a slot with a type) or "clean" (none does).

    Returns:
        The texts of the files ``<kind>_*.txt``, where a line ``%%`` ends each text.
    """
    files = sorted(WRITTEN.glob(f"{kind}_*.txt"))
    parts = (part for file in files for part in file.read_text("utf-8").split("\n%%\n"))
    return [text for part in parts if (text := part.strip("\n"))]


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


def training_organizations() -> list[str]:
    """The company names that training draws from."""
    return organizations(lambda name: not held_out(name, HELD_OUT_ORGANIZATIONS))


@dataclass(frozen=True, slots=True)
class Sources:
    """What samples are made of.

    Attributes:
        presidio: presidio-evaluator's templates (may be empty).
        own: this package's templates with personal data.
        negative: this package's templates without.
        written: texts written by hand, with slots for personal data.
        written_clean: texts written by hand without personal data.
        texts: real texts without personal data (may be empty).
        frames: templates made of real sentences (may be empty).
        grammar: rules of sentences; without them there are no records either.
        locales: Faker locales.
        name_locales: further locales for names of people.
        organizations: real company names (may be empty).
        brands: well-known organisations.
        listed: real-looking names, towns and streets by kind (may be empty).
    """

    presidio: Sequence[str]
    own: Sequence[str]
    negative: Sequence[str]
    written: Sequence[str] = ()
    written_clean: Sequence[str] = ()
    texts: Sequence[str] = ()
    frames: Sequence[str] = ()
    grammar: Mapping[str, Sequence[str]] = field(default_factory=dict)
    locales: Sequence[str] = TRAIN_LOCALES
    name_locales: Sequence[str] = ()
    organizations: Sequence[str] = ()
    brands: Sequence[str] = ()
    listed: Mapping[str, Sequence[str]] = field(default_factory=dict)


def sources(train: bool, texts: Sequence[str] = ()) -> Sources:
    """The sources of the training split, or of the split held out from it.

    Templates and company names are divided by a hash, locales by a list, so that the two
    splits share neither. The grammar and the records are of training alone.
    """

    def ours(values: Iterable[str], share: float) -> list[str]:
        return [value for value in values if held_out(value, share) != train]

    # A template without slots would put texts of Presidio's own sets into training.
    presidio = [template for template in presidio_templates() if SLOT.search(template)]

    pii = (*sentence_templates.CHAT, *sentence_templates.RECORDS, *sentence_templates.STRUCTURED)
    return Sources(
        presidio=ours(presidio, HELD_OUT_TEMPLATES),
        own=ours(pii, HELD_OUT_TEMPLATES),
        negative=ours(sentence_templates.NEGATIVE, HELD_OUT_TEMPLATES),
        written=ours(written("personal"), HELD_OUT_TEMPLATES),
        written_clean=ours(written("clean"), HELD_OUT_TEMPLATES),
        texts=texts,
        grammar={**GRAMMAR, **LOOKALIKES} if train else {},
        locales=TRAIN_LOCALES if train else HELD_OUT_LOCALES,
        name_locales=NAME_LOCALES if train else (),
        organizations=organizations(lambda name: held_out(name, HELD_OUT_ORGANIZATIONS) != train),
        brands=ours(lexicon.BRANDS, HELD_OUT_ORGANIZATIONS),
    )


_LOCALE_WEIGHTS = {"en_US": 12.0, "en_GB": 3.0, "de_DE": 2.0, "fr_FR": 2.0, "es_ES": 2.0}


def _values(src: Sources, rng: random.Random) -> Values:
    weights = [
        0.4 if locale in NOT_LATIN else _LOCALE_WEIGHTS.get(locale, 1.0) for locale in src.locales
    ]
    locale = rng.choices(src.locales, weights)[0]
    roman = (locale in ROMANISED and rng.random() < 0.7) or locale not in NOT_LATIN
    others = [x for x in src.locales if x != "zh_CN" and (roman or x not in NOT_LATIN)]
    return Values(
        rng, locale, others, src.name_locales, src.organizations, src.brands, src.listed, roman
    )


def _filled(
    template: str, src: Sources, rng: random.Random, source: str, flat: bool = False
) -> Sample:
    values = _values(src, rng)

    def value_of(slot: str) -> str:
        value = values(slot)
        return re.sub(r"\s*\n[\s,]*", ", ", value) if flat else value

    sample = fill(template, value_of, source)
    return Sample(sample.text, sample.spans, source, values.locale)


def _from_presidio(src: Sources, rng: random.Random) -> Sample:
    template = choose(rng.choice(src.presidio), rng)
    if rng.random() < 0.6:
        # Presidio's own records hold street and number in this slot, behind another number.
        template = template.replace("{{street_name}}", "{{street}}")
    return _filled(template, src, rng, "presidio")


def _from_own(src: Sources, rng: random.Random) -> Sample:
    return _filled(choose(rng.choice(src.own), rng), src, rng, "own")


def from_written(src: Sources, rng: random.Random) -> Sample:
    """One of the texts written by hand, filled."""
    return _filled(rng.choice(src.written), src, rng, "written", flat=rng.random() < 0.8)


def _from_grammar(src: Sources, rng: random.Random) -> Sample:
    return _filled(expand("((sentence))", src.grammar, rng), src, rng, "grammar")


def _from_frames(src: Sources, rng: random.Random) -> Sample:
    return _filled(rng.choice(src.frames), src, rng, "frame", flat=True)


def _from_records(src: Sources, rng: random.Random) -> Sample:
    return _filled(expand(record(rng), src.grammar, rng), src, rng, "record", flat=True)


def _kind(src: Sources, rng: random.Random) -> Callable[[Sources, random.Random], Sample]:
    """Which maker the next text with personal data comes from, among those there is data for.

    Without a grammar, as in the held-out split, these are the two kinds of templates alone.
    """
    kinds = (
        (_from_presidio, 0.36 if src.presidio else 0.0),
        (_from_own, 0.12 if src.grammar else 0.36),
        (from_written, 0.14 if src.grammar and src.written else 0.0),
        (_from_grammar, 0.20 if src.grammar else 0.0),
        (_from_frames, 0.06 if src.frames else 0.0),
        (_from_records, 0.12 if src.grammar else 0.0),
    )
    return rng.choices([kind for kind, _ in kinds], [share for _, share in kinds])[0]


def single(src: Sources, rng: random.Random, pii: bool) -> Sample:
    """One text, with or without personal data."""
    if pii:
        return _kind(src, rng)(src, rng)
    roll = rng.random()
    if src.texts and roll < 0.42:
        return Sample(rng.choice(src.texts), (), "text")
    if src.grammar and roll < 0.58:
        return _filled(expand("((clean))", src.grammar, rng), src, rng, "negative")
    if src.grammar and src.written_clean and roll < 0.74:
        return _filled(rng.choice(src.written_clean), src, rng, "written")
    if src.grammar and roll < 0.87:
        return _filled(plain_record(rng), src, rng, "negative")
    return _filled(choose(rng.choice(src.negative), rng), src, rng, "negative")


def composite(src: Sources, rng: random.Random, limit: int, share: float) -> Sample:
    """Several texts behind one another, as messages, paragraphs or sentences; some are noisy.

    Args:
        src: what they are made of.
        rng: source of the choices.
        limit: characters at which no further text is added.
        share: of the parts that hold personal data.
    """
    parts: list[Sample] = []
    length = 0
    while length < limit:
        part = single(src, rng, rng.random() < share)
        if rng.random() < 0.1:
            part = noisy(part, rng)
        parts.append(part)
        length += len(part.text) + 1
    usual = rng.choice(("\n", "\n", "\n\n", " "))
    separators = [usual if rng.random() < 0.8 else rng.choice(("\n", " ")) for _ in parts]
    return join(parts, separators, "composite")


def series(src: Sources, rng: random.Random, limit: int) -> Sample:
    """One kind of record again and again, as in a log or an export, up to ``limit`` characters."""
    personal = rng.random() < 0.6
    template = expand(record(rng), src.grammar, rng) if personal else plain_record(rng)
    parts: list[Sample] = []
    length = 0
    while length < limit:
        parts.append(_filled(template, src, rng, "record", flat=True))
        length += len(parts[-1].text) + 1
    separator = rng.choice(("\n", "\n", "\n\n", "\n---\n"))
    return join(parts, [separator] * len(parts), "series")


def generate(
    src: Sources, seed: int, singles: int, negatives: int, composites: int, longs: int = 0
) -> Iterator[Sample]:
    """Draw so many samples of each kind; the same seed gives the same samples.

    Args:
        src: what they are made of.
        seed: of every choice.
        singles: texts with personal data; one in ten is noisy.
        negatives: texts without.
        composites: 100 to 1,800 characters of several texts.
        longs: 4,000 to 16,000 characters: prose, nine parts in ten of it without personal data,
            or, one in four, records.
    """
    rng = random.Random(seed)
    for _ in range(singles):
        sample = single(src, rng, pii=True)
        yield noisy(sample, rng) if rng.random() < 0.1 else sample
    for _ in range(negatives):
        yield single(src, rng, pii=False)
    for _ in range(composites):
        yield composite(src, rng, rng.randrange(100, 1800), rng.choice((0.15, 0.5, 0.8)))
    for _ in range(longs):
        limit = rng.randrange(4000, 16000)
        if src.grammar and rng.random() < 0.25:
            yield series(src, rng, limit // 2)
        else:
            yield composite(src, rng, limit, rng.choice((0.03, 0.1, 0.2)))


_SINGLES, _NEGATIVES, _COMPOSITES, _LONGS = 18_500, 5_300, 1_000, 24
"""Samples of an epoch at scale 1: about 1.2 million tokens."""


def _texts(path: Path) -> list[str]:
    return [row["text"] for row in read_jsonl(path)]


def real_texts(data: Path) -> list[str]:
    """Questions of mmlu_pro_train, and sentences of encyclopaedia, requests and web pages.

    All but the questions are read from installed packages (see ``training.safety.sources``).
    """
    exam = _texts(data / "domain" / "mmlu_pro_train.jsonl")
    found = (safety_sources.wikipedia("en-us"), safety_sources.web_texts())
    requests = [text for text in safety_sources.real_requests() if len(text) < 600]
    return [*exam, *sentences(exam), *requests, *(x for texts in found for x in sentences(texts))]


@cache
def _prose(data: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Real texts that name nobody, and templates made of real ones; apart from measured texts."""
    real = list(dict.fromkeys(real_texts(data)))
    rng = random.Random(7)
    usable = [
        (text, made)
        for text, made in ((text, frame(text, rng)) for text in real)
        if made or real_negatives([text])
    ]
    measured = [text for path in sorted(data.glob("*/*_dev.jsonl")) for text in _texts(path)]
    close = dedupe.overlaps([text for text, _ in usable], measured)
    kept = [pair for pair, near in zip(usable, close, strict=True) if not near]
    plain = [text for text, made in kept if not made]
    code = code_chunks(standard_library(), rng, len(plain) // 3)
    return (*plain, *code), tuple(made for _, made in kept if made)


def listed_names(measured: Iterable[str]) -> dict[str, list[str]]:
    """Names, places, companies and jobs of presidio-evaluator's list of made-up people.

    The list (fakenamegenerator.com, GPL 3 or CC-BY-SA) is read from the package, never committed.
    Values that a measured text holds are left out, people and addresses of the countries whose
    locales are held out, and the share of companies that is held out.

    Args:
        measured: values not to use.

    Returns:
        Values by kind, named as :func:`training.pii.values.pool` does; empty without the package.
    """
    path = presidio_file("FakeNameGenerator.com_3000.csv")
    if path is None:
        return {}
    avoided = {value.casefold() for value in measured}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    people = [row for row in rows if row["NameSet"] not in _HELD_OUT_NAME_SETS]
    places = [row for row in rows if row["Country"] not in _HELD_OUT_COUNTRIES]
    columns = (
        ("first_name", people, "GivenName"),
        ("last_name", people, "Surname"),
        ("city", places, "City"),
        ("street_address", places, "StreetAddress"),
        ("state", places, "StateFull"),
        ("state_abbr", places, "State"),
        ("organization", rows, "Company"),
        ("job", rows, "Occupation"),
    )
    found = {kind: {row[column].strip() for row in chosen} for kind, chosen, column in columns}
    found["organization"] = {
        name for name in found["organization"] if not held_out(name, HELD_OUT_ORGANIZATIONS)
    }
    return {
        kind: sorted(v for v in values if v and "[" not in v and v.casefold() not in avoided)
        for kind, values in found.items()
    }


_ARTICLE = re.compile(
    r"(?:The )?((?!An? )[A-Z][\w.'’-]*(?: (?:of|the|and|de|del|on|upon|la|[A-Z][\w.'’-]*)){0,4})"
    r"(?: \([^)]*\))?(?:,[^,.]{2,60},)? is (?:an?|the|one of the) ((?:[\w-]+,? ){0,6}?)"
    r"(?:town|city|village|municipality|commune|district|province|state|county|region|island"
    r"|suburb|capital|country|territory|borough|settlement|prefecture|canton|peninsula)\b"
    r"(?! (?:program|form)| of (?!the\b)[a-z])"
)


def encyclopaedia_places(summaries: Iterable[str], avoided: Iterable[str]) -> set[str]:
    """Titles of articles that begin by saying that something is a town, a state, an island.

    Args:
        summaries: articles' first sentences.
        avoided: values not to use; places of countries whose locales are held out are left out too.
    """
    banned = {value.casefold() for value in avoided}
    found = (_ARTICLE.match(text) for text in summaries if not _HELD_OUT_PLACES.search(text))
    names = {m.group(1) for m in found if m and not _PREPOSITIONS & set(m.group(2).split())}
    return {name for name in names if name.casefold() not in banned}


_HELD_OUT_PLACES = re.compile(r"Denmark|Danish|Finland|Finnish|Romania|Slovak|Estonia|Thai|Chile")
_PREPOSITIONS = frozenset(("of", "in", "for", "and", "that", "between", "by", "to"))


_HELD_OUT_NAME_SETS = frozenset(("Danish", "Finnish"))
_HELD_OUT_COUNTRIES = frozenset(locale[-2:] for locale in HELD_OUT_LOCALES)


def _measured_values(data: Path) -> set[str]:
    """Values of presidio_generated_dev, whole and word by word."""
    path = data / "pii" / "presidio_generated_dev.jsonl"
    found: set[str] = set()
    for row in read_jsonl(path):
        values = [row["text"][span["start"] : span["end"]] for span in row["spans"]]
        found.update(values, *(value.split() for value in values))
    return found


def training_sources(data: Path) -> Sources:
    """Sources of the training split, with real texts that name nobody.

    They come from :func:`real_texts` and, one in four, from Python's standard library.
    """
    texts, made = _prose(data)
    avoided = _measured_values(data)
    listed = listed_names(avoided)
    if listed:
        towns = encyclopaedia_places(safety_sources.wikipedia("en-us"), avoided)
        listed["city"] = sorted(towns.union(listed["city"]))
        listed["organization"] += [
            name
            for name in training_organizations()
            if short_company(name) == name and not re.search(r"(?i)(?:inc|ltd|limited)\.?$", name)
        ]
    return dataclasses.replace(sources(train=True), texts=texts, frames=made, listed=listed)


def training_samples(data: Path, epoch: int, scale: float) -> list[Sample]:
    """Fresh samples of one epoch, shuffled; the same arguments give the same samples.

    Args:
        data: folder of the shared data files.
        epoch: seed.
        scale: 1 gives about 1.2 million WordPiece tokens.

    Returns:
        Texts with spans that are exact, in order and disjoint. No text equals one of
        ``presidio_generated_dev``; real prose shares no run of eight words with a measured text.
    """
    counts = (round(n * scale) for n in (_SINGLES, _NEGATIVES, _COMPOSITES, _LONGS))
    forbidden = {text.casefold() for text in _texts(data / "pii" / "presidio_generated_dev.jsonl")}
    drawn = generate(training_sources(data), 7000 + epoch, *counts)
    samples = [sample for sample in drawn if sample.text.casefold() not in forbidden]
    random.Random(epoch).shuffle(samples)
    return samples


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
