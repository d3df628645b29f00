"""An array library that is not NumPy, to test without a GPU what is written for one.

It computes with NumPy, and is as strict as CuPy 15.0.0a1 (https://github.com/cupy/cupy, commit
6b6d9563) or stricter:

- It has the functions, methods and arguments listed here, which CuPy has, too, and no others.
- Its arrays mix with Python's and NumPy's scalars, never with NumPy's arrays, and NumPy does not
  take them (``__array__`` of CuPy raises TypeError, too).
- What is read of an array on the host is counted, and what is sent there.
- Writing to one place twice is an error unless it is the same value: a GPU writes in any order.
- ``empty`` is filled with what no one would want, and float sums are made in another order.
- A Python scalar takes the type of the array beside it (NEP 50), as in CuPy 14 and later.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from pointsman_backends.compressor.placement import Device

__all__ = ["Array", "Library"]

_SCALARS = (bool, int, float, np.generic)
_GARBAGE = 0xA5


@contextlib.contextmanager
def _weakly() -> Iterator[None]:
    """Promote as NumPy 2 and CuPy 14 do; NumPy 1.26 knows how, too."""
    if not hasattr(np, "_set_promotion_state"):
        yield
        return
    before = np._get_promotion_state()
    np._set_promotion_state("weak")
    try:
        yield
    finally:
        np._set_promotion_state(before)


def _bare(value: Any) -> Any:
    """What NumPy computes with; TypeError for what CuPy does not take."""
    if isinstance(value, Array):
        return value._bare
    if isinstance(value, _SCALARS):
        return value
    raise TypeError(f"Unsupported type {type(value)}")


def _key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_key(part) for part in key)
    if isinstance(key, slice):
        for edge in (key.start, key.stop, key.step):
            if edge is not None and not isinstance(edge, int | np.integer):
                raise TypeError(f"slice indices must be integers, not {type(edge)}")
        return key
    return key if key is None else _bare(key)


def _reordered(values: Any) -> Any:
    """Running sums as a device makes them: of blocks first."""
    if values.dtype.kind != "f":
        return values.cumsum()
    sums, before = np.empty_like(values), 0.0
    for first in range(0, len(values), 7):
        block = values[first : first + 7].cumsum()
        sums[first : first + 7] = before + block
        before += block[-1]
    return sums


class Array:
    """One array of the library; made by it alone."""

    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, bare: Any, library: Library) -> None:
        self._bare, self._library = np.asarray(bare), library

    def __array__(self, *_: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._bare.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self._bare.shape

    @property
    def nbytes(self) -> int:
        return self._bare.nbytes

    def __len__(self) -> int:
        return len(self._bare)

    def __iter__(self) -> Iterator[Array]:
        if self._bare.ndim < 2:
            raise AssertionError("read one element after the other")
        return (self._new(row) for row in self._bare)

    def __getitem__(self, key: Any) -> Array:
        return self._new(self._bare[_key(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        key, value = _key(key), _bare(value)
        self._bare[key] = value
        if np.ndim(value) and not (self._bare[key] == np.asarray(value, self.dtype)).all():
            raise AssertionError("written to one place twice: in which order no one knows")

    def __bool__(self) -> bool:
        if self._bare.size != 1:
            raise ValueError("The truth value of an array is ambiguous.")
        return bool(self._library.fetch(self))

    def __int__(self) -> int:
        return int(self._library.fetch(self))

    def __float__(self) -> float:
        return float(self._library.fetch(self))

    def astype(self, dtype: Any, copy: bool = True) -> Array:
        return self._new(self._bare.astype(dtype, copy=copy))

    def copy(self) -> Array:
        return self._new(self._bare.copy())

    def reshape(self, *shape: int) -> Array:
        return self._new(self._bare.reshape(*shape))

    def view(self, dtype: Any) -> Array:
        return self._new(self._bare.view(dtype))

    def take(self, indices: Array) -> Array:
        return self._new(self._bare[_bare(indices)])

    def sort(self) -> None:
        if not self._bare.flags.c_contiguous:
            raise NotImplementedError("Sorting non-contiguous array is not supported.")
        self._bare.sort()

    def all(self) -> Array:
        return self._new(self._bare.all())

    def any(self) -> Array:
        return self._new(self._bare.any())

    def max(self) -> Array:
        return self._new(self._bare.max())

    def min(self) -> Array:
        return self._new(self._bare.min())

    def cumsum(self) -> Array:
        return self._library.cumsum(self)

    def nonzero(self) -> tuple[Array, ...]:
        return tuple(self._new(places) for places in self._bare.nonzero())

    def sum(self) -> Array:
        if self.dtype.kind == "f":
            return self._new(_reordered(self._bare)[-1] if len(self) else 0.0)
        return self._new(self._bare.sum())

    def _new(self, bare: Any) -> Array:
        self._library.work()
        return Array(bare, self._library)


def _operator(name: str) -> Callable[..., Any]:
    def operate(self: Array, *other: Any) -> Any:
        others = [_bare(one) for one in other]
        with _weakly():
            result = getattr(self._bare, name)(*others)
        if result is NotImplemented:
            raise TypeError(name)
        if not name.startswith("__i") or name == "__invert__":
            return self._new(result)
        return self

    return operate


for _name in ("add", "sub", "mul", "truediv", "floordiv", "and", "or", "xor", "lshift", "rshift"):
    for _kind in ("", "r", "i"):
        setattr(Array, f"__{_kind}{_name}__", _operator(f"__{_kind}{_name}__"))
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "neg", "invert"):
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))


class _Function:
    """A universal function of the library."""

    def __init__(self, library: Library, name: str) -> None:
        self._library, self._function = library, getattr(np, name)

    def __call__(self, *operands: Any, out: Array | None = None) -> Array:
        with _weakly():
            result = self._function(*map(_bare, operands))
        if out is None:
            return self._library.new(result)
        assert result.dtype == out.dtype  # CuPy casts less than NumPy
        out._bare[...] = result
        return out


class _Extreme(_Function):
    def at(self, array: Array, indices: Array, values: Array) -> None:
        """CuPy's takes these types alone (``_scatter_op_single``)."""
        if array.dtype not in (np.int32, np.int64, np.float64, np.uint32, np.uint64):
            raise TypeError(f"{array.dtype} is not supported")
        self._function.at(array._bare, _bare(indices), _bare(values))


