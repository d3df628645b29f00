"""The measured multiply-add peak of this machine's cores, in the op's instruction set."""

from __future__ import annotations

import ctypes
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "kernels" / "ck_flash_attention" / "bench" / "fma_peak.cpp"
_NEEDS = {
    "avx512": {"avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl"},
    "avx2": {"avx2", "fma", "f16c"},
}


def cpu_flags() -> set[str]:
    """Return what the processor says it can."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return set(next((line for line in lines if line.startswith("flags")), "").split())


def instruction_set() -> str:
    """Return the one that the op uses for fp32 here: avx512, avx2 or portable."""
    named = os.environ.get("CK_FLASH_ATTENTION_ISA", "")
    if named:
        return "avx512" if named.startswith("avx512") else named
    flags = cpu_flags()
    return next((isa for isa, needs in _NEEDS.items() if needs <= flags), "portable")


class FmaPeak:
    """Runs multiply-adds on registers; compiled anew for each instance.

    Args:
        folder: where the shared library goes.
    """

    def __init__(self, folder: Path) -> None:
        library = folder / "libfma_peak.so"
        command = [os.environ.get("CXX", "g++"), "-std=c++17", "-O2", "-shared", "-fPIC"]
        subprocess.run([*command, str(SOURCE), "-o", str(library)], check=True)  # noqa: S603
        self._call = ctypes.CDLL(str(library)).fma_peak
        self._call.restype = ctypes.c_double
        self._call.argtypes = [ctypes.c_char_p, ctypes.c_double]
        self._isa = instruction_set().encode()

    def gflops(self, threads: int, seconds: float) -> float:
        """Return the sum over `threads` cores that are busy at once, in GFLOP/s."""
        if threads == 1:
            return float(self._call(self._isa, seconds)) / 1e9
        with ThreadPoolExecutor(threads) as pool:  # ctypes lets go of the interpreter
            rates = pool.map(self._call, [self._isa] * threads, [seconds] * threads)
            return float(sum(rates)) / 1e9
