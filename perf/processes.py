"""The processes of a running server: what each one does, and the processor time it has used."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

import psutil


def role(command: Sequence[str]) -> str:
    """Name a process of the server by its command line."""
    joined = " ".join(command)
    if "triton_python_backend_stub" in joined:
        # One of the arguments is the instance: `<model>_<group>_<number>`, or `<model>_<number>`.
        instance = re.search(r"\b(compressor|encoder|router|[a-z]+_classifier)(_\d+)+\b", joined)
        return instance[1] if instance else "another model"
    if "_guardian.py" in joined:
        return "guardian"
    if "tritonserver" in joined:
        return "tritonserver"
    return "pointsman serve"


def tree(pid: int) -> dict[int, str]:
    """Return the role of a process and of each of its descendants, by process id."""
    root = psutil.Process(pid)
    return {each.pid: role(each.cmdline()) for each in (root, *root.children(recursive=True))}


def cpu_ms(pid: int) -> float:
    """Return the processor time that all living threads of a process have used, in milliseconds.

    The scheduler's own count, in nanoseconds: `/proc/PID/stat` has a resolution of 10 ms.
    """
    total = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # the thread has ended
            total += int(thread.read_text().split()[0])
    return total / 1e6
