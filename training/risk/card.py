"""The card ``docs/models/risk_signal.md``, from ``facts.json`` and what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from training.evaluation.markdown import table
from training.risk.measure import LENGTHS, TOP


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _attacks(rows: Mapping[str, Mapping[str, float]]) -> str:
    top = TOP[1]
    head = ["Attacks", "Number", "Marked", *(f"Top {top} of {n:,} tokens" for n in LENGTHS)]
    cells: Iterable[list[str]] = (
        [
            source,
            str(row["attacks"]),
            _percent(row["marked"]),
            *(_percent(row[f"top {top} of {n} tokens"]) for n in LENGTHS),
        ]
        for source, row in rows.items()
    )
    return table(head, cells)


def render(facts: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    """The card as Markdown.

    Args:
        facts: sources, licences and weaknesses.
        results: what ``training.risk.measure`` and ``training.risk.speed`` measured.
    """
    sources = table(
        ("Source", "Licence", "What is read"),
        ((s["name"], s["licence"], s["holds"]) for s in facts["sources"]),
    )
    harmless = table(
        ("Harmless text", "Sentences", "Marked"),
        (
            (kind, f"{row['sentences']:,}", _percent(row["marked"]))
            for kind, row in results["harmless sentences"].items()
        ),
    )
    speed = results["speed"]
    weaknesses = "\n".join(f"- {line}" for line in facts["weaknesses"])
    return f"""# risk signal

<!-- Written by `python -m training.risk` from training/risk/facts.json and
training/results/risk.json. -->

Which sentences of a text may carry an attack: the compressor keeps those that are marked and adds
the risk to the score of all. It decides nothing; the safety classifier judges what is kept.

- File: `python_backends/pointsman_backends/compressor/risk.npz` ({results["bytes"] / 1e3:.0f} kB),
  read by `risk.py` beside it with numpy alone. The file holds this card's sources and figures.
- Model: {facts["model"]}.
- Marked: risk of at least {results["threshold"]:.3f}.
- Licence of these weights: {facts["licence"]}.
- Repeat it with `python -m training.risk`.

## Data

{sources}

{facts["apart"]}

## Measured

Of texts that training never shows: the share of attacks of which a sentence is marked, and the
share of which one is among the {TOP[1]} riskiest sentences when the attack is put into a long
harmless document. Documents are of one kind each: {results["fillers"]}.

{_attacks(results["attacks"])}

{harmless}

On one thread of the machine that trained it, {speed["words"]:,} words in {speed["sentences"]:,}
sentences: {speed["contributions (us)"]:.0f} µs for the contributions of the words,
{speed["sentences (us)"]:.0f} µs for the sentences. New words:
{speed["words a second, each for the first time"]:,} a second.

## Known weaknesses

{weaknesses}
"""
