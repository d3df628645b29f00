"""Bounds how many requests are between the compressor and the router.

Triton's own bound, ``default_queue_policy``, is not used: with one, its dynamic batcher (2.51,
``dynamic_batch_scheduler.cc``) no longer prefetches, is not woken when a model instance becomes
free, and sleeps up to 500 ms beside a full queue. So the compressor, which is first and fast,
admits or refuses, and the router, which is last, says when a request is through.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["Admission", "OverloadedError"]

CAPACITY = 4096
"""Most tickets there can ever be; the size of the shared file does not depend on the limit."""

EXPIRY_S = 5.0
"""A ticket that never came back (a model failed in between) counts no longer than this."""

# In memory where there is such a place; the file is a page or two in any case.
FOLDER = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")  # noqa: S108

Ticket = npt.NDArray[np.int64]


class OverloadedError(RuntimeError):
    """As many requests are under way as may be."""


class Admission:
    """Tickets for requests under way, in memory that all processes of one server map.

    Args:
        limit: How many requests may be under way, 1 to ``CAPACITY``.
        name: Processes that give the same name share the tickets. By default the environment's
            ``POINTSMAN_SERVER_ID``, which the embedded server sets and cleans up after, else the
            id of the parent process, which for models of Triton's Python backend is the server.

    Raises:
        ValueError: The limit is out of range.
    """

    def __init__(self, limit: int, name: str | None = None) -> None:
        if not 1 <= limit <= CAPACITY:
            raise ValueError(f"max_in_flight is {limit}; it must be in 1..{CAPACITY}")
        self._limit = limit
        self._path = FOLDER / f"{name or _server()}-in-flight"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._file, CAPACITY * 8)
        self._stamps = np.frombuffer(mmap.mmap(self._file, CAPACITY * 8), np.int64)

    def enter(self) -> Ticket:
        """Admit a request.

        Returns:
            int64 [2], to be given to :meth:`leave`, in whichever process.

        Raises:
            OverloadedError: As many requests as the limit are under way.
        """
        now = time.monotonic_ns()
        # Two instances of the compressor must not take the same place.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            stamps = self._stamps[: self._limit]
            free = np.flatnonzero((stamps == 0) | (now - stamps > EXPIRY_S * 1e9))
            if not len(free):
                raise OverloadedError(f"{self._limit} requests are under way, as many as may be")
            self._stamps[free[0]] = now
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        return np.array([free[0], now], np.int64)

    def leave(self, ticket: Ticket) -> None:
        """Say that a request is through; a ticket that has expired is ignored."""
        place, stamp = int(ticket[0]), int(ticket[1])
        if 0 <= place < CAPACITY and self._stamps[place] == stamp:
            self._stamps[place] = 0


def _server() -> str:
    return os.environ.get("POINTSMAN_SERVER_ID") or f"pointsman-{os.getppid()}"
