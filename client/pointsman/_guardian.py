"""Runs one server process and sees to it that nothing of it outlives its owner.

Run as a script (standard library only, so that it starts fast and stays small):

    _guardian.py OWNER_PID GRACE_SECONDS SHM_PREFIX SCRATCH_DIR -- PROGRAM [ARGUMENT...]

The guardian starts PROGRAM and waits. SIGTERM, or the death of the owner by any signal, makes it
end PROGRAM: SIGTERM first, SIGKILL after GRACE_SECONDS or on a second SIGTERM. Whatever the reason
PROGRAM ended, the guardian then kills what is left of its descendants, removes the shared memory
regions named SHM_PREFIX* and the scratch directory, and exits with PROGRAM's status (128 + N after
signal N).

A process of its own does this because the alternatives have holes: an ``atexit`` hook does not run
on SIGKILL, and ``PR_SET_PDEATHSIG`` alone is bound to the *thread* that forked and cannot clean up.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_OWNER_CHECK_S = 0.25
_SHM = Path("/dev/shm")  # noqa: S108 (the kernel's name for it)


def children(pid: int) -> list[int]:
    """Return the ids of the direct children of a process (Linux; empty when it is gone)."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # A process may vanish between the listing and the read.
        with contextlib.suppress(OSError, ValueError):
            # "pid (command) state ppid ...": the command may hold spaces and parentheses.
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes below a process, parents before children."""
    found: list[int] = []
    level = children(pid)
    while level:
        found += level
        level = [grandchild for child in level for grandchild in children(child)]
    return found


def clean(shm_prefix: str, scratch: str) -> None:
    """Remove the shared memory regions and the scratch directory of a server that has ended."""
    for region in _SHM.glob(f"{shm_prefix}*"):
        region.unlink(missing_ok=True)
    shutil.rmtree(scratch, ignore_errors=True)


def _start(command: list[str], libc: ctypes.CDLL) -> int:
    """Fork and execute the command; it is killed if this process is.

    `libc` is loaded before the fork.
    """
    pid = os.fork()
    if pid:
        return pid
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    try:
        os.execv(command[0], command)  # noqa: S606 (no shell wanted)
    except OSError as error:
        os.write(2, f"error: cannot execute {command[0]}: {error}\n".encode())
    os._exit(127)


def _reap(child: int) -> int | None:
    """Collect every process that has ended; return the exit code of `child` if it is among them."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                code = os.waitstatus_to_exitcode(ended[1])
    return code


def _kill_descendants() -> None:
    """Kill and collect all descendants; orphans come to this process, their subreaper."""
    with contextlib.suppress(ChildProcessError):
        while True:
            for pid in children(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os.waitpid(-1, 0)


def main(arguments: list[str]) -> int:
    """Run the guardian; see the module's description."""
    owner, grace_s, shm_prefix, scratch = arguments[:4]
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signals = {signal.SIGCHLD, *_STOP_SIGNALS}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    child = _start(arguments[5:], libc)
    deadline: float | None = None
    while (code := _reap(child)) is None:
        received = signal.sigtimedwait(signals, _OWNER_CHECK_S)
        asked = received is not None and received.si_signo in _STOP_SIGNALS
        if deadline is None and (asked or os.getppid() != int(owner)):
            deadline = time.monotonic() + float(grace_s)
            # The child is ours and not collected yet, so this id cannot be another process's.
            os.kill(child, signal.SIGTERM)
        elif asked or (deadline is not None and time.monotonic() > deadline):
            code = -signal.SIGKILL
            break
    _kill_descendants()
    clean(shm_prefix, scratch)
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
