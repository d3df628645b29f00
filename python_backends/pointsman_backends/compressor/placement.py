"""Where a step runs: on the CPU or, where CuPy finds a GPU and it pays, on that.

A step is functions over arrays, written against the library that its arrays are of: NumPy and
SciPy, or CuPy (https://cupy.dev, for CUDA and ROCm) with the same names. So it runs where its
arrays are, and ``Device.put`` brings them there.
Which device takes a text of a given size is decided by a schedule of measured times, made by
``perf/placement.py``. Without a GPU, or without times of one, everything runs on the CPU.
"""

from __future__ import annotations

import json
import logging
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import scipy.sparse

__all__ = [
    "CPU",
    "STEPS",
    "Cost",
    "Device",
    "Schedule",
    "gpu",
    "namespace",
    "resident",
    "sparse_matrix",
]

STEPS = ("prepare", "relevance", "retrieve", "apply")
"""In the order in which they run."""

_SHIPPED = Path(__file__).with_name("placement.json")
_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")
_Value = TypeVar("_Value")


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

    def put(self, value: _Value) -> _Value:
        """Bring arrays here: one, or those in a tuple or in the fields of a dataclass.

        What is here already is not copied; a value without arrays elsewhere is returned itself.
        """
        if self is CPU and gpu() is None:
            return value  # nothing is anywhere else
        moved: Any = self._put(value)
        return cast(_Value, moved)

    def _put(self, value: Any) -> Any:  # noqa: ANN401 (whatever a dataclass holds)
        if isinstance(value, np.ndarray):
            return value if self is CPU else self.xp.asarray(value)
        if isinstance(value, tuple):
            parts = [self._put(part) for part in value]
            same = all(new is old for new, old in zip(parts, value, strict=True))
            return value if same else tuple(parts)
        if is_dataclass(value) and not isinstance(value, type):
            held = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
            moved = {name: self._put(part) for name, part in held.items()}
            same = all(moved[name] is part for name, part in held.items())
            return value if same else replace(value, **moved)
        other = gpu()
        if self is not CPU or other is None or not isinstance(value, other.xp.ndarray):
            return value
        return other.host(value)


CPU = Device("cpu", np, scipy.sparse, np.asarray)


def namespace(array: npt.NDArray[Any]) -> Any:  # noqa: ANN401 (a module)
    """Return the library of an array: NumPy, or the GPU's, which has the same names."""
    if isinstance(array, np.ndarray):
        return np
    device = gpu()
    return np if device is None else device.xp


def sparse_matrix(
    data: npt.NDArray[Any],
    indices: npt.NDArray[np.int32],
    indptr: npt.NDArray[np.int32],
    shape: tuple[int, int],
) -> Any:  # noqa: ANN401 (of the library)
    """Return a CSR matrix of some arrays, where they are; on the CPU they are not copied."""
    device = None if isinstance(data, np.ndarray) else gpu()
    if device is not None:
        return device.sparse.csr_matrix((data, indices, indptr), shape=shape)
    matrix = scipy.sparse.csr_array(shape)  # its constructor would look at each entry
    matrix.data, matrix.indices, matrix.indptr = data, indices, indptr
    return matrix


_copies: dict[int, tuple[weakref.ref[npt.NDArray[Any]], Any]] = {}


def resident(table: npt.NDArray[Any], array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a table of the host where an array is; of those on a GPU a copy stays there.

    Args:
        table: An array that is not written to.
        array: NumPy's, or the GPU's.
    """
    if isinstance(array, np.ndarray):
        return table
    key = id(table)
    held = _copies.get(key)
    if held is None or held[0]() is not table:
        gone = weakref.ref(table, lambda _: _copies.pop(key, None))
        held = _copies[key] = gone, namespace(array).asarray(table)
    copy: npt.NDArray[Any] = held[1]
    return copy


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
    """Microseconds that a step takes on a device: ``fixed`` + ``per_item`` times its size.

    The size is known before the step: characters for prepare, entries of the sentence-term matrix
    for relevance and retrieve, words kept for apply. What it works on is on the device by then.
    Bytes that are moved from one device to the other have such a cost, too.
    """

    fixed: float
    per_item: float

    def us(self, size: int) -> float:
        """Return the microseconds for a size."""
        return self.fixed + self.per_item * size


class Schedule:
    """Which device takes a step, by the size of the text and by where it is.

    Args:
        costs: By step, then by device's name; a step or device that was not measured is absent.
        gpu: The GPU, if there is one.
        transfer: What it costs to move bytes, one way or the other; None if it was not measured.
    """

    def __init__(
        self,
        costs: Mapping[str, Mapping[str, Cost]],
        gpu: Device | None,
        transfer: Cost | None = None,
    ) -> None:
        self._costs = costs
        self._gpu = gpu
        self._transfer = transfer or Cost(0, 0)
        self._is_alone = gpu is None  # then nothing was ever anywhere else

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
            moved = document["transfer"]
            transfer = None if moved is None else Cost(**moved)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is not a schedule of perf/placement.py: {error}") from error
        return cls(costs, gpu(), transfer)

    def device(self, step: str, size: int, *inputs: object) -> Device:
        """Return the device for a step over something of a size, made of some inputs."""
        costs, gpu_ = self._costs.get(step, {}), self._gpu
        if gpu_ is None or not {"cpu", "gpu"} <= costs.keys():
            return CPU
        here, there = _bytes(inputs)
        on_cpu = costs["cpu"].us(size) + (self._transfer.us(there) if there else 0)
        on_gpu = costs["gpu"].us(size) + (self._transfer.us(here) if here else 0)
        return gpu_ if on_gpu < on_cpu else CPU

    def run(
        self,
        step: str,
        size: int,
        work: Callable[..., _Result],
        *inputs: Any,  # noqa: ANN401 (whatever the step takes)
    ) -> _Result:
        """Run a step where it is fastest; on the CPU if the GPU fails (its memory may be full).

        Args:
            step: Its name.
            size: As in ``Cost``.
            work: Does the step, given the device and the inputs, which are there.
            inputs: Arrays, and whatever else ``Device.put`` takes, on any device.
        """
        if self._is_alone:
            return work(CPU, *inputs)
        device = self.device(step, size, *inputs)
        if device is not CPU:
            try:
                return work(device, *device.put(inputs))
            except Exception:  # noqa: BLE001 - whatever a driver raises, the CPU can do it
                self.give_up(step)
        return work(CPU, *CPU.put(inputs))

    def give_up(self, what: str) -> bool:
        """Ask the GPU no more: something failed there, which the log tells of.

        Returns:
            Whether there ever was one to ask.
        """
        if self._gpu is not None:
            self._gpu = None
            _log.warning("%s failed on the GPU: the CPU takes over", what, exc_info=True)
        return not self._is_alone


def _bytes(value: object) -> tuple[int, int]:
    """Bytes of the arrays in a value: on the host, and elsewhere."""
    if isinstance(value, np.ndarray):
        return value.nbytes, 0
    parts: Iterable[object] = ()
    if isinstance(value, tuple):
        parts = value
    elif is_dataclass(value):
        parts = (getattr(value, field.name) for field in fields(value) if field.init)
    elif (device := gpu()) is not None and isinstance(value, device.xp.ndarray):
        return 0, int(getattr(value, "nbytes"))  # noqa: B009 - of a library that may be missing
    sizes = [_bytes(part) for part in parts]
    return sum(host for host, _ in sizes), sum(beyond for _, beyond in sizes)
