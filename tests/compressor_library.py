"""Where the tests find the compressor's native library."""

from __future__ import annotations

import ctypes
import functools
import subprocess
from pathlib import Path

from pointsman_backends.compressor import native

_ROOT = Path(__file__).parents[1]


@functools.cache
def library() -> ctypes.CDLL:
    """The library of this checkout, built if need be, or one that LD_LIBRARY_PATH names."""
    if native.library is not None:
        return native.library
    subprocess.run([str(_ROOT / "scripts" / "build_kernels")], check=True)
    built = native.load()
    assert built is not None
    return built
