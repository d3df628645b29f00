"""Memory that a long text took goes back to the system."""

import subprocess
import sys

import pytest

# What is freed lies below a block that is still in use, as it does after an inference.
PROGRAM = """
import sys
import numpy as np
import psutil
from pointsman_backends.onnx_backend import heap

def held():
    return psutil.Process().memory_info().rss >> 20

tensor = np.zeros(int(sys.argv[1]), np.uint8)
before = held()
blocks = [np.ones(64 << 10, np.uint8) for _ in range(1600)]
last = blocks.pop()
del blocks
kept = held() - before
heap.trim_after([tensor])
print(kept, held() - before)
"""


def held_after(octets: int) -> tuple[int, int]:
    """MiB that 100 MiB of freed blocks still take, before and after tensors of some size."""
    command = [sys.executable, "-c", PROGRAM, str(octets)]
    kept, left = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(kept), int(left)


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc's heap")
def test_long_texts_leave_no_heap_behind_and_short_ones_cost_nothing() -> None:
    from pointsman_backends.onnx_backend.heap import LARGE_BYTES

    kept, left = held_after(LARGE_BYTES)
    assert kept > 80
    assert left < 20
    kept, left = held_after(LARGE_BYTES - 1)
    assert left == pytest.approx(kept, abs=8)
