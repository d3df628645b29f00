"""CKFlashAttention's tests on every instruction set, and under AddressSanitizer and UBSan.

The op reads CK_FLASH_ATTENTION_ISA once a process, so each runs in a process of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pointsman import paths
from tests import sanitizers

ROOT = Path(__file__).parents[1]
TESTS = Path("tests") / "test_attention_op.py"
FLAGS = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
AVX2 = {"avx2", "fma", "f16c"}
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
NEEDS: dict[str, set[str]] = {
    "avx512_bf16": AVX512 | {"avx512_bf16"},
    "avx512": AVX512,
    "avx512_bf16_emulated": AVX512,
    "avx2": AVX2,
    "portable": set(),
}
HERE = [isa for isa, flags in NEEDS.items() if flags <= set(FLAGS)]
# Long on a slow instruction set, and the same code as at shorter lengths.
SHORT = "not whole_length and not thirty_two_thousand"


def run_tests(selected: str, *, isa: str, **variables: str) -> str:
    """Run the op's tests in a process of their own; return what they print."""
    return sanitizers.run_tests(str(TESTS), "-k", selected, CK_FLASH_ATTENTION_ISA=isa, **variables)


# Without the variable the best one for float32 runs: that is test_attention_op.py itself.
BEST = next(isa for isa in ("avx512", "avx2", "portable") if isa in HERE)


@pytest.mark.parametrize("isa", [isa for isa in HERE if isa != BEST])
def test_every_instruction_set_of_this_machine(isa: str) -> None:
    printed = run_tests(SHORT, isa=isa, POINTSMAN_FUZZ_EXAMPLES="30")
    passed = re.search(r"(\d+) passed", printed)
    assert passed
    assert int(passed[1]) > 50


ASK = """
import numpy as np
from tests.test_attention_op import run
print(run(*np.ones((3, 1, 1, 4, 32), np.float32)).sum())
"""


@pytest.mark.parametrize("isa", [*(isa for isa in NEEDS if isa not in HERE), "avx1024"])
def test_an_instruction_set_this_machine_lacks_is_refused(isa: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={**os.environ, "CK_FLASH_ATTENTION_ISA": isa},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "CK_FLASH_ATTENTION_ISA" in done.stderr
    assert "128.0" not in done.stdout


@pytest.fixture(scope="session")
def sanitized_library() -> Path:
    return sanitizers.build(paths.ATTENTION_LIBRARY)


@pytest.mark.parametrize("isa", HERE)
def test_no_undefined_behaviour_and_no_access_past_a_tensor(
    isa: str, sanitized_library: Path
) -> None:
    run_tests(
        "fuzz or other_numbers or windows",
        isa=isa,
        POINTSMAN_FUZZ_EXAMPLES="50",
        POINTSMAN_TEST_OP_LIBRARY=str(sanitized_library),
        **sanitizers.environment(),
    )
