"""Two benchmarks compared: noise is not reported, changes are."""

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer import Typer
from typer.testing import CliRunner

pytestmark = pytest.mark.usefixtures("perf_scripts")

MADE = {"quick": False, "revision": "abc", "load_average": [0.1, 0.2, 0.3]}
TIMES = st.lists(st.floats(0.01, 1e4), min_size=8, max_size=40)


@pytest.fixture(scope="module")
def compare() -> ModuleType:
    return importlib.import_module("compare")


def document(*rows: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"made": {"curve": MADE}, "curve": {"modes": [{"rows": list(rows)}]}, **parts}


def row(samples: Any, texts: str | None = "aa", unit: str = "ms", **names: Any) -> dict[str, Any]:
    known = {} if texts is None else {"texts": texts}
    return {"tokens": 512, **names, f"samples_{unit}": list(samples), **known}


@settings(deadline=None, max_examples=25)
@given(TIMES, st.sampled_from(["ms", "mib"]), st.sampled_from(["aa", None]))
def test_identical_samples_are_never_reported(
    samples: list[float], unit: str, texts: str | None
) -> None:
    compare = importlib.import_module("compare")
    same = document(row(samples, texts, unit))
    comparison = compare.compare(same, same)
    assert len(comparison.ratios) == 1
    assert comparison.changed == []


@settings(deadline=None, max_examples=25)
@given(TIMES, st.sampled_from([1.2, 1 / 1.2]))
def test_the_same_texts_a_fifth_slower_are_always_reported(
    samples: list[float], factor: float
) -> None:
    compare = importlib.import_module("compare")
    moved = [factor * ms for ms in samples]
    (change,) = compare.compare(document(row(samples)), document(row(moved))).changed
    assert change.paired
    assert change.value == pytest.approx(factor)
    assert change.verdict == ("slower" if factor > 1 else "faster")


@pytest.mark.parametrize("texts", ["aa", None])
def test_a_fifth_more_is_seen_through_noise(compare: ModuleType, texts: str | None) -> None:
    random = np.random.default_rng(2)
    before, after = (random.normal(100, 3, 30) * scale for scale in (1, 1.2))
    (change,) = compare.compare(
        document(row(before, texts, "mib")), document(row(after, texts, "mib"))
    ).changed
    assert change.verdict == "more"
    assert change.paired is (texts is not None)
    assert change.low < 1.2 < change.high


def test_many_cells_of_nothing_but_noise_are_not_reported(compare: ModuleType) -> None:
    random = np.random.default_rng(3)
    runs = [
        document(*(row(random.lognormal(4, 0.1, 12), None, name=str(n)) for n in range(30)))
        for _ in range(2)
    ]
    comparison = compare.compare(*runs)
    assert len(comparison.ratios) == 30
    assert comparison.changed == []


def test_pairs_show_what_the_texts_hide(compare: ModuleType) -> None:
    random = np.random.default_rng(4)
    before = random.uniform(10, 1000, 20)  # texts differ much more than the change
    after = before * 1.1 * random.normal(1, 0.005, 20)
    paired = compare.compare(document(row(before)), document(row(after)))
    apart = compare.compare(document(row(before)), document(row(after, "bb")))
    assert [change.verdict for change in paired.changed] == ["slower"]
    assert apart.changed == []


def test_neighbours_that_are_alike_make_the_interval_wider(compare: ModuleType) -> None:
    random = np.random.default_rng(6)
    wandering = 100 + np.cumsum(random.normal(0, 1, 200))
    widths = []
    for samples in (wandering, random.permutation(wandering)):
        before = compare.Cell(samples, None)
        found = compare.ratio(compare.Key("load", "samples_ms", ()), before, before, 0.01)
        widths.append(found.high - found.low)
    # The same numbers; in blocks of 6 that are alike there are fewer independent ones.
    drawn = compare.places(random, 200, 50)
    assert drawn.shape == (50, 200)
    assert ((np.diff(drawn, axis=1) % 200) == 1).mean() > 0.8
    assert widths[0] > 1.5 * widths[1]


