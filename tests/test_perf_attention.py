"""The parts of the attention measurements that could make a wrong number look right."""

import importlib
from types import ModuleType

import numpy as np
import pytest

from tests.attention_oracle import attention

pytestmark = pytest.mark.usefixtures("perf_scripts")


@pytest.fixture(scope="module")
def candidates() -> ModuleType:
    return importlib.import_module("attention_candidates")


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    return importlib.import_module("attention")


@pytest.fixture(scope="module")
def report() -> ModuleType:
    return importlib.import_module("attention_report")


@pytest.mark.parametrize("window", [None, 0, 3, 49, 50, 64])
def test_operations_are_those_of_the_pairs_that_see_each_other(
    candidates: ModuleType, window: int | None
) -> None:
    problem = candidates.Problem(50, 32, 1, window)
    distance = np.abs(np.subtract.outer(np.arange(50), np.arange(50)))
    pairs = int((distance <= (50 if window is None else window)).sum())
    assert problem.flops == 4 * 12 * 32 * pairs


@pytest.mark.parametrize("window", [None, 5])
def test_what_answers_are_compared_with_is_attention(
    candidates: ModuleType, window: int | None
) -> None:
    problem = candidates.Problem(40, 32, 1, window)
    side = -1 if window is None else window
    whole = attention(
        *problem.heads_first, scale=problem.scale, window_left=side, window_right=side
    )
    rows = np.array([0, 7, 39])
    np.testing.assert_allclose(problem.expected(rows), whole.output[0, 0, rows], rtol=1e-12)


@pytest.mark.parametrize("length", [65, 520])
@pytest.mark.parametrize("window", [None, 64])
def test_the_peers_in_onnx_runtime_give_the_right_answer_and_wrong_ones_are_noticed(
    candidates: ModuleType, length: int, window: int | None
) -> None:
    # What counts as zero in this process must not change for the tests after this one.
    problem = candidates.Problem(length, 32, 1, window, denormals_as_zero=False)
    for name in ("unfused", "mha"):
        candidate = candidates.prepare(name, problem)
        with pytest.raises(RuntimeError, match="wrong answer"):
            candidate.check(problem, 1e-5)
        candidate.run()
        candidate.check(problem, 1e-5)
        candidate.answer()[..., 0, 1] += 1e-3
        with pytest.raises(RuntimeError, match=r"wrong answer.*0\.001"):
            candidate.check(problem, 1e-5)


def test_ratios_pair_the_runs_of_a_round(bench: ModuleType) -> None:
    ms = {"op": [1.0, 2.0, 1.0], "mha": [2.0, 4.0, 3.0]}
    times = {"fma_peak_gflops": [100.0, 50.0, 100.0], "ms": ms}
    assert bench.ratios(times, "op") == {"op": [1.0, 1.0, 1.0], "mha": [2.0, 2.0, 2.5]}
    shares = bench.shares_of_peak(times, {"op": 5e7, "mha": 1e8})
    assert shares == {"op": 0.5, "mha": 0.5}


def test_rounds_run_everyone_and_a_warm_up_does_not_count(bench: ModuleType) -> None:
    ran: list[str] = []
    runs = {name: (lambda name=name: ran.append(name)) for name in ("op", "mha")}
    times = bench.measure(runs, lambda: 1.0, budget_s=0.2)
    rounds = len(times["ms"]["op"])
    assert len(ran) == 2 * (rounds + 1)
    assert rounds == len(times["ms"]["mha"]) == len(times["fma_peak_gflops"])
    # Longer than the budget: every round counts.
    ran.clear()
    times = bench.measure(runs, lambda: 1.0, budget_s=0.0)
    assert len(ran) == 2 * bench.FEWEST_ROUNDS == 2 * len(times["ms"]["op"])


def test_the_exponent_of_a_power_is_its_exponent(report: ModuleType) -> None:
    lengths = [512, 1024, 4096, 32768]
    assert report.exponent(lengths, [3e-5 * n**1.04 for n in lengths]) == pytest.approx(1.04)
    assert report.fastest_peer({"op": [1.0], "mha": [1.4], "sdpa": [1.2]}) == ("sdpa", 1.2)
    assert report.fastest_peer({"op": [1.0], "mha": [1.4]}, "@window") is None
