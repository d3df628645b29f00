"""The page and the pictures of a benchmark, made from its JSON alone.

Usage: ``python perf/report.py [FILE.json]`` (default: the newest of ``perf/results``) writes
docs/performance_results.md and draws docs/images/performance_*.svg and .png.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import document
import typer
from attention_report import table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance_results.md"
PICTURES = ROOT / "docs" / "images"


class Part(str, Enum):
    """What a document may hold, in the order of the page."""

    STAGES = "stages"
    WATERFALL = "waterfall"
    LOAD = "load"
    MEMORY = "memory"
    CURVE = "curve"


_ABOUT = """# Performance, measured

<!-- Written by `make report` from perf/results/{name}. -->

What was measured and how: [performance.md](performance.md). All figures of this page are those of
[perf/results/{name}](../perf/results/{name}); `make bench` makes such a file, `make report` this
page.
"""


def parts(measured: document.Document) -> list[Part]:
    """Return what a document holds."""
    return [part for part in Part if part.value in measured]


def made(measured: document.Document) -> str:
    """Return the table of when and on what each part was measured."""
    heads = measured["made"]
    rows = [
        [
            part.value,
            head["at"],
            f"{head['seconds']:.0f} s{', quick' if head['quick'] else ''}",
            f"`{head['revision']}`",
            f"{head['cpu']}, {head['cores']} cores",
            f"{head['load_average'][0]:.1f}",
            f"ONNX Runtime {head['onnxruntime']}, NumPy {head['numpy']}, Python {head['python']}",
        ]
        for part in parts(measured)
        for head in [heads[part.value]]
    ]
    return table(
        ["part", "at (UTC)", "took", "revision", "machine", "load before", "versions"], rows
    )


def markdown(measured: document.Document, drawn: Mapping[Part, str] | None = None) -> str:
    """Return the sections of all parts.

    Args:
        measured: a document.
        drawn: where the picture of a part is, as the page is to say.
    """
    sections = []
    for part in parts(measured):
        sections.append(_report(part).markdown(measured[part.value]).strip())
        if drawn and part in drawn:
            sections.append(f"![{part.value}]({drawn[part]})")
    return "\n\n".join([*sections, "## Measured on\n\n" + made(measured).strip()]) + "\n"


def write(measured: document.Document, source: Path, page: Path, pictures: Path) -> list[Path]:
    """Write the page and draw the pictures; return the pictures' paths."""
    drawn = {
        part: paths
        for part in parts(measured)
        if (paths := _report(part).draw(measured[part.value], pictures))
    }
    links = {part: os.path.relpath(first, page.parent) for part, (first, *_) in drawn.items()}
    page.write_text(
        f"{_ABOUT.format(name=source.name)}\n{markdown(measured, links)}", encoding="utf-8"
    )
    return [path for paths in drawn.values() for path in paths]


def _report(part: Part) -> Any:  # noqa: ANN401 - a module
    return importlib.import_module(f"{part.value}_report")


def main(
    results: Annotated[
        Path | None, typer.Argument(help="What perf/bench.py wrote.", show_default="the newest")
    ] = None,
) -> None:
    """Write the page and draw the pictures."""
    source = results or document.newest()
    drawn = write(document.read(source), source, PAGE, PICTURES)
    for path in [PAGE, *drawn]:
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    typer.run(main)