class Library:
    """The functions, by NumPy's names.

    Attributes:
        sent: Arrays that came from the host.
        fetched: Arrays and numbers that the host read.
        device: The device whose library this is.
    """

    ndarray = Array
    float64 = np.float64
    cuda = SimpleNamespace(
        get_current_stream=lambda: SimpleNamespace(synchronize=lambda: None),
    )

    def __init__(self) -> None:
        self.reset()
        self.device = Device("gpu", self, SimpleNamespace(csr_matrix=self._csr_matrix), self.fetch)
        for name in ("sqrt", "log", "not_equal"):
            setattr(self, name, _Function(self, name))
        for name in ("maximum", "minimum"):
            setattr(self, name, _Extreme(self, name))

    def reset(self) -> None:
        """Count from 0 again, and work."""
        self.sent = self.fetched = 0
        self._left: int | None = None
        self._is_lost = False

    def fail_after(self, calls: int, *, lost: bool = False) -> None:
        """Let a call fail when some more were made, as when memory is full.

        Args:
            calls: How many still work.
            lost: Whether nothing works from then on, as after a fault of the device.
        """
        self._left, self._is_lost = calls, lost

    def work(self) -> None:
        """Called by whatever computes."""
        if self._left is None:
            return
        self._left -= 1
        if self._left == -1 or (self._is_lost and self._left < 0):
            raise MemoryError("out of device memory")

    def new(self, bare: Any) -> Array:
        self.work()
        return Array(bare, self)

    def fetch(self, array: Array) -> Any:
        self.work()
        self.fetched += 1
        return array._bare.copy()

    def asarray(self, a: Any) -> Array:
        if isinstance(a, Array):
            return a
        assert isinstance(a, np.ndarray)
        self.sent += 1
        return self.new(a.copy())

    def arange(self, start: int, stop: int | None = None, *, dtype: Any = None) -> Array:
        ends = (start,) if stop is None else (start, stop)
        return self.new(np.arange(*ends, dtype=dtype))

    def zeros(self, shape: int, dtype: Any = float) -> Array:
        return self.new(np.zeros(shape, dtype))

    def ones(self, shape: int, dtype: Any = float) -> Array:
        return self.new(np.ones(shape, dtype))

    def empty(self, shape: int, dtype: Any = float) -> Array:
        array = np.empty(shape, dtype)
        array.view(np.uint8)[...] = _GARBAGE
        return self.new(array)

    def full(self, shape: int, fill_value: Any, dtype: Any = None) -> Array:
        return self.new(np.full(shape, _bare(fill_value), dtype))

    def append(self, arr: Any, values: Any) -> Array:
        # Both are made arrays, each of its own type.
        return self.new(np.concatenate([np.asarray(_bare(a)).ravel() for a in (arr, values)]))

    def concatenate(self, tup: Sequence[Array]) -> Array:
        return self.new(np.concatenate([array._bare for array in tup]))

    def stack(self, tup: Sequence[Array]) -> Array:
        return self.new(np.stack([array._bare for array in tup]))

    def column_stack(self, tup: Sequence[Array]) -> Array:
        return self.new(np.column_stack([array._bare for array in tup]))

    def where(self, condition: Array, x: Any, y: Any) -> Array:
        with _weakly():
            return self.new(np.where(condition._bare, _bare(x), _bare(y)))

    def flatnonzero(self, a: Array) -> Array:
        return self.new(np.flatnonzero(a._bare))

    def searchsorted(self, a: Array, v: Array, side: str = "left") -> Array:
        return self.new(np.searchsorted(a._bare, v._bare, side))

    def bincount(self, x: Array, weights: Array | None = None, minlength: int = 0) -> Array:
        weighed = None if weights is None else weights._bare[::-1]
        return self.new(np.bincount(x._bare[::-1], weighed, minlength))

    def cumsum(self, a: Array, dtype: Any = None, out: Array | None = None) -> Array:
        if out is not None:
            out._bare[...] = _reordered(a._bare.astype(out.dtype))
            return out
        if dtype is None:  # as NumPy: whole numbers are summed in 64 bits
            dtype = {"b": np.int64, "i": np.int64, "u": np.uint64}.get(a.dtype.kind, a.dtype)
        return self.new(_reordered(a._bare.astype(dtype)).astype(dtype))

    def cumprod(self, a: Array) -> Array:
        return self.new(np.cumprod(a._bare))

    def diff(self, a: Array, *, prepend: int | None = None, append: int | None = None) -> Array:
        ends = {"prepend": prepend, "append": append}
        return self.new(np.diff(a._bare, **{k: v for k, v in ends.items() if v is not None}))

    def unique(self, ar: Array) -> Array:
        return self.new(np.unique(ar._bare))

    def union1d(self, arr1: Array, arr2: Array) -> Array:
        return self.new(np.union1d(arr1._bare, arr2._bare))

    def argsort(self, a: Array, *, kind: str) -> Array:
        assert kind == "stable"  # CuPy's only one
        return self.new(np.argsort(a._bare, kind="stable"))

    def _csr_matrix(self, parts: tuple[Array, Array, Array], *, shape: tuple[int, int]) -> _Matrix:
        return _Matrix(self, *parts, shape)


