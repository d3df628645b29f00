"""Looks at the processes of a server, through Linux's /proc."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pointsman._guardian import children, descendants

_STUB = b"triton_python_backend_stub"


class _Stat(NamedTuple):
    """Fields of ``/proc/PID/stat``: see proc(5)."""

    state: str
    started: str
    ticks: int  # of CPU time, in user and kernel mode
    exit_code: int  # as waitpid gives it; the kernel shows it once the process is a zombie


def _stat(pid: int) -> _Stat | None:
    """Return the state of a process, or None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return _Stat(
            state=fields[0],
            started=fields[19],
            ticks=int(fields[11]) + int(fields[12]),
            exit_code=int(fields[49]),
        )
    except (OSError, IndexError):
        return None


@dataclass(frozen=True)
class Process:
    """A process, told from a later one with the same id by its start time.

    Attributes:
        pid: its id; 0 stands for one that ended before anybody looked.
        started: its start time, in the kernel's units.
    """

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process:
        """Return the process that has an id now; when there is none, one that is not alive."""
        stat = _stat(pid)
        return cls(pid if stat else 0, stat.started if stat else "")

    def alive(self) -> bool:
        """Whether it still runs: not ended, and not stopped by a signal."""
        stat = self._current()
        return stat is not None and stat.state not in "ZXxT"

    def ended(self) -> bool:
        """Whether it has ended, collected by its parent or not."""
        stat = self._current()
        return stat is None or stat.state in "ZXx"

    def cpu_s(self) -> float:
        """Return the CPU time that it has used, in seconds; 0 when it is gone."""
        stat = self._current()
        return stat.ticks / os.sysconf("SC_CLK_TCK") if stat is not None else 0.0

    def fate(self) -> str:
        """Return what became of it, for a person to read."""
        stat = self._current()
        if stat is None:
            return "gone"
        if stat.state == "T":
            return "stopped"
        killed_by = stat.exit_code & 0x7F
        return f"killed by signal {killed_by}" if killed_by else f"exit {stat.exit_code >> 8}"

    def kill(self) -> None:
        """Kill it, if it is still there."""
        if self._current() is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _current(self) -> _Stat | None:
        stat = _stat(self.pid)
        return stat if stat is not None and stat.started == self.started else None


def stubs(server_pid: int) -> list[tuple[Process, Path]]:
    """Return the processes that serve a Triton's Python-backed models.

    Args:
        server_pid: process id of ``tritonserver``.

    Returns:
        For each living process its identity and the directory of the model it serves.
    """
    found = []
    for pid in children(server_pid):
        process = Process.of(pid)
        with contextlib.suppress(OSError):
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if len(arguments) > 1 and arguments[0].endswith(_STUB):
                # The second one is <model>/<version>/<file>.
                found.append((process, Path(os.fsdecode(arguments[1])).parents[1].resolve()))
    return found


def dead_children(pid: int) -> list[Process]:
    """Return the children of a process that have ended, and that it has not collected."""
    found = [Process.of(child) for child in children(pid)]
    return [process for process in found if process.pid and process.ended()]


def pss_bytes(pid: int) -> int:
    """Return the proportional set size, in bytes, of a process and all its descendants.

    Shared pages count once, split among the processes that map them. Processes that end while
    this runs, or that may not be read, count as 0.
    """
    total = 0
    for process in (pid, *descendants(pid)):
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            total += sum(int(kib) for kib in re.findall(r"^Pss: +(\d+) kB", rollup, re.M)) * 1024
    return total
