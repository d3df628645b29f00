"""Where a step runs: the schedule, its way back to the CPU, and one code path for any library."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from pointsman_backends.compressor.placement import CPU, Cost, Device, Schedule
from pointsman_backends.compressor.relevance import term_signals

COSTS = {"relevance": {"cpu": Cost(100, 0.1), "gpu": Cost(1000, 0.01)}}


class Recorder:
    """NumPy, noting what is called: what a GPU's library would have to offer."""

    def __init__(self) -> None:
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.called.add(name)
        return getattr(np, name)


def stand_in() -> tuple[Device, Recorder]:
    """A device beside the CPU whose matrices are another class; there is no GPU to test with."""
    xp = Recorder()
    sparse = SimpleNamespace(csr_matrix=scipy.sparse.csr_matrix)
    return Device("gpu", xp, sparse, lambda array: np.array(array)), xp


def terms() -> scipy.sparse.csr_array:
    draw = np.random.default_rng(5)
    return scipy.sparse.csr_array(draw.poisson(0.3, (60, 90)).astype(np.float64))


def test_the_step_uses_the_library_of_its_device_alone_and_gives_the_same() -> None:
    device, xp = stand_in()
    matrix = terms()
    expected, got = term_signals(matrix), term_signals(matrix, device)
    assert {name: values.tolist() for name, values in got.items()} == {
        name: values.tolist() for name, values in expected.items()
    }
    assert {"asarray", "bincount", "cumsum", "sqrt", "where"} <= xp.called


def test_the_faster_device_is_chosen_by_size() -> None:
    device, _ = stand_in()
    schedule = Schedule(COSTS, device)
    assert schedule.device("relevance", 9_999) is CPU
    assert schedule.device("relevance", 10_001) is device
    assert schedule.device("another step", 10**9) is CPU


def test_without_a_gpu_or_its_times_everything_runs_on_the_cpu() -> None:
    device, _ = stand_in()
    assert Schedule(COSTS, None).device("relevance", 10**9) is CPU
    cpu_alone = {"relevance": {"cpu": Cost(100, 0.1)}}
    assert Schedule(cpu_alone, device).device("relevance", 10**9) is CPU


def test_a_gpu_that_fails_is_not_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    device, _ = stand_in()
    schedule = Schedule(COSTS, device)
    asked = []

    def work(where: Device) -> str:
        asked.append(where.name)
        if where is device:
            raise MemoryError("out of device memory")
        return where.name

    assert schedule.run("relevance", 10**6, work) == "cpu"
    assert schedule.run("relevance", 10**6, work) == "cpu"
    assert asked == ["gpu", "cpu", "cpu"]
    assert [record.getMessage() for record in caplog.records] == [
        "relevance failed on the GPU: the CPU takes over"
    ]
    assert "out of device memory" in caplog.text


def test_a_mistake_of_the_cpu_is_not_hidden() -> None:
    def work(where: Device) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Schedule(COSTS, None).run("relevance", 1, work)


def test_the_shipped_schedule_has_measured_times_of_the_cpu() -> None:
    Schedule.load()
    import pointsman_backends.compressor.placement as module

    document = json.loads(Path(module.__file__).with_suffix(".json").read_text())
    assert document["machine"]
    assert Cost(**document["microseconds"]["relevance"]["cpu"]).us(10_000) > 0


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"microseconds": {"relevance": {"cpu": {"speed": 1}}}}']
)
def test_a_damaged_schedule_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "placement.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"placement\.json is not a schedule"):
        Schedule.load(path)