def test_what_every_run_differs_by_is_no_change(compare: ModuleType) -> None:
    samples = np.linspace(100, 101, 20)
    assert not compare.compare(document(row(samples)), document(row(1.02 * samples))).changed
    assert compare.compare(document(row(samples)), document(row(1.05 * samples))).changed


def test_cells_are_matched_by_part_and_keys(compare: ModuleType) -> None:
    samples = [float(n) for n in range(1, 11)]
    before = document(
        row(samples, mode="whole"),
        row(samples, mode="whole", unit="mib"),
        row(samples, mode="compressed"),
        row(samples[:7], mode="short"),
        stages=[{"stage": 0, "tokens": 512, "samples_ms": samples}],
    )
    after = document(
        row([2 * ms for ms in samples], mode="compressed"),
        row(samples, mode="whole"),
        row(samples, mode="short"),
        stages=[{"stage": 1, "tokens": 512, "samples_ms": samples}],
    )
    comparison = compare.compare(before, after)
    assert [str(change.key) for change in comparison.changed] == [
        "curve, mode compressed, tokens 512"
    ]
    assert len(comparison.ratios) == 2
    assert comparison.too_few == 1
    assert comparison.in_one == 3  # the memory and a stage of each


def test_a_refused_cell_without_samples_is_none(compare: ModuleType) -> None:
    refused = {"stage": 0, "tokens": 32768, "samples_ms": [], "needs_bytes": 10**11}
    assert compare.cells(document(stages=[refused])) == {}


@pytest.mark.parametrize("samples", [[1.0, "x"], [1.0, 0.0], [[1.0], [2.0]], [1.0, -2.0], "abc"])
def test_broken_samples_are_an_error(compare: ModuleType, samples: Any) -> None:
    broken = {"tokens": 512, "samples_ms": samples}
    with pytest.raises(ValueError, match="curve, tokens 512: samples"):
        compare.cells(document(broken))


def test_cells_that_nothing_tells_apart_are_an_error(compare: ModuleType) -> None:
    with pytest.raises(ValueError, match="two cells are the same: curve, tokens 512"):
        compare.cells(document(row([1.0]), row([2.0])))


def run(compare: ModuleType, *files: Path) -> Any:
    app = Typer()
    app.command()(compare.main)
    return CliRunner().invoke(app, [str(path) for path in files])


def test_the_exit_status_is_0_whatever_changed_and_2_for_broken_files(
    compare: ModuleType, tmp_path: Path
) -> None:
    before, after, broken = (tmp_path / name for name in ("a.json", "b.json", "c.json"))
    samples = list(np.linspace(90, 110, 20))
    before.write_text(json.dumps(document(row(samples))))
    after.write_text(json.dumps(document(row([2 * ms for ms in samples]))))
    broken.write_text('{"curve": 1}')
    found = run(compare, before, after)
    assert found.exit_code == 0
    assert "1 of 1 cells changed" in found.output
    assert "2.000" in found.output
    assert run(compare, before, before).output.startswith("0 of 1 cells changed")
    assert run(compare, before, broken).exit_code == 2
    assert run(compare, tmp_path / "none.json", before).exit_code == 2


def test_another_machine_is_said(compare: ModuleType) -> None:
    other = {**document(), "made": {"curve": {**MADE, "revision": "def"}}}
    assert compare.machines(document(), other) == ["curve: revision abc | def"]
    assert compare.machines(document(), document()) == []


def test_nothing_in_common_is_told(compare: ModuleType) -> None:
    console = Console(record=True, width=200)
    compare.tell(compare.compare(document(), document(row([1.0] * 9))), console)
    assert "0 of 0 cells changed" in console.export_text()


def test_texts_have_a_digest_by_content_and_order() -> None:
    digest = importlib.import_module("document").digest
    assert digest(["a", "bc"]) == digest(iter(["a", "bc"]))
    assert len({digest(each) for each in (["a", "bc"], ["bc", "a"], ["ab", "c"], ["abc"])}) == 4
