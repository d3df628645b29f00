"""``python -m training.evaluation``: measure the shipped models and write everything about it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from training.evaluation import cards, pictures, report

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "training" / "results" / "evaluation.json"
QUICK_RESULTS = ROOT / "build" / "evaluation" / "quick.json"
QUICK_ROWS = 20
"""Texts of each set in a quick run."""
PARTS = ("safety", "domain", "pii", "perturbation", "baselines", "length")


def measure(data: Path, models: Path, quick: bool, parts: Collection[str]) -> dict[str, Any]:
    """The figures of some of ``PARTS``, as the results file holds them."""
    # Imported here, so that rendering needs neither models nor their packages.
    from training.evaluation import baselines, domain, length, pii, robustness, safety
    from training.evaluation.served import Served

    served = Served(models)
    limit = QUICK_ROWS if quick else None
    results: dict[str, Any] = {
        "models": {
            "shared": served.shared,
            "max_tokens": served.max_tokens,
            "bytes": served.sizes(),
            "labels": {task: list(labels) for task, labels in served.labels.items()},
            "quick": quick,
        }
    }
    measures: dict[str, Callable[[], Any]] = {
        "safety": lambda: safety.measure(served, data, limit),
        "domain": lambda: domain.measure(served, data, limit),
        "pii": lambda: pii.measure(served, data, limit),
        "perturbation": lambda: robustness.measure(served, data, limit),
        "baselines": lambda: baselines.measure(served, data, limit),
        "length": lambda: length.measure(served, data, quick),
    }
    for name in PARTS:
        if name in parts:
            print(f"== {name}", file=sys.stderr)
            results[name] = measures[name]()
    return results


def render(results: dict[str, Any], docs: Path) -> None:
    """Write evaluation.md, its pictures and the model cards under ``docs``."""
    docs.mkdir(parents=True, exist_ok=True)
    (docs / "evaluation.md").write_text(report.render(results), encoding="utf-8")
    pictures.draw(results, docs / "images")
    cards.write(results, docs / "models")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--models", type=Path, default=ROOT / "model_repository")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        help="measure these alone, and keep the other figures of the last results",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--quick", action="store_true", help="few texts; writes under build/evaluation/ alone"
    )
    mode.add_argument("--render", action="store_true", help="write docs/ from the last results")
    arguments = parser.parse_args()
    path = QUICK_RESULTS if arguments.quick else RESULTS
    if not arguments.render:
        kept = json.loads(path.read_text(encoding="utf-8")) if arguments.parts else {}
        measured = measure(
            arguments.data, arguments.models, arguments.quick, arguments.parts or PARTS
        )
        results = kept | measured
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")
    render(
        json.loads(path.read_text(encoding="utf-8")),
        path.parent / "docs" if arguments.quick else ROOT / "docs",
    )


if __name__ == "__main__":
    main()
