"""Made-up documents: benign as they stand, and carriers for planted instructions."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from training.safety.words import COMMON, load
from training.spintax import expand, sentence_case, tidy

FACTS = load("documents_facts")

_SLOTS = {**COMMON, **FACTS}


def _fill(template: str, rng: random.Random) -> str:
    return expand(template, _SLOTS, rng)


def _lines(rng: random.Random, low: int, high: int, sep: str = " ") -> str:
    return sep.join(
        sentence_case(tidy(_fill("{line}", rng))) for _ in range(rng.randint(low, high))
    )


def email(rng: random.Random) -> str:
    """Return a business or private e-mail."""
    head = _fill("{email_head}", rng)
    body = _fill("{Hi|Dear|Hello} {name},", rng) + "\n\n" + _lines(rng, 2, 7)
    if rng.random() < 0.4:
        body += "\n\n" + _lines(rng, 1, 4)
    return (
        (head if rng.random() < 0.6 else "")
        + body
        + "\n\n"
        + _fill("{Best|Thanks|Regards|Cheers},\n{name}", rng)
    )


def web_page(rng: random.Random) -> str:
    """Return a small HTML page."""
    tag = rng.choice(("p", "li", "div", "td", 'p class="text"'))
    body = "\n".join(
        f"<{tag}>{_lines(rng, 1, 3)}</{tag.split()[0]}>" for _ in range(rng.randint(1, 6))
    )
    head = _fill("{page_head}", rng)
    return head + body + "\n</body></html>"


def readme(rng: random.Random) -> str:
    """Return a README in Markdown."""
    head = _fill("{readme_head}", rng)
    return head + _fill("{code}", rng) + "```\n\n## Notes\n\n" + _lines(rng, 1, 5, "\n") + "\n"


def tool_output(rng: random.Random) -> str:
    """Return the JSON result of a tool call."""
    rows = [
        {
            "id": rng.randrange(10_000),
            rng.choice(("name", "author", "customer")): _fill("{name} {surname}", rng),
            rng.choice(("city", "place")): _fill("{city}", rng),
            rng.choice(("note", "text", "snippet", "body", "description")): _lines(rng, 1, 2),
        }
        for _ in range(rng.randint(1, 5))
    ]
    name = rng.choice(("results", "items", "messages", "rows", "hits", "data"))
    return json.dumps({"status": "ok", name: rows}, indent=rng.choice((None, 1, 2)))


def cv(rng: random.Random) -> str:
    """Return a curriculum vitae."""
    text = _fill("{name} {surname}\n{city} | {name}@{company_mail}\n\n", rng)
    if rng.random() < 0.5:
        text += _fill("{cv_profile}", rng)
    jobs = "\n".join(
        _fill("{company}, {city}: {job}, {year}-{year}{. {line}|}", rng)
        for _ in range(rng.randint(1, 4))
    )
    skills = _fill(rng.choice(("\n- ", ", ", "; ")), rng).join(
        _fill("{skill}", rng) for _ in range(rng.randint(3, 7))
    )
    return f"{text}Experience\n{jobs}\n\nSkills\n{skills}" + _fill("{cv_end}", rng)


def review(rng: random.Random) -> str:
    """Return product reviews."""
    return "\n".join(
        _fill("{review_line} ", rng) + (_lines(rng, 1, 2) if rng.random() < 0.4 else "")
        for _ in range(rng.randint(1, 7))
    )


def log_file(rng: random.Random) -> str:
    """Return lines of a service log."""
    return "\n".join(
        f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02} {rng.randint(0, 23):02}:"
        f"{rng.randint(0, 59):02}:{rng.randint(0, 59):02} " + _fill("{log}", rng)
        for _ in range(rng.randint(3, 14))
    )


def report(rng: random.Random) -> str:
    """Return a report, minutes or an article with headings."""
    parts = [_fill("{report_title}", rng)]
    mark = rng.choice(("## ", "", "1. ", "**", "= "))
    for head in rng.sample(FACTS["heading"], rng.randint(2, 5)):
        parts.append(f"{mark}{head}\n{_lines(rng, 1, 6)}")
    return "\n\n".join(parts)


def article(rng: random.Random) -> str:
    """Return paragraphs of plain prose."""
    return "\n\n".join(_lines(rng, 2, 6) for _ in range(rng.randint(1, 5)))


def ticket(rng: random.Random) -> str:
    """Return a support ticket or an issue thread with comments."""
    head = _fill("{ticket_head}", rng)
    return head + "\n".join(
        _fill("[{name}] ", rng) + _lines(rng, 1, 2) for _ in range(rng.randint(1, 6))
    )


def chat_log(rng: random.Random) -> str:
    """Return a chat between colleagues or a transcript."""
    stamp = rng.random() < 0.4
    return "\n".join(
        (f"[{rng.randint(0, 23):02}:{rng.randint(0, 59):02}] " if stamp else "")
        + _fill("{name}: ", rng)
        + _lines(rng, 1, 2)
        for _ in range(rng.randint(2, 9))
    )


def config_file(rng: random.Random) -> str:
    """Return a configuration file."""
    if rng.random() < 0.5:
        return _fill("{config_ini}", rng)
    return _fill("{config_yaml}", rng)


def source_code(rng: random.Random) -> str:
    """Return pieces of made-up source code."""
    return "\n".join(_fill("{code}", rng) for _ in range(rng.randint(1, 4)))


def csv_table(rng: random.Random) -> str:
    """Return a table with a separator."""
    sep = rng.choice((",", ";", "\t", " | "))
    rows = [sep.join(("id", "name", "city", "amount", "comment"))]
    for number in range(rng.randint(2, 9)):
        cells = (_fill("{name} {surname}", rng), _fill("{city}", rng), f"{rng.random() * 900:.2f}")
        rows.append(sep.join((str(number), *cells, _fill("{{opinion}|ok|-|{line}}", rng))))
    return "\n".join(rows)


def invitation(rng: random.Random) -> str:
    """Return a calendar entry."""
    return _fill("{event_head} ", rng) + _lines(rng, 1, 3)


def search_results(rng: random.Random) -> str:
    """Return numbered search results or retrieved passages."""
    style = rng.choice(("[{n}] ", "{n}. ", "Document {n}: ", "<doc id={n}>", "Source {n}\n"))
    return "\n\n".join(
        style.replace("{n}", str(n))
        + _fill("{{topic}|{company}|{product}}\n", rng)
        + _lines(rng, 1, 4)
        for n in range(1, rng.randint(2, 6))
    )


def form(rng: random.Random) -> str:
    """Return an application, a delivery note or an invoice as text from a PDF."""
    title = rng.choice(
        ("INVOICE", "APPLICATION FORM", "DELIVERY NOTE", "EXPENSE CLAIM", "QUOTATION")
    )
    rows = "\n".join(
        _fill("{{num} x {product}|{job}|{skill}}   {num}.00", rng) for _ in range(rng.randint(1, 5))
    )
    return _fill(
        title
        + "  No. {num}{num}\n{company}, {city}\nName: {name} {surname}\nDate: {num} {month}\n\n"
        + rows
        + "\nTotal: {num}0.00\n\nRemarks: ",
        rng,
    ) + _lines(rng, 1, 3)


def social_thread(rng: random.Random) -> str:
    """Return posts with answers."""
    return "\n".join(
        _fill("{post_start}", rng) + _lines(rng, 1, 3) + _fill("{ #{animal}s|| 👍 {num}|}", rng)
        for _ in range(rng.randint(2, 6))
    )


# Maker, and the wrappers (keys of planted.WRAPPERS) in which a note suits its documents.
DOCUMENTS: tuple[tuple[Callable[[random.Random], str], str], ...] = (
    (email, "talk"),
    (email, "plain"),
    (web_page, "html"),
    (web_page, "html"),
    (readme, "html"),
    (tool_output, "data"),
    (cv, "talk"),
    (cv, "plain"),
    (review, "talk"),
    (log_file, "data"),
    (report, "plain"),
    (report, "plain"),
    (article, "plain"),
    (article, "plain"),
    (ticket, "talk"),
    (chat_log, "talk"),
    (config_file, "code"),
    (source_code, "code"),
    (source_code, "code"),
    (csv_table, "data"),
    (invitation, "talk"),
    (search_results, "plain"),
    (form, "talk"),
    (social_thread, "talk"),
)


def document(rng: random.Random) -> tuple[str, str]:
    """Return a made-up document of a random kind and the kind of wrapper that suits it."""
    make, wrapper = rng.choice(DOCUMENTS)
    return make(rng), wrapper
