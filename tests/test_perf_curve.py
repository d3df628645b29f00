"""Fits of cost to length, and the tables and pictures made of them."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("perf_scripts")


@pytest.fixture(scope="module")
def fits() -> ModuleType:
    return importlib.import_module("fits")


@pytest.fixture(scope="module")
def curve() -> ModuleType:
    return importlib.import_module("curve")


@pytest.fixture(scope="module")
def report() -> ModuleType:
    return importlib.import_module("curve_report")


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_found(fits: ModuleType, power: float) -> None:
    exact = fits.exponent({x: [3 * x**power] * 4 for x in (64, 128, 1024, 8192)})
    assert exact == pytest.approx((power, power, power))
    random = np.random.default_rng(5)
    noisy = fits.exponent(
        {x: 3 * x**power * random.lognormal(0, 0.05, 9) for x in (64, 128, 256, 512, 1024, 8192)}
    )
    assert noisy.low < power < noisy.high
    assert noisy.high - noisy.low < 0.1


def test_one_outlier_does_not_sway_an_exponent(fits: ModuleType) -> None:
    samples = {x: [float(x)] * 9 for x in (64, 256, 1024)}
    samples[1024][3] = 1e6
    assert fits.exponent(samples).value == pytest.approx(1.0)


def test_growth_that_is_no_power_has_a_wide_interval(fits: ModuleType) -> None:
    bent = {x: [1000.0 + x**2 / 100] * 5 for x in (64, 256, 1024, 4096)}
    assert fits.exponent(bent).high - fits.exponent(bent).low > 0.5


def test_what_cannot_be_fitted_is_refused(fits: ModuleType) -> None:
    with pytest.raises(ValueError, match="2 points are too few"):
        fits.exponent({64: [1.0], 128: [2.0]})
    with pytest.raises(ValueError, match="no logarithm"):
        fits.exponent({64: [1.0], 128: [0.0], 256: [2.0]})
    with pytest.raises(ValueError, match="too few"):
        fits.line([1, 2], [1, 2])
    with pytest.raises(ValueError, match="9 points are too few"):
        fits.drift(range(9), range(9))


def test_the_interval_of_a_line_is_the_textbook_s(fits: ModuleType) -> None:
    # Slope 0.6, residuals (-0.6, 0.8, 0.2, -0.4 ... ): standard error sqrt(0.8 / 10), t(3) = 3.182.
    found = fits.line([1, 2, 3, 4, 5], [2, 4, 5, 4, 5])
    assert found.value == pytest.approx(0.6)
    assert found.high - found.value == pytest.approx(3.18245 * (0.8 / 10) ** 0.5, rel=1e-4)
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_a_series_that_wanders_does_not_drift(fits: ModuleType) -> None:
    x = np.arange(400)
    wave = np.sin(x / 15)
    assert fits.drift(x, wave).low < 0 < fits.drift(x, wave).high
    assert fits.drift(x, wave + 0.02 * x).low > 0.01


@given(st.sampled_from(["whole", "compressed"]), st.integers(64, 2**20), st.integers(2, 20))
def test_long_texts_are_timed_less_often_but_at_least_once(
    mode: str, tokens: int, most: int
) -> None:
    calls_at = importlib.import_module("curve").calls_at
    calls = calls_at(mode, tokens, most)
    assert 1 <= calls <= most
    assert calls >= calls_at(mode, 2 * tokens, most)


def test_a_text_of_another_length_stops_the_measurement(curve: ModuleType) -> None:
    curve.check_length([64 - 16, 64 + 16], 64)
    curve.check_length([29_500, 32_768], 32_768)
    with pytest.raises(RuntimeError, match="about 512 tokens has 440"):
        curve.check_length([512, 440], 512)


def row(mode: str, tokens: int, ms: list[float], mib: float) -> dict[str, Any]:
    return {
        "mode": mode,
        "tokens": tokens,
        "counted": [tokens] * len(ms),
        "samples_ms": ms,
        "peak_mib": mib,
    }


def value() -> dict[str, Any]:
    whole = [
        row("whole", n, [0.2 * n, 0.19 * n, 0.25 * n], 300 + n / 64)
        for n in (64, 512, 1024, 2048, 4096, 8192)
    ]
    compressed = [row("compressed", n, [90.0, 91.0], 300.5) for n in (64, 8192, 16384, 32768)]
    return {
        "modes": [
            {"mode": "whole", "idle_mib": 300.0, "rows": whole},
            {"mode": "compressed", "idle_mib": 300.0, "rows": compressed},
        ]
    }


def line_of(text: str, start: str) -> list[str]:
    (found,) = [line for line in text.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in found.strip("|").split("|")][1:]


def test_tables_have_a_line_for_each_length_and_gaps_where_nothing_was_measured(
    report: ModuleType,
) -> None:
    text = report.markdown(value())
    assert line_of(text, "512") == ["102 (97.3-128)", "3", "308", "–", "–", "–"]
    assert line_of(text, "8,192")[3:] == ["90.5 (90.0-91.0)", "2", "300"]
    assert line_of(text, "16,384")[:3] == ["–", "–", "–"]


def test_exponents_stand_in_the_report_where_there_is_growth(report: ModuleType) -> None:
    text = report.markdown(value())
    time, memory = line_of(text, "all of it read: all from 512 tokens")
    assert time.startswith("1.00 (")
    assert memory == "1.00 (1.00 to 1.00)"
    assert line_of(text, "all of it read: the last three doublings")[0].startswith("1.00 (")
    flat = line_of(text, "compressed to 512 tokens: all from 512 tokens")
    assert flat[0].startswith(("0.00 (", "-0.00 ("))
    assert flat[1] == "–"  # memory does not grow


def test_the_picture_is_drawn_from_the_figures(report: ModuleType, tmp_path: Path) -> None:
    drawn = report.draw(value(), tmp_path)
    assert [path.name for path in drawn] == ["performance_curve.svg", "performance_curve.png"]
    assert all(path.stat().st_size > 5000 for path in drawn)
