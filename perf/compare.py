"""Which cells of a benchmark got slower, or faster, beyond the noise: two documents compared.

A cell is an object with raw samples (``perf/document.py`` says which); cells are matched by part
and keys. What is compared is the ratio of the medians. Its interval is a block bootstrap's (pairs
where both runs asked about the same texts in the same order), so wide that of all cells together
one is reported by mistake in one comparison out of twenty. That is the noise within the runs. From
run to run there is more of it (where memory lies, what else the machine does), so a cell is only
reported when its whole interval is beyond 3 %. Where all cells moved together, look at the machine
first: the ratio of all of them is told, too.

Usage: ``python perf/compare.py BEFORE.json AFTER.json``. The exit status is 0 whatever is found,
and 2 if a file is none of ``perf/bench.py``.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import document
import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table

FEWEST = 8
"""Samples that a cell needs in both runs: of fewer, chance alone can look like any change."""
ERRORS = 0.05
"""How often something may be reported, of all cells together, where nothing changed."""
MARGIN = 0.03
"""Changes of less than that are not told."""
RESAMPLES = 10_000
WIDTH = 120
"""Characters of a line where there is no terminal, as in CI."""
AT_ONCE = 2**22
"""Numbers drawn at a time, to bound the memory."""
WORDS = {"samples_ms": ("slower", "faster"), "samples_mib": ("more", "less")}
"""What is measured, and what a higher and a lower figure is called."""

Samples = npt.NDArray[np.float64]


class Key(NamedTuple):
    """What a cell is: its part, its unit, and what of `document.KEYS` it has."""

    part: str
    unit: str
    names: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return ", ".join([self.part, *(f"{key} {value}" for key, value in self.names)])


class Cell(NamedTuple):
    """What was measured, and about which texts."""

    samples: Samples
    texts: str | None


class Ratio(NamedTuple):
    """How many times as large a cell's median is in the second run, with its interval."""

    key: Key
    before: float
    after: float
    value: float
    low: float
    high: float
    paired: bool

    @property
    def verdict(self) -> str:
        """One of `WORDS`, or an empty string where it may be noise."""
        higher, lower = WORDS[self.key.unit]
        if self.low > 1 + MARGIN:
            return higher
        return lower if self.high < 1 / (1 + MARGIN) else ""


class Comparison(NamedTuple):
    """The cells of both runs that could be compared, and how many could not."""

    ratios: list[Ratio]
    too_few: int
    in_one: int

    @property
    def changed(self) -> list[Ratio]:
        """What changed beyond the noise, what got worst first."""
        return sorted((each for each in self.ratios if each.verdict), key=lambda each: -each.value)


def cells(measured: Mapping[str, Any]) -> dict[Key, Cell]:
    """Return the cells of a document.

    Raises:
        ValueError: samples that are no positive numbers, or two cells that nothing tells apart.
    """
    found: dict[Key, Cell] = {}
    for part, value in measured.items():
        if part == "made":
            continue
        for row in _objects(value):
            for unit in WORDS:
                if not (samples := row.get(unit)):
                    continue
                names = tuple((name, row[name]) for name in document.KEYS if name in row)
                key = Key(part, unit, names)
                if key in found:
                    raise ValueError(f"two cells are the same: {key} ({unit})")
                found[key] = Cell(_numbers(samples, key), row.get("texts"))
    return found


