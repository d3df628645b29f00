"""Where a step runs: on the CPU or, where CuPy finds a GPU and it pays, on that.

A step that can run on either is one function over arrays and sparse matrices, written against a
``Device``: NumPy and SciPy, or CuPy (https://cupy.dev, for CUDA and ROCm) with the same names.
Which one takes a text of a given size is decided by a schedule of measured times, made by
``perf/placement.py``. Without a GPU, or without times of one, everything runs on the CPU.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import scipy.sparse

__all__ = ["CPU", "Cost", "Device", "Schedule", "gpu"]

_SHIPPED = Path(__file__).with_name("placement.json")
_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Device:
    """An array library, and what it calls its sparse matrices.

    Attributes:
        name: ``cpu`` or ``gpu``.
        xp: NumPy, or what has its functions.
        sparse: ``scipy.sparse``, or what has its CSR class.
        host: Copies one of its arrays into NumPy's.
    """

    name: str
    xp: Any
    sparse: Any
    host: Callable[[Any], npt.NDArray[Any]]

    def matrix(self, matrix: scipy.sparse.csr_array) -> Any:  # noqa: ANN401 (of the library)
        """Return a SciPy CSR matrix as one of this library, on its device."""
        if self.sparse is scipy.sparse:
            return matrix
        parts = (self.xp.asarray(part) for part in (matrix.data, matrix.indices, matrix.indptr))
        return self.sparse.csr_matrix(tuple(parts), shape=matrix.shape)


CPU = Device("cpu", np, scipy.sparse, np.asarray)


@cache
def gpu() -> Device | None:
    """Return the GPU that CuPy finds, or None. CuPy is not a dependency."""
    try:
        cupy, sparse = import_module("cupy"), import_module("cupyx.scipy.sparse")
        if not cupy.cuda.runtime.getDeviceCount():
            return None
    except ImportError:
        return None
    except Exception:  # noqa: BLE001 - whatever a driver raises, there is no GPU to be used
        _log.warning("CuPy is installed, but finds no GPU it can use", exc_info=True)
        return None
    return Device("gpu", cupy, sparse, cupy.asnumpy)


@dataclass(frozen=True)
class Cost:
    """Microseconds that a step takes on a device: ``fixed`` + ``per_entry`` times its size.

    The size is the number of entries of the sentence-term matrix. Of a GPU it includes the
    transfer of what goes in and comes out.
    """

    fixed: float
    per_entry: float

    def us(self, entries: int) -> float:
        """Return the microseconds for some entries."""
        return self.fixed + self.per_entry * entries


class Schedule:
    """Which device takes a step, by the size of the text.

    Args:
        costs: By step, then by device's name; a step or device that was not measured is absent.
        gpu: The GPU, if there is one.
    """

    def __init__(self, costs: Mapping[str, Mapping[str, Cost]], gpu: Device | None) -> None:
        self._costs = costs
        self._gpu = gpu

    @classmethod
    def load(cls, path: Path = _SHIPPED) -> Schedule:
        """Read measured times; the GPU is the one that CuPy finds.

        Raises:
            ValueError: The file is not what ``perf/placement.py`` writes.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            costs = {
                step: {device: Cost(**cost) for device, cost in devices.items()}
                for step, devices in document["microseconds"].items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is not a schedule of perf/placement.py: {error}") from error
        return cls(costs, gpu())

    def device(self, step: str, entries: int) -> Device:
        """Return the device for a step over a matrix of some entries."""
        costs = self._costs.get(step, {})
        if self._gpu is None or not {"cpu", "gpu"} <= costs.keys():
            return CPU
        return self._gpu if costs["gpu"].us(entries) < costs["cpu"].us(entries) else CPU

    def run(self, step: str, entries: int, work: Callable[[Device], _Result]) -> _Result:
        """Run a step where it is fastest; on the CPU if the GPU fails (its memory may be full)."""
        device = self.device(step, entries)
        if device is not CPU:
            try:
                return work(device)
            except Exception:  # noqa: BLE001 - whatever a driver raises, the CPU can do it
                _log.warning("%s failed on the GPU: the CPU takes over", step, exc_info=True)
                self._gpu = None
        return work(CPU)
