"""The card ``docs/models/personal_signal.md``, from ``facts.json`` and what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from training.evaluation.markdown import table
from training.personal.measure import LENGTHS, TOP


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _ranks(kinds: Iterable[str], row: Mapping[str, Any], top: int) -> str:
    head = ["Filler"]
    head += [
        f"{what}, top {top} of {n:,} tokens" for what in ("Texts", "Sentences") for n in LENGTHS
    ]
    return table(
        head,
        (
            [
                kind,
                *(
                    _percent(row[kind][f"{what}, top {top} of {n} tokens"])
                    for what in ("texts", "sentences")
                    for n in LENGTHS
                ),
            ]
            for kind in kinds
        ),
    )


def render(facts: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    """The card as Markdown.

    Args:
        facts: sources, licences and weaknesses.
        results: what ``training.personal.measure`` measured.
    """
    sources = table(
        ("Source", "Licence", "What is read"),
        ((s["name"], s["licence"], s["holds"]) for s in facts["sources"]),
    )
    clean = results["filler sentences"]
    marked = table(
        ("Filler", "Sentences", "Marked"),
        ((kind, f"{row['sentences']:,}", _percent(row["marked"])) for kind, row in clean.items()),
    )
    personal = "\n\n".join(
        f"{source}: {row['texts']:,} texts with {row['sentences']:,} such sentences; marked: "
        f"{_percent(row['texts marked'])} of the texts, {_percent(row['sentences marked'])} of the "
        f"sentences.\n\n{_ranks(clean, row, TOP[2])}"
        for source, row in results["personal data"].items()
    )
    weaknesses = "\n".join(f"- {line}" for line in facts["weaknesses"])
    return f"""# signal of personal data

<!-- Written by `python -m training.personal` from training/personal/facts.json and
training/results/personal.json. -->

Which sentences of a text may tell personal data that no pattern scan finds: names, organisations,
places, addresses, dates, ages, titles. It decides nothing; the PII classifier reads what is kept.

- File: `python_backends/pointsman_backends/compressor/personal.npz`
  ({results["bytes"] / 1e3:.0f} kB), read by `risk.py` beside it with numpy alone. The file holds
  this card's sources and figures.
- Model: {facts["model"]}.
- Marked: at least {results["threshold"]:.3f}.
- Licence of these weights: {facts["licence"]}.
- Repeat it with `python -m training.personal`.

## Data

{sources}

{facts["apart"]}

## Measured

Of texts with personal data that training never shows, and of the sentences in them that tell some:
the share that is among the {TOP[2]} highest when a long document of one kind is around the text (of
a text the highest sentence counts; the ranks {TOP[0]} and {TOP[1]} are in
`training/results/personal.json`).

{personal}

Sentences of the fillers themselves; those of prose and legal texts name people of their own:

{marked}

## Known weaknesses

{weaknesses}
"""