class _Matrix:
    """A CSR matrix of the library."""

    def __init__(
        self, library: Library, data: Array, indices: Array, indptr: Array, shape: tuple[int, int]
    ) -> None:
        assert data.dtype == np.float64
        assert indices.dtype == indptr.dtype == np.int32
        assert indptr.shape == (shape[0] + 1,)
        self._library, self.data, self.indices, self.indptr = library, data, indices, indptr
        self.shape = shape
        rows = np.repeat(np.arange(shape[0]), np.diff(indptr._bare))
        self._product = _Product(library, data._bare, rows, indices._bare, shape[0])
        self.T = _Product(library, data._bare, indices._bare, rows, shape[1])

    def __matmul__(self, other: Array) -> Array:
        return self._product @ other


class _Product:
    """A matrix that can do no more than be multiplied."""

    def __init__(self, library: Library, data: Any, rows: Any, columns: Any, count: int) -> None:
        # In another order than that of the rows.
        parts = data[::-1], rows[::-1], columns[::-1]
        self._library, (self._data, self._rows, self._columns) = library, parts
        self._count = count

    def __matmul__(self, other: Array) -> Array:
        assert isinstance(other, Array)
        sums = np.zeros((self._count, *other.shape[1:]))
        np.add.at(sums, self._rows, (self._data * other._bare[self._columns].T).T)
        return self._library.new(sums)
