"""What the compressor reports to Prometheus, as histograms of Triton.

Triton's Python backend hands every single observation to the server, some 25 us each (2.51), and
holds the interpreter meanwhile. So a request only leaves its figures, and a thread that wakes by
itself observes them: to wake it would cost the request as much as an observation.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from pointsman_backends.compressor import Compressed

__all__ = ["CompressorMetrics", "Family"]

_SECONDS = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 1.0]
_BYTES = [4.0**power for power in range(4, 12)]  # 256 octets to 4 MiB
_RATIOS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.99]

_BACKLOG = 4096  # requests whose figures may wait
_EVERY_S = 0.25  # how often they are looked for
_PAUSE_S = 1e-4  # between those of two requests, so that a third gets the interpreter
_CLOSING_S = 1.0


class Family(Protocol):
    """What is used of ``triton_python_backend_utils.MetricFamily``."""

    HISTOGRAM: Any

    def __call__(self, *, name: str, description: str, kind: object) -> Any:  # noqa: ANN401
        """Create a family, of which ``Metric(labels=..., buckets=...)`` makes metrics."""


class CompressorMetrics:
    """Histograms of what the compressor does, over all its instances in a server.

    ``pointsman_compressor_step_seconds{step,device}``, ``..._input_bytes``, ``..._output_bytes``
    and ``..._kept_ratio``. A failure never reaches the caller: the first is logged, and what could
    not be reported is missing from the histograms.

    Args:
        family: Triton's class of metric families.
        log: Takes a line that says what failed.
    """

    def __init__(self, family: Family, log: Callable[[str], None]) -> None:
        self._log: Callable[[str], None] | None = log
        self._waiting: deque[tuple[dict[tuple[str, str], int], int, int, float]] = deque()
        self._closing = threading.Event()
        self._families: dict[str, tuple[Any, list[float]]] = {}
        self._metrics: dict[tuple[str, ...], Any] = {}
        self._thread = threading.Thread(target=self._observe_all, name="metrics", daemon=True)
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
            self._complain(f"{type(error).__name__}: {error}")
        else:
            self._thread.start()

    def report(self, compressed: Compressed, input_bytes: int, output_bytes: int) -> None:
        """Leave the figures of one request, to be observed within a second.

        Args:
            compressed: What the compressor answered; a step of 0 us did not run.
            input_bytes: UTF-8 octets of the text.
            output_bytes: Octets of the tensors.
        """
        if not self._thread.is_alive():
            return
        ratio = compressed.classified_tokens / max(compressed.tokens, 1)
        devices = compressed.devices
        spent = {(s, devices.get(s, "cpu")): us for s, us in compressed.timings_us.items()}
        if len(self._waiting) < _BACKLOG:
            self._waiting.append((spent, input_bytes, output_bytes, ratio))
        else:
            self._complain(f"{_BACKLOG} requests wait to be reported")

    def close(self) -> None:
        """Observe what is left, at most for a second, and end the thread."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSING_S)

    def _observe_all(self) -> None:
        closing = False
        while not closing:
            closing = self._closing.wait(_EVERY_S)
            while self._waiting:
                spent, input_bytes, output_bytes, kept_ratio = self._waiting.popleft()
                for step_and_device, us in spent.items():
                    if us:
                        self._observe("step_seconds", us / 1e6, *step_and_device)
                self._observe("input_bytes", input_bytes)
                self._observe("output_bytes", output_bytes)
                self._observe("kept_ratio", kept_ratio)
                self._closing.wait(_PAUSE_S)

    def _observe(self, name: str, value: float, *labels: str) -> None:
        try:
            self._metric(name, *labels).observe(value)
        except Exception as error:  # noqa: BLE001 - the others are observed all the same
            self._complain(f"{type(error).__name__}: {error}")

    def _metric(self, name: str, *labels: str) -> Any:  # noqa: ANN401
        key = name, *labels
        metric = self._metrics.get(key)
        if metric is None:
            family, buckets = self._families[name]
            named = dict(zip(("step", "device"), labels, strict=False))
            metric = family.Metric(labels=named, buckets=buckets)
            self._metrics[key] = metric
        return metric

    def _complain(self, what: str) -> None:
        log, self._log = self._log, None
        if log is not None:
            log(f"the metrics of the compressor are incomplete from here on: {what}")
