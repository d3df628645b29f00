"""The native library's tests under AddressSanitizer and UBSan."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from pointsman_backends.compressor import native
from tests import sanitizers

LOADED = """
from pathlib import Path
from pointsman_backends.compressor import native
assert native.library is not None
print(Path("/proc/self/maps").read_text())
"""


@pytest.mark.timeout(900)
def test_no_undefined_behaviour_and_no_access_past_an_array() -> None:
    library = sanitizers.build(native.NAME)
    tests = [str(path) for path in sorted((sanitizers.ROOT / "tests").glob("test_native*.py"))]
    tests.remove(__file__)
    variables = {"LD_LIBRARY_PATH": str(library.parent), **sanitizers.environment()}
    maps = subprocess.run(
        [sys.executable, "-c", LOADED], env={**os.environ, **variables}, capture_output=True
    )
    assert str(library).encode() in maps.stdout, maps.stderr
    printed = sanitizers.run_tests(*tests, **variables)
    passed = re.search(r"(\d+) passed", printed)
    assert passed
    assert int(passed[1]) > 50
