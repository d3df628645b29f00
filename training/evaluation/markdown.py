"""Markdown tables of figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from training.evaluation.figures import Figure

HEAD = ("Set", "Metric", "Value", "95 % interval", "Texts", "Aim")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells hold no pipes."""
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def interval(figure: Figure) -> str:
    """The 95 % interval, empty where there is none."""
    return f"{figure['ci95'][0]:.3f} to {figure['ci95'][1]:.3f}" if figure["ci95"] else ""


def figures(rows: Iterable[Figure]) -> str:
    """A table of figures."""
    return table(
        HEAD,
        (
            (
                row["set"],
                row["metric"],
                number(row["value"]),
                interval(row),
                str(row["rows"]),
                "" if row["aim"] is None else f"{row['aim']:g}",
            )
            for row in rows
        ),
    )
