"""What the compressor reports to Prometheus, as histograms of Triton.

Triton's Python backend hands every single observation to the server, some 25 us each (2.51), and
holds the interpreter meanwhile. So a request only queues its figures, and a thread observes them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from pointsman_backends.compressor import Compressed

__all__ = ["CompressorMetrics", "Family"]

_SECONDS = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 1.0]
_BYTES = [4.0**power for power in range(4, 12)]  # 256 octets to 4 MiB
_RATIOS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.99]

_BACKLOG = 1024  # requests whose figures may wait
_PAUSE_S = 5e-5  # between observations, so that a request gets the interpreter in between
_CLOSING_S = 1.0


class Family(Protocol):
    """What is used of ``triton_python_backend_utils.MetricFamily``."""

    HISTOGRAM: Any

    def __call__(self, *, name: str, description: str, kind: object) -> Any:  # noqa: ANN401
        """Create a family, of which ``Metric(labels=..., buckets=...)`` makes metrics."""


class CompressorMetrics:
    """Histograms of what the compressor does, over all its instances in a server.

    ``pointsman_compressor_step_seconds{step}``, ``..._input_bytes``, ``..._output_bytes`` and
    ``..._kept_ratio``. A failure never reaches the caller: the first is logged, and what could not
    be reported is missing from the histograms.

    Args:
        family: Triton's class of metric families.
        log: Takes a line that says what failed.
    """

    def __init__(self, family: Family, log: Callable[[str], None]) -> None:
        self._log: Callable[[str], None] | None = log
        self._queue: queue.Queue[list[tuple[str, str, float]] | None] = queue.Queue(_BACKLOG)
        self._families: dict[str, tuple[Any, list[float]]] = {}
        self._metrics: dict[tuple[str, str], Any] = {}
        self._thread = threading.Thread(target=self._observe, name="metrics", daemon=True)
        try:
            for name, description, buckets in (
                ("step_seconds", "Time of a step of the compressor, where it ran", _SECONDS),
                ("input_bytes", "UTF-8 octets of the text", _BYTES),
                ("output_bytes", "Octets of the tensors that go on to the models", _BYTES),
                ("kept_ratio", "Share of the tokens that the models read", _RATIOS),
            ):
                created = family(
                    name=f"pointsman_compressor_{name}",
                    description=description,
                    kind=family.HISTOGRAM,
                )
                self._families[name] = created, buckets
        except Exception as error:  # noqa: BLE001 - a server without them serves all the same
            self._complain(error)
        else:
            self._thread.start()

    def report(self, compressed: Compressed, input_bytes: int, output_bytes: int) -> None:
        """Queue the figures of one request.

        Args:
            compressed: What the compressor answered; a step of 0 us did not run.
            input_bytes: UTF-8 octets of the text.
            output_bytes: Octets of the tensors.
        """
        if not self._thread.is_alive():
            return
        try:
            figures = [
                ("step_seconds", step, us / 1e6) for step, us in compressed.timings_us.items() if us
            ]
            figures.append(("input_bytes", "", input_bytes))
            figures.append(("output_bytes", "", output_bytes))
            figures.append(("kept_ratio", "", compressed.classified_tokens / compressed.tokens))
            self._queue.put_nowait(figures)
        except Exception as error:  # noqa: BLE001 - the request is answered all the same
            self._complain(error)

    def close(self) -> None:
        """Observe what is queued, at most for a second, and end the thread."""
        if self._thread.is_alive():
            try:
                self._queue.put(None, timeout=_CLOSING_S)
            except queue.Full:
                return
            self._thread.join(_CLOSING_S)

    def _observe(self) -> None:
        while (figures := self._queue.get()) is not None:
            for name, step, value in figures:
                try:
                    self._metric(name, step).observe(value)
                except Exception as error:  # noqa: BLE001 - the others are observed all the same
                    self._complain(error)
                time.sleep(_PAUSE_S)

    def _metric(self, name: str, step: str) -> Any:  # noqa: ANN401
        metric = self._metrics.get((name, step))
        if metric is None:
            family, buckets = self._families[name]
            metric = family.Metric(labels={"step": step} if step else {}, buckets=buckets)
            self._metrics[name, step] = metric
        return metric

    def _complain(self, error: Exception) -> None:
        log, self._log = self._log, None
        if log is not None:
            what = f"{type(error).__name__}: {error}".removesuffix(": ")
            log(f"the metrics of the compressor are incomplete from here on: {what}")
