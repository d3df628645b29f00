"""Loads the compressor's native library, which does what some of its array operations do, faster.

A function that has a native twin asks whether the library ``reads`` its arrays; where it does not,
or there is none, it goes on with the arrays' own library. Both return the same, to the bit.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

__all__ = [
    "NAME",
    "LibraryError",
    "address",
    "check",
    "library",
    "load",
    "open_library",
    "reads",
]

NAME = "libpointsman_compressor.so"
_VERSION = 3  # of kernels/compressor/library.h

_PACKAGES = Path(__file__).resolve().parents[2]
_PATHS = (
    NAME,  # the system looks for it, in the folders of LD_LIBRARY_PATH first
    str(_PACKAGES.parent / "build" / "kernels" / NAME),  # of a checkout
    str(_PACKAGES / "pointsman" / "_server" / "kernels" / NAME),  # of the installed package
)

_TYPES = {"p": ctypes.c_void_p, "i": ctypes.c_int64, "u": ctypes.c_uint64, "d": ctypes.c_double}
# What each function takes, a letter each: pointer, int64, uint64, double. All return int64.
_SIGNATURES = {
    # normalise.cpp
    "pointsman_replace": "ppppiipp",
    "pointsman_normal_length": "ppii",
    "pointsman_expand": "pppppiippp",
    # words.cpp
    "pointsman_count_words": "piip",
    "pointsman_split_words": "pipiiuppppppp",
    "pointsman_find_hashes": "pipip",
    "pointsman_spread_counts": "ppipip",
    # sentences.cpp
    "pointsman_find_sentences": "pipippippipipip",
    "pointsman_measure_sentences": "pippp",
    "pointsman_measure_windows": "pppipp",
    "pointsman_cut_into_windows": "pippiiipp",
    "pointsman_count_terms": "ppippippp",
    # wordpiece.cpp
    "pointsman_build_trie": "ppppipip",
    "pointsman_count_tokens": "pippipppip",
    "pointsman_encode": "pipipipppipppp",
    # risk.cpp
    "pointsman_weigh_words": "pipppipiippp",
    "pointsman_word_rows": "ppipipiipip",
    "pointsman_worst_windows": "pippipiipppppip",
    # relevance.cpp
    "pointsman_term_frequencies": "pppiip",
    "pointsman_term_signals": "ppppiippddip",
    # duplicates.cpp
    "pointsman_near_duplicates": "pipippp",
    "pointsman_are_names": "ppppiip",
    # retrieve.cpp
    "pointsman_fill_room": "ppppipppiidipp",
}

# Called under Python's lock: they read tables that other threads may write.
_LOCKED = ("pointsman_replace", "pointsman_normal_length", "pointsman_expand")

_addressof, _from_buffer = ctypes.addressof, cast(Any, ctypes.c_char.from_buffer)

_log = logging.getLogger(__name__)


class LibraryError(Exception):
    """A file is no library of this version."""


def open_library(path: str) -> ctypes.CDLL:
    """Load one file, or a bare name that the system looks for.

    Raises:
        OSError: It is not there, or cannot be loaded.
        LibraryError: It is another library, or one of another version.
    """
    found, locked = ctypes.CDLL(path), ctypes.PyDLL(path)
    try:
        version = found.pointsman_compressor_version
        version.argtypes, version.restype = [], ctypes.c_int64
        if version() != _VERSION:
            raise LibraryError(f"version {version()}, not {_VERSION}")
        for name, types in _SIGNATURES.items():
            function = getattr(locked if name in _LOCKED else found, name)
            function.argtypes = [_TYPES[letter] for letter in types]
            function.restype = ctypes.c_int64
            setattr(found, name, function)
    except AttributeError as error:
        raise LibraryError(str(error)) from error
    return found


def load(paths: Sequence[str] = _PATHS) -> ctypes.CDLL | None:
    """Load the library: the first of some that is there and of this version.

    Returns:
        The library, or None where there is none; the log says so, and what was refused.
    """
    for path in paths:
        try:
            return open_library(path)
        except OSError as error:
            if not Path(path).is_file():
                continue
            problem = str(error)
        except LibraryError as error:
            problem = str(error)
        _log.warning("%s is refused: %s. Build it anew: scripts/build_kernels", path, problem)
    _log.info("no %s: NumPy does its work", NAME)
    return None


def address(array: npt.NDArray[Any]) -> int:
    """Address of the first element of an array, whose elements lie one after the other in C order.

    Raises:
        ValueError: They do not.
    """
    try:
        return _addressof(_from_buffer(array))  # the quickest way, if there is something to write
    except (TypeError, ValueError):
        pass
    if not array.flags.c_contiguous:
        raise ValueError("the elements of the array do not lie one after the other")
    return array.ctypes.data


def check(returned: int) -> int:
    """Return what a function returned, if it could do its work.

    Raises:
        MemoryError: It could not for want of memory.
    """
    if returned < 0:
        raise MemoryError("out of memory in the compressor's native library")
    return returned


library = load()
"""The library, None where NumPy does its work."""


def reads(array: npt.NDArray[Any]) -> ctypes.CDLL | None:
    """Return the library, if there is one and the array is in the host's memory."""
    return library if isinstance(array, np.ndarray) else None
