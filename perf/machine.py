"""What a measurement was made on, for the head of its JSON."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path


def describe() -> dict[str, object]:
    """Return processor, cores, load average and versions of what is measured."""
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        **{
            package: version(package)
            for package in ("pointsman", "nvidia-pytriton", "onnxruntime", "numpy", "tokenizers")
        },
    }
