"""Waiting for what nobody can signal."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], timeout_s: float) -> float:
    """Return when a condition holds, with how long that took; fail after the time-out."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < timeout_s, "it did not happen"
        time.sleep(0.01)
    return time.monotonic() - begin
