"""``python -m training.evaluation.variants``: variants of the models side by side.

A variant is a model repository (``--repository fp32=DIR``), measured as it is served, or trained
weights (``--weights joint=FILE`` or ``--weights alone=FILE,FILE,FILE``), measured in PyTorch: what
``training.multitask`` wrote for all tasks together, or for one task each. The figures are those
that ``training.evaluation`` has an aim for, on at most ``--limit`` texts of each set. Results go to
``training/results/variants.json`` and ``docs/variants.md``, each variant in place of the one of the
same name; ``--render`` writes the page alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.evaluation.markdown import interval, number, table

if TYPE_CHECKING:
    from training.evaluation.served import Served

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "training" / "results" / "variants.json"
PAGE = ROOT / "docs" / "variants.md"

_ABOUT = """# Variants of the models

<!-- Written by `python -m training.evaluation.variants` from training/results/variants.json. -->

Accuracy of variants on the same texts, at most {limit} of each set; value and 95 % bootstrap
interval. `training/README.md` says how each was made. Errors should be low, all else high.
"""


def measure(variant: Served, data: Path, limit: int) -> list[dict[str, Any]]:
    """The figures of one variant that have an aim.

    Args:
        variant: What answers as the server does.
        data: Folder of the shared data files.
        limit: Most texts of each set.
    """
    from training.evaluation import domain, pii, safety

    figures = []
    for name, part in (("safety", safety), ("domain", domain), ("pii", pii)):
        print(f"== {name}", file=sys.stderr)
        figures += [row for row in part.measure(variant, data, limit)["figures"] if row["aim"]]
    return figures


def trained(paths: Sequence[Path]) -> Served:
    """What answers as ``Served`` does, from weights of ``training.multitask``.

    Raises:
        SystemExit: The weights are not of each task once.
    """
    import torch

    from training.evaluation.served import TASKS, Floats, Served
    from training.multitask import MultiTask

    models: dict[str, MultiTask] = {}
    for path in paths:
        weights = torch.load(path, weights_only=True)
        tasks = [task for task in TASKS if any(key.startswith(f"heads.{task}.") for key in weights)]
        model = MultiTask(tasks)
        model.load_state_dict(weights)
        model.eval()
        if again := models.keys() & set(tasks):
            raise SystemExit(f"{path} is for {', '.join(again)}, which another file is for, too")
        models |= dict.fromkeys(tasks, model)
    if lacking := set(TASKS) - models.keys():
        raise SystemExit(f"no weights for {', '.join(sorted(lacking))}")

    class Trained(Served):
        def logits(self, ids: Sequence[int], tasks: Iterable[str] = TASKS) -> dict[str, Floats]:
            tensor = torch.tensor([list(ids)])
            mask = torch.ones_like(tensor)
            with torch.inference_mode():
                return {task: models[task](task, tensor, mask).numpy()[0] for task in tasks}

    return Trained(ROOT / "model_repository")


def render(results: dict[str, Any]) -> str:
    """The page as Markdown."""
    variants = results["variants"]
    names = list(variants)
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for name, figures in variants.items():
        for row in figures:
            cell = f"{number(row['value'])} ({interval(row)})"
            rows.setdefault((row["set"], row["metric"]), {})[name] = cell
    body = [(*key, *(cells.get(name, "") for name in names)) for key, cells in rows.items()]
    return f"{_ABOUT.format(limit=results['limit'])}\n{table(('Set', 'Figure', *names), body)}\n"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--repository", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--weights", action="append", default=[], metavar="NAME=FILE[,FILE,FILE]")
    parser.add_argument("--limit", type=int, default=600, help="texts of each set")
    parser.add_argument("--render", action="store_true", help="write docs/ from the last results")
    arguments = parser.parse_args()
    results: dict[str, Any] = {"limit": arguments.limit, "variants": {}}
    if RESULTS.exists():
        before = json.loads(RESULTS.read_text(encoding="utf-8"))
        if before["limit"] == arguments.limit or arguments.render:
            results = before
    if not arguments.render:
        from training.evaluation.served import Served

        for given in arguments.weights + arguments.repository:
            name, _, where = given.partition("=")
            if not where:
                parser.error(f'"{given}" is not NAME=PATH')
            print(f"= {name}", file=sys.stderr)
            is_weights = given in arguments.weights
            variant = (
                trained(list(map(Path, where.split(",")))) if is_weights else Served(Path(where))
            )
            results["variants"][name] = measure(variant, arguments.data, arguments.limit)
            text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False)
            RESULTS.write_text(text + "\n", encoding="utf-8")
    PAGE.write_text(render(results), encoding="utf-8")


if __name__ == "__main__":
    main()
