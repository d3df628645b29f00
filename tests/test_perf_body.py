"""The measurement of body handling: both ways do the same, or there is no number."""

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("perf_scripts")
TEXT = 'It is "said" that\nsome – not all – of it matters: {"a": 1}. ' * 400


@pytest.fixture(scope="module")
def body() -> ModuleType:
    return importlib.import_module("body")


def test_both_ways_give_the_same_for_every_kind_of_body(body: ModuleType) -> None:
    rows = body.measure_edits(TEXT, (1_000, 20_000), 0.0)
    assert len(rows) == 2 * 2 * 4 * 2
    for row in rows:
        assert row["rounds"] >= 5
        assert (row["redactions"] > 0) == (row["work"] == "redact")
        assert min(row["ours_ms"]["p50"], row["plain_ms"]["p50"], row["ratio"]["p50"]) > 0
    assert {row["messages"] for row in rows if row["shape"] == "few large"} == {4}
    assert max(row["messages"] for row in rows) > 50


@pytest.mark.parametrize("wrong", ["text", "body"])
def test_two_ways_that_differ_are_not_measured(
    body: ModuleType, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    def plain(chunks: Any, model: str, wanted: Any) -> tuple[bytes, list[bytes]]:
        text, pieces = body.ours(chunks, model, wanted)
        return (b"other", pieces) if wrong == "text" else (text, [b"{}"])

    monkeypatch.setattr(body, "plain", plain)
    with pytest.raises(RuntimeError, match="do not give the same"):
        body.compare(body.compact(body.make(TEXT, 1_000, "few large")), [], 0.0)


def test_what_is_passed_through_must_have_its_model_first(body: ModuleType) -> None:
    raw = body.compact(body.make(TEXT, 1_000, "few large", model_last=True))
    with pytest.raises(RuntimeError, match="not in the first chunk"):
        body.passed_through([raw[:500], raw[500:]])


def test_the_page_and_the_picture_come_from_the_figures_alone(
    body: ModuleType, tmp_path: Path
) -> None:
    report = importlib.import_module("body_report")
    results = json.loads(report.RESULTS.read_text(encoding="utf-8"))
    assert report.markdown(results) == report.PAGE.read_text(encoding="utf-8")
    report.draw(results, tmp_path / "body.svg")
    assert "<svg" in (tmp_path / "body.svg").read_text(encoding="utf-8")
