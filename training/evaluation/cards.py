"""Model cards: ``docs/models/<name>.md`` from ``training/facts/<name>.json`` and the results.

A facts file says what no measurement can: what the model is for, its training data with their
licences, its recipe and its weaknesses. The figures come from training/results/evaluation.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

from training.evaluation.markdown import figures, number, table

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "training" / "facts"


class _Source(TypedDict):
    name: str
    licence: str
    use: str
    note: str


class Source(_Source, total=False):
    """One source of texts. ``use`` is ``train``, ``choose`` (dev) or ``measure`` (held out)."""

    rows: int


class Quantised(TypedDict):
    """The same figure of the fp32 model and of the int8 model that is shipped."""

    set: str
    metric: str
    fp32: float
    int8: float


class _Facts(TypedDict):
    name: str
    task: str
    interface: str
    sources: list[Source]
    recipe: dict[str, str | int | float]
    weaknesses: list[str]


class Facts(_Facts, total=False):
    """What a facts file holds.

    Attributes:
        name: of the model and of its folder in the model repository.
        task: what it is for, in a sentence.
        interface: its inputs and outputs.
        sources: of its texts.
        recipe: settings of its training.
        weaknesses: known ones.
        quantisation: what int8 weights cost, where that was measured.
    """

    quantisation: list[Quantised]


def _sources(rows: Iterable[Source]) -> str:
    cells = [
        (s["name"], s["licence"], f"{s['rows']:,}" if "rows" in s else "", s["use"], s["note"])
        for s in rows
    ]
    return table(("Source", "Licence", "Rows", "Use", "Note"), cells)


def _measured(task: str, results: dict[str, Any]) -> str:
    """The figures of one task, by set."""
    if task not in results:  # the encoder is measured through its heads
        return ""
    rows = figures(results[task]["figures"])
    return f"""
## Measured

On the `model.onnx` that is shipped, one text a run, with the shipped policy's thresholds. Intervals
are 95 % percentile bootstraps over texts; an aim is what the project wants to reach. By length, by
perturbation and beside simpler methods: [evaluation](../evaluation.md).

{rows}
"""


def _quantised(rows: Iterable[Quantised]) -> str:
    cells = [(q["set"], q["metric"], number(q["fp32"], 4), number(q["int8"], 4)) for q in rows]
    if not cells:
        return ""
    return f"\nWhat int8 costs:\n\n{table(('Set', 'Metric', 'fp32', 'int8'), cells)}\n"


def render(facts: Facts, results: dict[str, Any]) -> str:
    """The card as Markdown.

    Args:
        facts: of one model.
        results: what ``python -m training.evaluation`` measured.
    """
    name = facts["name"]
    task = name.removesuffix("_classifier")
    labels = results["models"]["labels"].get(task)
    listed = f"- Labels ({len(labels)}, in logit order): {', '.join(labels)}.\n" if labels else ""
    size = results["models"]["bytes"].get(name)
    weight = f", {size / 1e6:.1f} MB" if size else ""
    recipe = [(key.replace("_", " "), str(value)) for key, value in facts["recipe"].items()]
    weaknesses = "\n".join(f"- {line}" for line in facts["weaknesses"])
    return f"""# {name}

<!-- Written by `python -m training.evaluation --render` from training/facts/{name}.json and
training/results/evaluation.json. -->

{facts["task"]}

{listed}- Files: `model_repository/{name}/1/` (`model.onnx`{weight}).
- {facts["interface"]}
- Licence of these weights: Apache-2.0, as all-MiniLM-L6-v2's, which they come from.
- Repeat it with `make train` (about the same figures, not the same bits).

## Data

{_sources(facts["sources"])}

## Recipe

{table(("Setting", "Value"), recipe)}
{_measured(task, results)}{_quantised(facts.get("quantisation", []))}
## Known weaknesses

{weaknesses}
"""


def write(results: dict[str, Any], folder: Path) -> None:
    """Write the card of every model that has a facts file.

    Args:
        results: what ``python -m training.evaluation`` measured.
        folder: where the cards go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(FACTS.glob("*.json")):
        facts: Facts = json.loads(path.read_text(encoding="utf-8"))
        (folder / f"{path.stem}.md").write_text(render(facts, results), encoding="utf-8")
