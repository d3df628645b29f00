"""Figures of merit against their definitions and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from sklearn.calibration import calibration_curve
from sklearn.metrics import f1_score, log_loss, roc_auc_score, roc_curve

from training import metrics


def scored(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positive = rng.random(rows) < 0.4
    return positive, rng.normal(size=rows) + positive


@given(st.integers(0, 1000), st.integers(2, 100), st.integers(1, 3))
def test_area_agrees_with_scikit_learn(seed: int, rows: int, digits: int) -> None:
    positive, scores = scored(seed, rows)
    scores = scores.round(digits)  # ties
    if positive.all() or not positive.any():
        assert np.isnan(metrics.auc(positive, scores))
    else:
        assert metrics.auc(positive, scores) == pytest.approx(roc_auc_score(positive, scores))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=60))
def test_macro_f1_agrees_with_scikit_learn(rows: list[tuple[int, int]]) -> None:
    gold, found = np.array(rows).T
    wanted = f1_score(gold, found, labels=np.unique(gold), average="macro", zero_division=0)
    assert metrics.macro_f1(gold, found) == pytest.approx(wanted)


@pytest.mark.parametrize("seed", range(5))
def test_reliability_agrees_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence = rng.random(300)
    correct = rng.random(300) < confidence
    accuracy, mean = calibration_curve(correct, confidence, n_bins=15, strategy="quantile")
    found = metrics.reliability(confidence, correct, 15)
    assert found.rows.tolist() == [20] * 15
    np.testing.assert_allclose(found.confidence, mean)
    np.testing.assert_allclose(found.accuracy, accuracy)


@given(st.integers(1, 200), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_bins_share_all_rows_evenly(rows: int, bins: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence, correct = rng.random(rows), rng.random(rows) < 0.5
    found = metrics.reliability(confidence, correct, bins)
    assert found.rows.sum() == rows
    assert np.ptp(found.rows) <= 1
    assert np.average(found.confidence, weights=found.rows) == pytest.approx(confidence.mean())
    assert np.average(found.accuracy, weights=found.rows) == pytest.approx(correct.mean())
    assert 0 <= found.error <= 1


def test_calibration_error_of_known_miscalibration() -> None:
    probabilities = np.tile([0.9, 0.1], (1000, 1))
    gold = np.repeat([0, 1], [600, 400])
    # Ties are put into bins in the order of the rows: most bins are all right or all wrong.
    assert metrics.expected_calibration_error(probabilities, gold, bins=1) == pytest.approx(0.3)
    assert metrics.expected_calibration_error(probabilities, np.zeros(1000, int)) == pytest.approx(
        0.1
    )


@pytest.mark.parametrize("true", [0.3, 1.0, 2.5])
def test_temperature_is_recovered(true: float) -> None:
    rng = np.random.default_rng(3)
    calibrated = rng.normal(scale=2.0, size=(20_000, 5))
    noise = rng.gumbel(size=calibrated.shape)  # the Gumbel-max trick draws from the softmax
    gold = (calibrated + noise).argmax(axis=1)
    assert metrics.fit_temperature(calibrated * true, gold) == pytest.approx(true, rel=0.03)


def test_temperature_is_where_the_loss_is_least() -> None:
    rng = np.random.default_rng(4)
    logits, gold = rng.normal(size=(200, 3)), rng.integers(0, 3, 200)
    logits[np.arange(200), gold] += 1.5
    fitted = metrics.fit_temperature(logits, gold)

    def loss(temperature: np.ndarray) -> float:
        return float(log_loss(gold, metrics.softmax(logits / temperature[0]), labels=[0, 1, 2]))

    (slope,) = approx_fprime(np.array([fitted]), loss, 1e-6)
    assert slope == pytest.approx(0, abs=1e-4)
    assert loss(np.array([fitted])) <= min(loss(np.array([fitted * f])) for f in (0.9, 1.0, 1.1))


def test_no_rows_have_no_temperature() -> None:
    with pytest.raises(ValueError, match="no rows"):
        metrics.fit_temperature(np.empty((0, 3)), np.empty(0, int))


@given(st.integers(0, 1000), st.integers(10, 200), st.sampled_from([0.0, 0.02, 0.1, 0.5]))
def test_recall_at_a_rate_is_a_point_of_the_roc_curve(seed: int, rows: int, limit: float) -> None:
    positive, scores = scored(seed, rows)
    if positive.all() or not positive.any():
        return
    point = metrics.recall_at_fpr(positive, scores, limit)
    assert (scores[~positive] >= point.threshold).mean() <= limit
    fpr, tpr, _ = roc_curve(positive, scores, drop_intermediate=False)
    assert point.recall == pytest.approx(tpr[fpr <= limit].max())


def test_bootstrap_interval_of_a_mean_has_its_standard_error() -> None:
    values = np.random.default_rng(5).normal(size=400)
    low, high = metrics.bootstrap_ci(lambda rows: float(values[rows].mean()), 400, samples=4000)
    error = values.std() / 20
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.06)
    assert low < values.mean() < high
