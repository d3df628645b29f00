"""Runs tests of the native libraries under AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(name: str) -> Path:
    """Build the libraries with both sanitizers; return the path of one of them."""
    subprocess.run([str(ROOT / "scripts" / "build_kernels"), "sanitized"], check=True)
    library = ROOT / "build" / "kernels-sanitized" / name
    code = library.read_bytes()
    assert b"__asan_report_load" in code
    assert b"__ubsan_handle" in code
    return library


def environment() -> dict[str, str]:
    """What a process that loads such a library needs."""
    return {
        "LD_PRELOAD": f"{_runtime('libasan.so')} {_runtime('libubsan.so')}",
        # Python itself leaves memory behind.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    }


def _runtime(name: str) -> str:
    """The path of one of GCC's runtime libraries."""
    command = ["g++", f"-print-file-name={name}"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    assert Path(found).is_file(), found
    return found


def run_tests(*arguments: str, **variables: str) -> str:
    """Run some tests in a process of their own; return what they print."""
    command = [sys.executable, "-m", "pytest", *arguments, "-q", "-p", "no:cacheprovider"]
    # What a sanitizer says of a crash must not be lost in pytest's files.
    command += ["--capture=no", "-p", "no:faulthandler"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    found = re.search("ERROR: AddressSanitizer|: runtime error: ", done.stdout)
    told = done.stdout[found.start() :][:3000] if found else done.stdout[-6000:]
    assert done.returncode == 0, told
    return done.stdout
