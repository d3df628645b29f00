"""How much memory a candidate of perf/attention.py takes to compute attention once.

Run in a process of its own, which prints MiB as JSON: the peak of the resident set during the run,
less what was resident before it. Inputs, output, the runtime and its code were: the same candidate
has run on a short text, and every input and output has been written to.

Usage: ``python perf/attention_memory.py NAME LENGTH HEAD_SIZE WINDOW`` (WINDOW 0: full)
"""

from __future__ import annotations

import gc
import json
import re
import subprocess
import sys
from pathlib import Path

import attention_candidates as candidates

SHORT = 64
STATUS = Path("/proc/self/status")
# proc(5): resets the peak of the resident set to what is resident now.
RESET = Path("/proc/self/clear_refs"), "5"


def resident(field: str) -> float:
    """Return VmRSS or VmHWM of this process in MiB."""
    found = re.search(rf"^{field}:\s+(\d+) kB$", STATUS.read_text(), re.M)
    if found is None:
        raise RuntimeError(f"{STATUS} has no {field}")
    return int(found[1]) / 1024


def peak_extra_mib(name: str, length: int, head_size: int, window: int | None) -> float:
    """Measure one run in this process."""
    candidates.prepare(name, candidates.Problem(SHORT, head_size, 1, window)).run()
    gc.collect()
    problem = candidates.Problem(length, head_size, 1, window)
    candidate = candidates.prepare(name, problem)
    RESET[0].write_text(RESET[1])
    before = resident("VmRSS")
    candidate.run()
    extra = resident("VmHWM") - before
    candidate.check(problem, 1e-4)
    return extra - (candidate.answer().nbytes / 2**20 if candidate.own_output else 0)


def in_fresh_process(name: str, length: int, head_size: int, window: int | None) -> float:
    """Measure one run in a process that does nothing else; return MiB."""
    arguments = [name, str(length), str(head_size), str(window or 0)]
    done = subprocess.run(  # noqa: S603
        [sys.executable, __file__, *arguments], check=True, capture_output=True, text=True
    )
    return round(float(json.loads(done.stdout)), 2)


if __name__ == "__main__":
    _name, _length, _head_size, _window = sys.argv[1:]
    print(json.dumps(peak_extra_mib(_name, int(_length), int(_head_size), int(_window) or None)))
