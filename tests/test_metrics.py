"""Metrics of the compressor: what is observed, what a failure does, and all of it in Triton."""

from __future__ import annotations

import re
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as triton

from pointsman.embedded import EmbeddedTriton
from pointsman_backends.compressor import Compressed
from pointsman_backends.metrics import CompressorMetrics

SHIPPED = Path(__file__).parent.parent / "model_repository"
STEPS = {"prepare", "relevance", "retrieve", "apply", "scan"}
PREFIX = "pointsman_compressor_"


def compressed(
    timings_us: dict[str, int], tokens: int = 1000, read: int = 500, **devices: str
) -> Compressed:
    return Compressed(
        input_ids=np.zeros(read + 2, np.int64),
        token_offsets=np.zeros((read + 2, 2), np.int32),
        patterns=[],
        tokens=tokens,
        classified_tokens=read,
        scanned_characters=0,
        kept=np.zeros((0, 2), np.int32),
        truncated=False,
        timings_us=timings_us,
        errors=[],
        devices=devices,
    )


class FakeFamily:
    """Stands for Triton's MetricFamily; keeps what is observed."""

    HISTOGRAM = "histogram"

    def __init__(self, fail: Callable[[str, dict[str, str]], bool] = lambda *_: False) -> None:
        self.fail = fail
        self.observed: dict[str, list[float]] = defaultdict(list)

    def __call__(self, *, name: str, description: str, kind: str) -> Any:
        assert kind == "histogram"
        assert description
        outer = self

        class Family:
            def Metric(self, *, labels: dict[str, str], buckets: list[float]) -> Any:  # noqa: N802
                assert buckets == sorted(set(buckets))
                if outer.fail(name, labels):
                    raise RuntimeError("no such metric")
                values = outer.observed["/".join([name, *labels.values()])]

                class Metric:
                    observe = staticmethod(values.append)

                return Metric()

        return Family()


def test_the_figures_of_each_request_are_observed_and_a_skipped_step_is_not() -> None:
    family, log = FakeFamily(), []
    metrics = CompressorMetrics(family, log.append)
    metrics.report(compressed({"prepare": 1500, "relevance": 0, "apply": 20}), 4000, 12_000)
    spent = {"prepare": 500, "relevance": 70, "apply": 30}
    metrics.report(compressed(spent, 10, 10, prepare="cpu", relevance="gpu"), 50, 300)
    metrics.close()
    assert family.observed == {
        PREFIX + "step_seconds/prepare/cpu": [0.0015, 0.0005],
        PREFIX + "step_seconds/relevance/gpu": [7e-5],
        PREFIX + "step_seconds/apply/cpu": [2e-5, 3e-5],
        PREFIX + "input_bytes": [4000, 50],
        PREFIX + "output_bytes": [12_000, 300],
        PREFIX + "kept_ratio": [0.5, 1.0],
    }
    assert log == []


def test_a_metric_that_fails_is_logged_once_and_leaves_the_others() -> None:
    family, log = FakeFamily(lambda name, labels: labels.get("step") == "scan"), []
    metrics = CompressorMetrics(family, log.append)
    for _ in range(3):
        metrics.report(compressed({"scan": 5, "apply": 7}), 1, 1)
    metrics.close()
    assert family.observed[PREFIX + "step_seconds/apply/cpu"] == [7e-6] * 3
    assert family.observed[PREFIX + "kept_ratio"] == [0.5] * 3
    assert len(log) == 1
    assert "no such metric" in log[0]


def test_a_server_without_metrics_is_logged_once_and_serves() -> None:
    class Refusing:
        HISTOGRAM = "histogram"

        def __call__(self, **_: object) -> Any:
            raise RuntimeError("metrics are not enabled")

    log: list[str] = []
    metrics = CompressorMetrics(Refusing(), log.append)
    metrics.report(compressed({"scan": 5}), 1, 1)
    metrics.close()
    assert len(log) == 1
    assert "not enabled" in log[0]


def test_more_than_can_be_observed_is_logged_once_and_not_kept() -> None:
    family, log = FakeFamily(), []
    metrics = CompressorMetrics(family, log.append)
    for _ in range(20_000):
        metrics.report(compressed({}), 1, 1)
    metrics.close()
    assert 0 < len(family.observed[PREFIX + "kept_ratio"]) < 20_000
    assert len(log) == 1
    assert "wait to be reported" in log[0]


