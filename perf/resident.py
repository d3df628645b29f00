"""How much memory the processes of a server hold, by what it is and while a request runs.

The measure is the proportional set size (PSS) of Linux: pages that processes share count once in
all. A request's peak is looked for by a thread that reads all processes again and again. Between
two looks it can miss one, so there is a bound beside it: the PSS before, and for each process what
its highest resident size (VmHWM, which the kernel keeps) is above the one before. That bound counts
what processes share once for each, and as if all had their peaks at once.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LOOK_S = 0.004
"""Between two looks at all processes; a look takes about as long."""

Sizes = dict[str, float]
"""MiB, by role of the process."""


def rollup(pid: int) -> dict[str, int]:
    """Return the fields of ``/proc/PID/smaps_rollup``, in KiB."""
    return kib_of(Path(f"/proc/{pid}/smaps_rollup").read_text())


def kib_of(text: str) -> dict[str, int]:
    """Return the figures of a file of /proc that has lines like ``Pss:   123 kB``."""
    return {key: int(kib) for key, kib in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.M)}


def holdings(pid: int) -> dict[str, float]:
    """Return what a process holds, in MiB.

    Returns:
        ``pss``, which is the sum of ``anonymous`` (heaps, stacks and weights that were read),
        ``files`` (programs, libraries, files that are mapped) and ``shared_memory`` (tensors on
        their way between processes); and ``private``, what would be free if it ended.
    """
    found = rollup(pid)
    kib = {
        "pss": found["Pss"],
        "anonymous": found["Pss_Anon"],
        "files": found["Pss_File"],
        "shared_memory": found["Pss_Shmem"],
        "private": found["Private_Clean"] + found["Private_Dirty"],
    }
    return {name: round(size / 1024, 1) for name, size in kib.items()}


def pss(roles: dict[int, str]) -> Sizes:
    """Return the PSS of each process in MiB, by role, and ``total``."""
    sizes: Sizes = {}
    for pid, role in roles.items():
        sizes[role] = sizes.get(role, 0) + rollup(pid)["Pss"] / 1024
    sizes["total"] = sum(sizes.values())
    return sizes


def rounded(sizes: Sizes) -> Sizes:
    """Return sizes to a tenth of a MiB."""
    return {role: round(size, 1) for role, size in sizes.items()}


@dataclass
class Watch:
    """What a server held while it was watched, in MiB.

    Attributes:
        before: PSS by role.
        peak: the highest PSS seen of each role, and of all together.
        bound: what all together cannot have been above.
        looks: how often the processes were read.
    """

    before: Sizes
    peak: Sizes = field(default_factory=dict)
    bound: float = 0.0
    looks: int = 0

    def look(self, sizes: Sizes) -> None:
        """Take note of sizes read just now."""
        self.looks += 1
        for role, size in sizes.items():
            self.peak[role] = max(size, self.peak.get(role, 0.0))


@contextmanager
def watched(roles: dict[int, str]) -> Iterator[Watch]:
    """Watch processes for as long as the block runs; the result is complete after it.

    Args:
        roles: of ``processes.tree``.
    """
    resident = {pid: rollup(pid)["Rss"] for pid in roles}
    for pid in roles:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the highest resident size begins anew
    watch = Watch(pss(roles))
    watch.look(watch.before)
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_S):
            watch.look(pss(roles))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        done.set()
        thread.join()
    growth = sum(max(0, highest(pid) - resident[pid]) for pid in roles) / 1024
    watch.bound = watch.before["total"] + growth


def highest(pid: int) -> int:
    """Return a process's highest resident size since the last reset, in KiB."""
    return kib_of(Path(f"/proc/{pid}/status").read_text())["VmHWM"]
