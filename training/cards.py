"""Model cards: ``docs/models/<name>.md`` from ``training/results/<name>.json``.

``write_results`` is what a recipe calls last; ``python -m training.cards`` renders every card
again from the committed results.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

ROOT = Path(__file__).resolve().parents[1]


class Source(TypedDict):
    """One source of texts. ``use`` is ``train``, ``choose`` (dev) or ``measure`` (held out)."""

    name: str
    licence: str
    rows: int
    use: str
    note: str


class Figure(TypedDict):
    """One measured figure, with its 95 % interval and the floor it had to pass, if any."""

    set: str
    metric: str
    value: float
    ci95: tuple[float, float] | None
    rows: int
    floor: float | None


class Quantised(TypedDict):
    """The same figure of the fp32 model and of the int8 model that is shipped."""

    set: str
    metric: str
    fp32: float
    int8: float


class Results(TypedDict):
    """All that a card says."""

    name: str
    task: str
    labels: list[str]
    sources: list[Source]
    recipe: dict[str, str | int | float]
    figures: list[Figure]
    quantisation: list[Quantised]
    weaknesses: list[str]
    model_bytes: int


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def render(results: Results) -> str:
    """The card as Markdown."""
    sources = [[s["name"], s["licence"], str(s["rows"]), s["use"], s["note"]] for s in
               results["sources"]]  # fmt: skip
    figures = [
        [
            f["set"],
            f["metric"],
            f"{f['value']:.3f}",
            f"{f['ci95'][0]:.3f} to {f['ci95'][1]:.3f}" if f["ci95"] else "",
            str(f["rows"]),
            f"{f['floor']:g}" if f["floor"] is not None else "",
        ]
        for f in results["figures"]
    ]
    quantised = [
        [q["set"], q["metric"], f"{q['fp32']:.4f}", f"{q['int8']:.4f}"]
        for q in results["quantisation"]
    ]
    recipe = [[key, str(value)] for key, value in results["recipe"].items()]
    weaknesses = "\n".join(f"- {line}" for line in results["weaknesses"])
    return f"""# {results["name"]}

<!-- Written by `python -m training.cards` from training/results/{results["name"]}.json. -->

{results["task"]}

- Labels ({len(results["labels"])}, in logit order): {", ".join(results["labels"])}.
- Files: `model_repository/{results["name"]}/1/` (`model.onnx`, int8 weights,
  {results["model_bytes"] / 1e6:.1f} MB; `labels.json`; `tokenizer.json`).
- Inputs `input_ids`, `attention_mask` int64 [B, S], S at most 512; output `logits` float32.
- Trunk: all-MiniLM-L6-v2 (Apache-2.0). Licence of these weights: Apache-2.0.
- Repeat it with `make train` (about the same figures, not the same bits).

## Data

{_table(["Source", "Licence", "Rows", "Use", "Note"], sources)}

## Recipe

{_table(["Setting", "Value"], recipe)}

## Measured

All on the int8 `model.onnx` that is shipped, with ONNX Runtime on the CPU, one text a run, cut at
512 tokens. Intervals: 95 %, percentile bootstrap over rows (1,000 resamplings).

{_table(["Set", "Metric", "Value", "95 % interval", "Rows", "Floor"], figures)}

What int8 costs:

{_table(["Set", "Metric", "fp32", "int8"], quantised)}

## Known weaknesses

{weaknesses}
"""


def write_results(results: Results) -> None:
    """Write ``training/results/<name>.json`` and the card made from it."""
    path = ROOT / "training" / "results" / f"{results['name']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _write_card(path)


def _write_card(path: Path) -> None:
    results: Results = json.loads(path.read_text(encoding="utf-8"))
    card = ROOT / "docs" / "models" / f"{results['name']}.md"
    card.parent.mkdir(parents=True, exist_ok=True)
    card.write_text(render(results), encoding="utf-8")


def main() -> None:
    """Render every card again."""
    for path in sorted((ROOT / "training" / "results").glob("*_classifier.json")):
        _write_card(path)


if __name__ == "__main__":
    main()
