"""What a measurement was made on, for the head of its JSON."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path


def describe() -> dict[str, object]:
    """Return processor, cores, load average, and revision and versions of what is measured."""
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "revision": revision(),
        "python": platform.python_version(),
        **{
            package: version(package)
            for package in ("pointsman", "nvidia-pytriton", "onnxruntime", "numpy", "tokenizers")
        },
    }


def revision() -> str | None:
    """Return the git revision of the checkout, with ``-dirty`` where files differ from it."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        found = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):  # no git, or a copy without history
        return None
    return found.stdout.strip()
