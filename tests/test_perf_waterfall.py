"""The parts of the waterfall that could make a wrong number look right."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("perf_scripts")

MODELS = (
    "compressor",
    "encoder",
    "safety_classifier",
    "domain_classifier",
    "pii_classifier",
    "router",
)
STEPS = ("queue", "compute_input", "compute_infer", "compute_output")


@pytest.fixture(scope="module")
def waterfall() -> ModuleType:
    return importlib.import_module("waterfall")


@pytest.fixture(scope="module")
def report() -> ModuleType:
    return importlib.import_module("waterfall_report")


def times(count: int) -> dict[str, dict[str, tuple[int, int]]]:
    """Return Triton's counts after so many requests of 1 ms in each step of each model."""
    counted = (count, count * 10**6)
    models = {model: dict.fromkeys(STEPS, counted) for model in MODELS}
    return {**models, "chat_router": {"success": (count, count * 3 * 10**7)}}


def test_one_request_is_what_was_counted_in_between(waterfall: ModuleType) -> None:
    found = waterfall.passed(times(4), times(5))
    assert found["encoder"] == dict.fromkeys(STEPS, 1.0)
    assert found["chat_router"] == {"success": 30.0}
    # Triton leaves out what is 0, so nothing is there before the first request.
    assert waterfall.passed({}, times(1)) == found


def test_a_request_that_is_not_counted_in_full_is_waited_for(waterfall: ModuleType) -> None:
    after = times(5)
    after["router"]["compute_output"] = times(4)["router"]["compute_output"]
    assert waterfall.passed(times(4), after) is None
    assert waterfall.passed(times(4), times(4)) is None


def test_more_requests_than_one_or_a_failed_one_stop_the_measurement(waterfall: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="compressor: 2 more in `queue`"):
        waterfall.passed(times(4), times(6))
    failed = times(5)
    failed["encoder"]["fail"] = (1, 10)
    with pytest.raises(RuntimeError, match="encoder: 1 more in `fail`"):
        waterfall.passed(times(4), failed)


def request(waterfall: ModuleType, encoder: float = 80.0) -> Any:
    """Return a request: 2 ms body, 3 gRPC, 9 and the encoder in the ensemble, 1 edit."""
    idle = dict.fromkeys(STEPS, 0.0)
    models = {model: {**idle, "compute_infer": 1.0} for model in MODELS}
    models["compressor"] = {**idle, "queue": 0.5, "compute_infer": 4.0, "compute_output": 0.5}
    models["encoder"] = {**idle, "compute_infer": encoder}
    models["pii_classifier"] = {**idle, "compute_infer": 2.0}
    models["chat_router"] = {"success": encoder + 9.0}
    steps = {"prepare": 1.0, "relevance": 1.0, "retrieve": 0.5, "apply": 0.5, "scan": 0.25}
    return waterfall.Request(2.0, encoder + 12.0, 1.0, {**steps, "router": 0.75}, models)


def test_parts_follow_each_other_and_heads_run_side_by_side(waterfall: ModuleType) -> None:
    found = {span.name: span for span in waterfall.spans(request(waterfall))}
    begins = {name: span.start for name, span in found.items()}
    took = {name: span.ms for name, span in found.items()}
    assert took["request"] == 95
    assert (begins["client, gRPC"], took["client, gRPC"]) == (2, 3)
    assert (begins["compressor"], took["compressor"]) == (5, 5)
    assert (begins["compressor compute_infer"], begins["compressor: prepare"]) == (5.5, 5.5)
    assert (begins["compressor: rest"], took["compressor: rest"]) == (8.75, 0.75)
    assert (begins["encoder"], took["encoder"]) == (10, 80)
    assert {begins[f"{head}_classifier"] for head in ("safety", "domain", "pii")} == {90}
    assert (begins["router"], took["router"], took["router: rest"]) == (92, 1, 0.25)
    assert (begins["between models"], took["between models"]) == (93, 1)
    assert (begins["edit"], took["edit"]) == (94, 1)


def test_parts_of_a_part_add_up(waterfall: ModuleType) -> None:
    found = list(waterfall.spans(request(waterfall)))
    for whole in found:
        inner = [span for span in found if span.parent == whole.name]
        if inner and whole.name != "ensemble":  # its heads run side by side
            assert sum(span.ms for span in inner) == pytest.approx(whole.ms), whole.name
        for span in inner:
            assert span.start >= whole.start
            assert span.start + span.ms <= whole.start + whole.ms + 1e-9


@pytest.fixture
def value(waterfall: ModuleType) -> dict[str, Any]:
    requests = [request(waterfall, encoder) for encoder in (80.0, 70.0, 130.0)]
    settings = {"tokens": 16_384, "requests": 3, "counted": 16_370, "read": 510}
    return {**settings, "rows": waterfall.rows(requests, ["a", "b", "c"])}


def test_rows_are_of_the_medians_and_keep_the_samples(
    value: dict[str, Any], report: ModuleType
) -> None:
    rows = report.by_name(value)
    assert rows["request"]["ms"] == 95
    assert rows["request"]["samples_ms"] == [95, 85, 145]
    assert rows["encoder"]["samples_ms"] == [80, 70, 130]
    assert (rows["router"]["start_ms"], rows["router"]["parent"]) == (92, "ensemble")
    assert len({row["texts"] for row in value["rows"]}) == 1


def test_what_is_left_over_does_not_stop_a_comparison(waterfall: ModuleType) -> None:
    overlapping = request(waterfall)._replace(call=91.5)
    overlapping.models["chat_router"]["success"] = 87.0
    value = {"rows": waterfall.rows([overlapping], ["a"])}
    assert importlib.import_module("waterfall_report").samples(value, "between models") == [-1.0]
    cells = importlib.import_module("compare").cells({"made": {}, "waterfall": value})
    assert {dict(key.names)["name"] for key in cells} == set(waterfall.COMPARED)


def test_the_longest_head_and_the_encoder_are_the_classifiers(
    value: dict[str, Any], report: ModuleType
) -> None:
    assert report.classifiers(value).tolist() == [82, 72, 132]
    found = report.figures(value)
    assert found["p50_ms"] == 95
    assert found["others"] == pytest.approx(13 / 95)


def test_the_report_shows_figures_beside_their_aims(
    value: dict[str, Any], report: ModuleType
) -> None:
    text = report.markdown(value)
    assert "| p50 / p95 / p99 of a request, ms | 95.0 / 140 / 144 | p50 under 40 |" in text
    assert "| p99 by p50 | 1.52 | under 1.5 |" in text
    assert "| classifiers, ms (share) | 82.0 (86.3%) | – |" in text
    assert "| everything but the classifiers, share | 13.7% | under 25 % |" in text
    assert "| · · encoder | 10.00 | 80.00 | 84.2% |" in text
    assert "| · · · compressor queue | 5.00 | 0.50 | 0.5% |" in text
    assert "encoder queue" not in text  # nothing
    assert "3 requests of 16,384 tokens" in text


def test_the_picture_is_drawn(value: dict[str, Any], report: ModuleType, tmp_path: Path) -> None:
    drawn = report.draw(value, tmp_path)
    assert [path.name for path in drawn] == [
        "performance_waterfall.svg",
        "performance_waterfall.png",
    ]
    assert min(path.stat().st_size for path in drawn) > 5_000