def repository(folder: Path, *, instances: int) -> Path:
    """The shipped compressor in several instances, and of a classifier what it reads of it."""
    shutil.copytree(SHIPPED / "compressor", folder / "compressor")
    config = folder / "compressor" / "config.pbtxt"
    text, changed = re.subn(
        r"kind: KIND_CPU count: \d+", f"kind: KIND_CPU count: {instances}", config.read_text()
    )
    text, also_changed = re.subn(r'"safety_classifier,[\w,]+"', '"classifier"', text)
    assert changed == also_changed == 1
    config.write_text(text)
    version = folder / "classifier" / "1"
    version.mkdir(parents=True)
    shutil.copy(SHIPPED / "encoder" / "1" / "tokenizer.json", version)
    (version / "labels.json").write_text('{"labels": ["a"], "max_tokens": 512}')
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    folder = repository(tmp_path_factory.mktemp("repository"), instances=2)
    with EmbeddedTriton(folder, models=["compressor"]) as running:
        yield running


def ask(client: triton.InferenceServerClient, text: bytes) -> None:
    tensor = triton.InferInput("TEXT", [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[text]], np.object_))
    client.infer("compressor", [tensor])


Histogram = dict[str, float]


def histograms(server: EmbeddedTriton) -> dict[str, Histogram]:
    """Name and step of each of our histograms, to its buckets by edge, its sum and its count."""
    text = server.metrics()
    sample = re.compile(rf"^{PREFIX}(\w+)_(bucket|sum|count)(?:{{(.*)}})? (\S+)$", re.MULTILINE)
    found: dict[str, Histogram] = defaultdict(dict)
    for name, part, labels, value in sample.findall(text):
        assert f"# TYPE {PREFIX}{name} histogram" in text
        named = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        edge = named.pop("le", part)
        assert named.pop("device", None) == ("cpu" if "step" in named else None)
        found["/".join([name, *named.values()])][edge] = float(value)
    return found


def after(server: EmbeddedTriton, requests: float) -> dict[str, Histogram]:
    """Our histograms as soon as so many requests are in them; else as they are after 10 s."""
    deadline = time.monotonic() + 10
    while True:
        found = histograms(server)
        # The last that is observed of a request.
        if found["kept_ratio"].get("count", 0) >= requests or time.monotonic() > deadline:
            return found


@pytest.mark.server
def test_histograms_of_a_real_server_count_every_request(server: EmbeddedTriton) -> None:
    warmed_up = after(server, 2)  # one in each instance, over the budget: all steps
    assert {name: each["count"] for name, each in warmed_up.items()} == dict.fromkeys(
        [*(f"step_seconds/{step}" for step in STEPS), "input_bytes", "output_bytes", "kept_ratio"],
        2,
    )
    short, long = b"Short.", b"Every sentence counts here, number one and two and three. " * 400
    with triton.InferenceServerClient(server.grpc_url) as client:
        for text in [short] * 7 + [long] * 4:
            ask(client, text)
    found = after(server, 13)
    for name, histogram in found.items():
        skipped = name in ("step_seconds/relevance", "step_seconds/retrieve")
        assert histogram["count"] == (6 if skipped else 13), name
        assert histogram["sum"] > 0
        total, count = histogram.pop("sum"), histogram.pop("count")
        buckets = sorted((float(edge), value) for edge, value in histogram.items())
        values = [value for _, value in buckets]
        assert buckets[-1] == (float("inf"), count)
        assert values == sorted(values), f"{name} is not cumulative"
        assert total < 1e6
    octets = found["input_bytes"]
    before = warmed_up["input_bytes"]
    assert octets["256"] - before["256"] == 7
    assert octets["65536"] - before["65536"] == 11


@pytest.mark.server
def test_a_model_that_is_loaded_again_goes_on_counting(server: EmbeddedTriton) -> None:
    count = histograms(server)["kept_ratio"]["count"]
    with triton.InferenceServerClient(server.grpc_url) as client:
        client.unload_model("compressor")
        deadline = time.monotonic() + 10
        while client.is_model_ready("compressor") and time.monotonic() < deadline:
            pass
        client.load_model("compressor")
        ask(client, b"Short.")
    assert after(server, count + 3)["kept_ratio"]["count"] == count + 3  # with two warm-ups
