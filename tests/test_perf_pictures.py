"""Pictures of the benchmark: the same figures give the same files."""

import importlib
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("perf_scripts")


def drawn(folder: Path, height: float) -> list[Path]:
    pictures = importlib.import_module("pictures")
    figure, axis = pictures.subplots()
    axis.plot([1, 2, 3], [1, height, 2], label="a line")
    axis.fill_between([1, 2, 3], [0, 0, 0], [1, height, 2], hatch="/")  # has an id of its own
    axis.legend()
    return list(pictures.save(figure, folder, "trial"))


def test_the_same_figures_give_the_same_files_and_others_do_not(tmp_path: Path) -> None:
    first, second, other = (
        drawn(tmp_path / name, height) for name, height in (("a", 4), ("b", 4), ("c", 5))
    )
    assert [path.name for path in first] == ["performance_trial.svg", "performance_trial.png"]
    for one, two, third in zip(first, second, other, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert one.read_bytes() != third.read_bytes()
    assert first[1].read_bytes().startswith(b"\x89PNG")


def test_figures_are_closed(tmp_path: Path) -> None:
    drawn(tmp_path, 4)
    pyplot = importlib.import_module("matplotlib.pyplot")
    assert pyplot.get_fignums() == []