def _objects(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _objects(each)


def _numbers(samples: Any, key: Key) -> Samples:  # noqa: ANN401 - any JSON
    try:
        numbers = np.asarray(samples, np.float64)
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    if numbers.ndim != 1 or not (numbers > 0).all() or not np.isfinite(numbers).all():
        raise ValueError(f"{key}: samples that are no positive numbers")
    if not numbers.size:
        raise ValueError(f"{key}: samples that are no numbers")
    return numbers


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """Compare two documents; ValueError if one of them is broken."""
    first, second = cells(before), cells(after)
    both = [key for key in first if key in second]
    enough = [
        key for key in both if min(first[key].samples.size, second[key].samples.size) >= FEWEST
    ]
    return Comparison(
        [ratio(key, first[key], second[key], ERRORS / len(enough)) for key in enough],
        len(both) - len(enough),
        len(first) + len(second) - 2 * len(both),
    )


def ratio(key: Key, before: Cell, after: Cell, errors: float) -> Ratio:
    """Compare one cell.

    Args:
        key: of the cell.
        before: of the first run.
        after: of the second one.
        errors: how often the interval may miss the true ratio.
    """
    paired = (
        before.texts is not None
        and before.texts == after.texts
        and before.samples.size == after.samples.size
    )
    drawn = resampled(before.samples, after.samples, paired)
    low, high = np.quantile(drawn, [errors / 2, 1 - errors / 2])
    medians = float(np.median(before.samples)), float(np.median(after.samples))
    return Ratio(key, *medians, medians[1] / medians[0], float(low), float(high), paired)


def resampled(before: Samples, after: Samples, paired: bool) -> Samples:
    """Return the ratios of medians of samples drawn anew, in the same places where paired."""
    random = np.random.default_rng(1)
    at_once = max(1, AT_ONCE // (before.size + after.size))
    ratios = []
    for start in range(0, RESAMPLES, at_once):
        rounds = min(at_once, RESAMPLES - start)
        one = places(random, before.size, rounds)
        other = one if paired else places(random, after.size, rounds)
        ratios.append(np.median(after[other], axis=1) / np.median(before[one], axis=1))
    return np.concatenate(ratios)


def places(random: np.random.Generator, size: int, rounds: int) -> npt.NDArray[np.int64]:
    """Return indices drawn with replacement, in blocks: neighbours in time are alike.

    The circular block bootstrap (Politis and Romano, 1992), in blocks of the cube root of the size.

    Returns:
        Shape [rounds, size], each within the size.
    """
    block = round(size ** (1 / 3))
    starts = random.integers(0, size, (rounds, -(-size // block), 1))
    return ((starts + np.arange(block)) % size).reshape(rounds, -1)[:, :size]


def machines(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return, for each part of both, on what it was measured where that differs."""
    lines = []
    for part in before["made"]:
        one, other = before["made"][part], after["made"].get(part)
        if other is None:
            continue
        differs = [
            f"{name} {one.get(name)} | {other.get(name)}"
            for name in {**one, **other}
            if name not in ("at", "seconds") and one.get(name) != other.get(name)
        ]
        if differs:
            lines.append(f"{part}: {'; '.join(differs)}")
    return lines


def shown(comparison: Comparison) -> Table:
    """Return the table of what changed."""
    level = 1 - ERRORS / max(1, len(comparison.ratios))
    table = Table(title="changed beyond the noise")
    for column in ("cell", "before", "after", "ratio", f"interval ({level:.2%})", "pairs", ""):
        table.add_column(column, justify="left" if column in ("cell", "") else "right")
    for each in comparison.changed:
        unit = each.key.unit.removeprefix("samples_")
        table.add_row(
            str(each.key),
            f"{each.before:.4g} {unit}",
            f"{each.after:.4g} {unit}",
            f"{each.value:.3f}",
            f"{each.low:.3f} to {each.high:.3f}",
            "yes" if each.paired else "no",
            each.verdict,
        )
    return table


def tell(comparison: Comparison, console: Console) -> None:
    """Print what changed, and what was not compared."""
    if comparison.changed:
        console.print(shown(comparison))
    console.print(
        f"{len(comparison.changed)} of {len(comparison.ratios)} cells changed beyond the noise; "
        f"not compared: {comparison.too_few} with under {FEWEST} samples, {comparison.in_one} "
        "that only one run has.",
        highlight=False,
    )
    for unit in WORDS:
        values = [each.value for each in comparison.ratios if each.key.unit == unit]
        if values:
            name = "times" if unit == "samples_ms" else "memory sizes"
            console.print(
                f"Median ratio of all {len(values)} {name}: {statistics.median(values):.3f}",
                highlight=False,
            )


def main(
    before: Annotated[Path, typer.Argument(help="What perf/bench.py wrote first.")],
    after: Annotated[Path, typer.Argument(help="What it wrote later.")],
) -> None:
    """Say which cells got slower, or faster, beyond the noise."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        first, second = document.read(before), document.read(after)
        comparison = compare(first, second)
    except (OSError, ValueError) as error:
        Console(stderr=True).print(f"compare: {error}", markup=False, highlight=False)
        raise typer.Exit(2) from None
    tell(comparison, console)
    for line in machines(first, second):
        console.print(f"differs: {line}", markup=False, highlight=False)


if __name__ == "__main__":
    typer.run(main)
