"""One candidate of perf/attention.py in a process of its own: memory, and time by default.

Prints JSON. `mib`: the peak of the resident set during a run, less what was resident before it.
Inputs, output, the runtime and its code were: the same candidate has run on a short text, and every
input and output has been written to. `cpu_ms`: the processor time of a run, median of a few.

Usage: ``python perf/attention_alone.py NAME LENGTH HEAD_SIZE WINDOW DENORMALS``
WINDOW 0 is full attention; DENORMALS is `zero`, or `kept` as they are by default.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TypedDict

import attention_candidates as candidates

SHORT = 64
RUNS = 5
ENOUGH_MS = 2000
STATUS = Path("/proc/self/status")
# proc(5): resets the peak of the resident set to what is resident now.
RESET = Path("/proc/self/clear_refs"), "5"


def resident(field: str) -> float:
    """Return VmRSS or VmHWM of this process in MiB."""
    found = re.search(rf"^{field}:\s+(\d+) kB$", STATUS.read_text(), re.M)
    if found is None:
        raise RuntimeError(f"{STATUS} has no {field}")
    return int(found[1]) / 1024


class Alone(TypedDict):
    """What the process prints."""

    mib: float
    cpu_ms: float


def measure(name: str, problem: candidates.Problem) -> Alone:
    """Measure in this process."""
    candidates.prepare(name, dataclasses.replace(problem, length=SHORT)).run()
    gc.collect()
    candidate = candidates.prepare(name, problem)
    RESET[0].write_text(RESET[1])
    before = resident("VmRSS")
    times = [_cpu_ms(candidate)]
    extra = resident("VmHWM") - before
    candidate.check(problem, 1e-4)
    if candidate.own_output:
        extra -= candidate.answer().nbytes / 2**20
    while len(times) < RUNS and sum(times) < ENOUGH_MS:
        times.append(_cpu_ms(candidate))
    return {"mib": round(extra, 2), "cpu_ms": round(statistics.median(times), 2)}


def _cpu_ms(candidate: candidates.Candidate) -> float:
    begin = time.process_time()
    candidate.run()
    return (time.process_time() - begin) * 1e3


def in_fresh_process(
    name: str, length: int, head_size: int, window: int | None, *, denormals: str = "zero"
) -> Alone:
    """Measure in a process that does nothing else."""
    arguments = [name, str(length), str(head_size), str(window or 0), denormals]
    done = subprocess.run(  # noqa: S603
        [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    found: Alone = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    _name, _length, _head_size, _window, _denormals = sys.argv[1:]
    _problem = candidates.Problem(
        int(_length), int(_head_size), 1, int(_window) or None, _denormals == "zero"
    )
    print(json.dumps(measure(_name, _problem)))
