"""How much memory the processes of a server hold, by what it is and while a request runs.

The measure is the proportional set size (PSS) of Linux: pages that processes share count once in
all. A library that programs beside the server have loaded, too, counts less: none should run. A
request's peak is looked for by a thread that reads all processes again and again. What it can miss
between two looks is told by the highest resident size that the kernel keeps (VmHWM).
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LOOK_S = 0.004
"""Least time from one look to the next; a look takes about as long."""
SHARE = 0.01
"""Of the time since the first look: later looks may be that far apart, and disturb less."""

Sizes = dict[str, float]
"""MiB, by role of the process."""


def fields(text: str) -> dict[str, int]:
    """Return the figures, in KiB, of a file of /proc with lines like ``Pss:   123 kB``."""
    return {key: int(kib) for key, kib in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.M)}


def rollup(pid: int) -> dict[str, int]:
    """Return the fields of ``/proc/PID/smaps_rollup``, in KiB."""
    return fields(Path(f"/proc/{pid}/smaps_rollup").read_text())


def holdings(rolled: Mapping[str, int]) -> dict[str, float]:
    """Return what a process holds, in MiB.

    Args:
        rolled: of `rollup`.

    Returns:
        ``pss``, which is the sum of ``anonymous`` (heaps, stacks and weights that were read),
        ``files`` (programs, libraries, files that are mapped) and ``shared_memory`` (tensors on
        their way between processes); and ``private``, what would be free if it ended.
    """
    kib = {
        "pss": rolled["Pss"],
        "anonymous": rolled["Pss_Anon"],
        "files": rolled["Pss_File"],
        "shared_memory": rolled["Pss_Shmem"],
        "private": rolled["Private_Clean"] + rolled["Private_Dirty"],
    }
    return {name: round(size / 1024, 1) for name, size in kib.items()}


def pss(roles: Mapping[int, str]) -> Sizes:
    """Return the PSS of each process in MiB, by role, and ``total``.

    Args:
        roles: of `processes.tree`.
    """
    return _by_role(roles, {pid: rollup(pid)["Pss"] for pid in roles})


def growing(roles: Mapping[int, str]) -> Sizes:
    """Return what of the PSS can grow, in MiB by role and ``total``: heaps and shared memory.

    The rest, files that are mapped, changes when another program loads the same libraries.

    Args:
        roles: of `processes.tree`.
    """
    rolled = {pid: rollup(pid) for pid in roles}
    return _by_role(roles, {pid: s["Pss_Anon"] + s["Pss_Shmem"] for pid, s in rolled.items()})


def rounded(sizes: Sizes) -> Sizes:
    """Return sizes to a tenth of a MiB."""
    return {role: round(size, 1) for role, size in sizes.items()}


def _by_role(roles: Mapping[int, str], kib: Mapping[int, int]) -> Sizes:
    sizes: Sizes = {}
    for pid, role in roles.items():
        sizes[role] = sizes.get(role, 0.0) + kib[pid] / 1024
    return {**sizes, "total": sum(sizes.values())}


@dataclass
class Watch:
    """What a server held while it was watched.

    Attributes:
        peak: the highest PSS seen, in MiB, of each role, and of all together. Processes need not
            have theirs at once.
        at_peak: the PSS of each role when all together had theirs.
        missed: MiB by which a process's resident size was above all that was seen of it, at most.
        looks: how often all processes were read.
    """

    peak: Sizes = field(default_factory=dict)
    at_peak: Sizes = field(default_factory=dict)
    missed: float = 0.0
    looks: int = 0
    _resident: dict[int, int] = field(default_factory=dict)

    def look(self, roles: Mapping[int, str]) -> None:
        """Read all processes."""
        rolled = {pid: rollup(pid) for pid in roles}
        sizes = _by_role(roles, {pid: each["Pss"] for pid, each in rolled.items()})
        if not self.peak or sizes["total"] > self.peak["total"]:
            self.at_peak = sizes
        self.peak = {role: max(size, self.peak.get(role, 0.0)) for role, size in sizes.items()}
        for pid, each in rolled.items():
            self._resident[pid] = max(each["Rss"], self._resident.get(pid, 0))
        self.looks += 1

    def end(self) -> None:
        """Ask the kernel what was missed."""
        above = [_highest(pid) - seen for pid, seen in self._resident.items()]
        self.missed = max(0, *above) / 1024


def _highest(pid: int) -> int:
    return fields(Path(f"/proc/{pid}/status").read_text())["VmHWM"]


@contextmanager
def watched(roles: Mapping[int, str]) -> Iterator[Watch]:
    """Watch processes for as long as the block runs; the result is complete after it.

    Args:
        roles: of `processes.tree`.
    """
    for pid in roles:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the highest resident size begins anew
    watch = Watch()
    watch.look(roles)
    done = threading.Event()
    begun = time.monotonic()

    def look() -> None:
        while not done.wait(max(LOOK_S, SHARE * (time.monotonic() - begun))):
            watch.look(roles)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        done.set()
        thread.join()
    watch.end()
