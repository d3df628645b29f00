"""The whole system on this machine: measured, written down, told and drawn.

Parts: the staircase of the paper (``stages``), where the time of one request goes (``waterfall``),
many requests at once (``load``), what the server holds (``memory``), cost by length (``curve``).

Usage: ``python perf/bench.py [--quick] [--part PART ...] [--output FILE.json]``
"""

from __future__ import annotations

import importlib
from typing import Annotated

import document
import report
import typer
from rich.console import Console

QUICK = report.ROOT / "build" / "bench"
"""Where page and pictures of a quick run go."""


def main(
    quick: document.Quick = False,
    part: Annotated[list[report.Part] | None, typer.Option(help="Measure this part only.")] = None,
    output: document.Output = None,
) -> None:
    """Measure, then make the page and the pictures of what was measured."""
    path = output or document.of_today(quick)
    console = Console()
    for each in part or list(report.Part):
        console.rule(each.value)
        document.record(each.value, importlib.import_module(each.value).measure, quick, path)
    console.rule()
    measured = document.read(path)
    # The documentation tells of full runs.
    page = QUICK / report.PAGE.name if quick else report.PAGE
    pictures = QUICK / "images" if quick else report.PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    report.write(measured, path, page, pictures)
    console.print(report.markdown(measured), markup=False)
    console.print(f"written: {path}, {page}, {pictures}/performance_*", markup=False)


if __name__ == "__main__":
    typer.run(main)
