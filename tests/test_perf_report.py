"""The benchmark's document, and the page made from it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.usefixtures("perf_scripts")


@pytest.fixture(scope="module")
def document() -> ModuleType:
    return importlib.import_module("document")


def test_a_part_measured_anew_leaves_the_others(document: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    document.record("load", lambda quick: {"quick": quick}, False, path)
    document.record("curve", lambda quick: [1.5], True, path)
    document.record("load", lambda quick: {"quick": quick}, True, path)
    found = document.read(path)
    assert found["load"] == {"quick": True}
    assert found["curve"] == [1.5]
    assert found["made"]["load"]["quick"] is True
    assert found["made"]["load"]["cores"] >= 1


def test_a_part_that_fails_leaves_the_file_as_it_was(document: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    document.record("load", lambda quick: 1, False, path)
    before = path.read_bytes()

    def fails(quick: bool) -> None:
        raise RuntimeError("checks did not run")

    with pytest.raises(RuntimeError):
        document.record("load", fails, False, path)
    assert path.read_bytes() == before


def test_a_quick_run_goes_beside_the_full_one(document: ModuleType) -> None:
    assert document.of_today(True) != document.of_today(False)


def test_the_newest_is_the_latest_full_run(document: ModuleType, tmp_path: Path) -> None:
    for name in ("2026-01-02-a.json", "2026-01-10-a.json", "2026-01-11-a-quick.json", "load.json"):
        (tmp_path / name).write_text("{}")
    assert document.newest(tmp_path).name == "2026-01-10-a.json"


def test_no_run_yet(document: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make bench"):
        document.newest(tmp_path)


@pytest.mark.parametrize("content", ["{", '{"stages": []}', "[]"])
def test_other_files_are_refused(document: ModuleType, tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"other\.json"):
        document.read(path)


def test_the_page_names_its_source_and_what_was_measured_where(
    document: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "2026-01-02-here.json"
    head = {
        "at": "2026-01-02T03:04:05+00:00",
        "seconds": 61.2,
        "quick": True,
        "revision": "abc1234-dirty",
        "cpu": "Some CPU",
        "cores": 2,
        "load_average": [0.25, 0.2, 0.1],
        "onnxruntime": "1.2",
        "numpy": "1.3",
        "python": "3.11.0",
    }
    path.write_text(json.dumps({"load": {"not_measured": "no tool"}, "made": {"load": head}}))
    page = tmp_path / "page.md"
    report = importlib.import_module("report")
    report.write(document.read(path), path, page, tmp_path)
    text = page.read_text()
    assert "2026-01-02-here.json" in text
    assert "no tool" in text
    assert "`abc1234-dirty`" in text
    assert "61 s, quick" in text
