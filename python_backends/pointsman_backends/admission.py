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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["Admission", "OverloadedError", "reading_s"]

CAPACITY = 4096
"""Most tickets there can ever be; the size of the shared file does not depend on the limit."""

EXPIRY_S = 5.0
"""A ticket of a request that never came back (a model failed in between) counts for this long, and
for as long as reading may take (:func:`reading_s`)."""

# In memory where there is such a place; the file is 96 KiB in any case.
FOLDER = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")  # noqa: S108

Ticket = npt.NDArray[np.int64]

# What is known of the request that holds a place: a row for each, three times in nanoseconds.
_ENTERED, _EXPIRES, _READING = range(3)


class OverloadedError(RuntimeError):
    """As many requests are under way as may be."""


def reading_s(tokens: int) -> float:
    """Return the most seconds that reading a text should take: a millisecond for each token.

    This is several times what the shipped encoder takes on two cores, for a machine that is slower
    or has other work. Too little would let more than the limit in, too much would keep places of
    lost requests.
    """
    return 1e-3 * tokens


class Admission:
    """Tickets for requests under way, in memory that all processes of one server map.

    A ticket that does not come back expires. Requests are read one after the other, so it lasts as
    long as reading everything that was under way when its own text was known, that text included,
    and ``EXPIRY_S`` longer.

    Args:
        limit: How many requests may be under way, 1 to ``CAPACITY``.
        name: Processes that give the same name share the tickets. By default the environment's
            ``POINTSMAN_SERVER_ID``, which the embedded server sets and cleans up after, else the
            id of the parent process, which for models of Triton's Python backend is the server.
        clock: Nanoseconds that never go back, the same for all processes.

    Raises:
        ValueError: The limit is out of range.
    """

    def __init__(
        self, limit: int, name: str | None = None, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        if not 1 <= limit <= CAPACITY:
            raise ValueError(f"max_in_flight is {limit}; it must be in 1..{CAPACITY}")
        self._limit = limit
        self._clock = clock
        path = FOLDER / f"{name or _server()}-in-flight"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        size = CAPACITY * 3 * 8
        os.ftruncate(self._file, size)
        places = np.frombuffer(mmap.mmap(self._file, size), np.int64)
        self._places: npt.NDArray[np.int64] = places.reshape(CAPACITY, 3)

    def enter(self) -> Ticket:
        """Admit a request.

        Returns:
            int64 [2], to be given to :meth:`leave`, in whichever process.

        Raises:
            OverloadedError: As many requests as the limit are under way.
        """
        with self._locked():
            now = self._clock()
            free = np.flatnonzero(~self._under_way(now)[: self._limit])
            if not len(free):
                raise OverloadedError(f"{self._limit} requests are under way, as many as may be")
            place = free[0]
            self._places[place] = now, now + int(EXPIRY_S * 1e9), 0
        return np.array([place, now], np.int64)

    def expect(self, ticket: Ticket, tokens: int) -> None:
        """Let a ticket last until so many tokens are read, after all that is under way already.

        A ticket whose place another request has by now is ignored.
        """
        with self._locked():
            place = self._place(ticket)
            if place is None:
                return
            now = self._clock()
            self._places[place, _EXPIRES] = now  # itself is under way
            self._places[place, _READING] = int(reading_s(tokens) * 1e9)
            waiting = int(self._places[self._under_way(now), _READING].sum())
            self._places[place, _EXPIRES] = now + int(EXPIRY_S * 1e9) + waiting

    def leave(self, ticket: Ticket) -> None:
        """Say that a request is through; a ticket whose place another has by now is ignored."""
        place = self._place(ticket)
        if place is not None:
            self._places[place, _ENTERED] = 0

    def _place(self, ticket: Ticket) -> int | None:
        """The place that a ticket holds, unless another request has it by now."""
        place, entered = int(ticket[0]), int(ticket[1])
        if 0 <= place < CAPACITY and self._places[place, _ENTERED] == entered:
            return place
        return None

    def _under_way(self, now: int) -> npt.NDArray[np.bool_]:
        entered, expires, _ = self._places.T
        return np.asarray((entered != 0) & (expires >= now))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Two instances of the compressor must not take the same place."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


def _server() -> str:
    return os.environ.get("POINTSMAN_SERVER_ID") or f"pointsman-{os.getppid()}"
