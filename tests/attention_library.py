"""Where the tests find the attention op's library."""

import functools
import os
import subprocess
from pathlib import Path

from pointsman import paths

_ROOT = Path(__file__).parents[1]


@functools.cache
def library() -> Path:
    """The op library of this checkout, built if need be, or the one test_attention_isa.py names."""
    named = os.environ.get("POINTSMAN_TEST_OP_LIBRARY")
    if named:
        return Path(named)
    subprocess.run([str(_ROOT / "scripts" / "build_kernels")], check=True)
    return paths.kernels() / paths.ATTENTION_LIBRARY
