"""Tickets that two processes share."""

import subprocess
import sys
import uuid
from collections.abc import Iterator

import numpy as np
import pytest

from pointsman_backends import admission
from pointsman_backends.admission import Admission, OverloadedError


@pytest.fixture
def name() -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex}"
    yield name
    (admission.FOLDER / f"{name}-in-flight").unlink()


def test_as_many_as_the_limit_enter_and_one_that_leaves_makes_room(name: str) -> None:
    gate = Admission(3, name)
    tickets = [gate.enter() for _ in range(3)]
    with pytest.raises(OverloadedError, match="3 requests"):
        gate.enter()
    gate.leave(tickets[1])
    gate.enter()
    with pytest.raises(OverloadedError):
        gate.enter()


def test_a_ticket_is_good_for_one_leave(name: str) -> None:
    gate = Admission(2, name)
    first = gate.enter()
    gate.enter()
    gate.leave(first)
    gate.enter()
    gate.leave(first)  # its place belongs to another request by now
    with pytest.raises(OverloadedError):
        gate.enter()


def test_a_ticket_that_never_comes_back_expires(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Admission(1, name)
    lost = gate.enter()
    monkeypatch.setattr(admission, "EXPIRY_S", 0.0)
    gate.enter()
    monkeypatch.undo()
    gate.leave(lost)
    with pytest.raises(OverloadedError):
        gate.enter()


@pytest.mark.parametrize("ticket", [(-1, 5), (admission.CAPACITY, 5), (1 << 40, 5)])
def test_a_ticket_that_is_none_does_no_harm(name: str, ticket: tuple[int, int]) -> None:
    gate = Admission(1, name)
    gate.leave(np.array(ticket, np.int64))
    gate.enter()


LEAVE = """
import sys
import numpy as np
from pointsman_backends.admission import Admission
Admission(1, sys.argv[1]).leave(np.array(sys.argv[2:], np.int64))
"""


def test_another_process_returns_the_tickets(name: str) -> None:
    gate = Admission(1, name)
    for _ in range(2):
        place, stamp = gate.enter()
        subprocess.run([sys.executable, "-c", LEAVE, name, str(place), str(stamp)], check=True)
    gate.enter()


@pytest.mark.parametrize("limit", [0, -1, admission.CAPACITY + 1])
def test_a_limit_out_of_range_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="max_in_flight"):
        Admission(limit, "never-made")
