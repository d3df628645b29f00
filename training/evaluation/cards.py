"""Model cards: ``docs/models/<name>.md`` from ``training/facts/<name>.json`` and the results.

A facts file says what no measurement can: what the model is for, its training data with their
licences, its recipe and its weaknesses. The figures come from training/results/evaluation.json, the
numbers of training texts from training/results/sources.json (``python -m training.sources``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

from training.evaluation.markdown import figures, table

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "training" / "facts"
COUNTS = ROOT / "training" / "results" / "sources.json"


class _Source(TypedDict):
    name: str
    licence: str
    use: str
    note: str


class Source(_Source, total=False):
    """One source of texts.

    Attributes:
        use: ``train``, ``choose`` (dev) or ``measure`` (held out).
        kinds: what ``training.sources`` counts as being of this source; absent where its texts
            are parts of others.
    """

    kinds: list[str]


class Facts(TypedDict):
    """What a facts file holds.

    Attributes:
        name: of the model and of its folder in the model repository.
        task: what it is for, in a sentence.
        interface: its inputs and outputs.
        sources: of its texts.
        apart: how what is measured is kept out of training.
        recipe: settings of its training.
        weaknesses: known ones.
    """

    name: str
    task: str
    interface: str
    sources: list[Source]
    apart: str
    recipe: dict[str, str]
    weaknesses: list[str]


def _sources(rows: Iterable[Source], counts: Mapping[str, int]) -> str:
    cells = [
        (
            s["name"],
            s["licence"],
            s["use"],
            f"{sum(counts[kind] for kind in s['kinds']):,}" if "kinds" in s else "",
            s["note"],
        )
        for s in rows
    ]
    return table(("Source", "Licence", "Use", "Texts in an epoch", "Note"), cells)


def _measured(task: str, results: dict[str, Any]) -> str:
    """The figures of one task, by set."""
    if task not in results:
        return """
## Measured

Through its heads, whose cards have the figures; by length, by perturbation and beside simpler
methods: [evaluation](../evaluation.md).
"""
    rows = figures(results[task]["figures"])
    by_hand = ""
    if "written" in results[task]:
        by_hand = f"""
Texts written by hand, of the tenth that is kept out of training:

{figures(results[task]["written"])}
"""
    return f"""
## Measured

On the `model.onnx` that is shipped, one text a run, with the shipped policy's thresholds. Intervals
are 95 % percentile bootstraps over texts; an aim is what the project wants to reach. By length, by
perturbation and beside simpler methods: [evaluation](../evaluation.md).

{rows}
{by_hand}"""


def render(facts: Facts, results: dict[str, Any], counts: Mapping[str, int]) -> str:
    """The card as Markdown.

    Args:
        facts: of one model.
        results: what ``python -m training.evaluation`` measured.
        counts: training texts of an epoch by kind.
    """
    name = facts["name"]
    task = name.removesuffix("_classifier")
    labels = results["models"]["labels"].get(task)
    listed = f"- Labels ({len(labels)}, in logit order): {', '.join(labels)}.\n" if labels else ""
    size = results["models"]["bytes"].get(name)
    weight = f", {size / 1e6:.1f} MB" if size else ""
    weaknesses = "\n".join(f"- {line}" for line in facts["weaknesses"])
    return f"""# {name}

<!-- Written by `python -m training.evaluation --render` from training/facts/{name}.json and
training/results/{{evaluation,sources}}.json. -->

{facts["task"]}

{listed}- Files: `model_repository/{name}/1/` (`model.onnx`{weight}).
- {facts["interface"]}
- Licence of these weights: Apache-2.0, as all-MiniLM-L6-v2's, which they come from.
- Repeat it with `make train` (about the same figures, not the same bits).

## Data

{_sources(facts["sources"], counts)}

{facts["apart"]}

## Recipe

{table(("Setting", "Value"), facts["recipe"].items())}
{_measured(task, results)}
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
    counts = json.loads(COUNTS.read_text(encoding="utf-8"))
    for path in sorted(FACTS.glob("*.json")):
        facts: Facts = json.loads(path.read_text(encoding="utf-8"))
        of_task = counts.get(path.stem.removesuffix("_classifier"), {})
        card = render(facts, results, of_task)
        (folder / f"{path.stem}.md").write_text(card, encoding="utf-8")
