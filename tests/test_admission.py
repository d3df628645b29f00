"""Tickets that two processes share."""

import subprocess
import sys
import uuid
from collections.abc import Iterator

import numpy as np
import pytest

from pointsman_backends import admission
from pointsman_backends.admission import EXPIRY_S, Admission, OverloadedError, reading_s


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


class Clock:
    """Nanoseconds, which pass when a test says so."""

    def __init__(self) -> None:
        self.now = 10**12

    def __call__(self) -> int:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)


def enters(gate: Admission) -> bool:
    """Whether there is room; where there is, it is taken."""
    try:
        gate.enter()
    except OverloadedError:
        return False
    return True


def test_a_ticket_that_never_comes_back_expires(name: str) -> None:
    clock = Clock()
    gate = Admission(1, name, clock)
    lost = gate.enter()
    clock.wait(EXPIRY_S - 0.01)
    assert not enters(gate)
    clock.wait(0.02)
    assert enters(gate)
    gate.leave(lost)  # its place belongs to another request by now
    gate.expect(lost, 32_768)
    assert not enters(gate)
    clock.wait(EXPIRY_S + 0.01)
    assert enters(gate)


@pytest.mark.parametrize("tokens", [3, 512, 32_768])
def test_a_ticket_lasts_while_its_text_is_read(name: str, tokens: int) -> None:
    clock = Clock()
    gate = Admission(1, name, clock)
    gate.expect(gate.enter(), tokens)
    clock.wait(EXPIRY_S + reading_s(tokens) - 0.01)
    assert not enters(gate)
    clock.wait(0.02)
    assert enters(gate)


def test_a_ticket_lasts_while_those_before_it_are_read(name: str) -> None:
    clock = Clock()
    gate = Admission(3, name, clock)
    long, _, short = (gate.enter() for _ in range(3))
    gate.expect(long, 32_768)
    gate.expect(short, 512)
    clock.wait(reading_s(32_768))
    gate.leave(long)
    assert enters(gate)  # in its place
    assert enters(gate)  # in place of the one that was lost
    assert not enters(gate)
    clock.wait(reading_s(512) + EXPIRY_S + 0.01)
    assert enters(gate)


def test_what_has_been_read_makes_no_ticket_last_longer(name: str) -> None:
    clock = Clock()
    gate = Admission(2, name, clock)
    for _ in range(1000):  # one after the other, for ever
        ticket = gate.enter()
        gate.expect(ticket, 32_768)
        clock.wait(30)
        gate.leave(ticket)
    lost = [gate.enter() for _ in range(2)]
    for ticket in lost:
        gate.expect(ticket, 512)
    clock.wait(2 * reading_s(512) + EXPIRY_S + 0.01)
    assert enters(gate)
    assert enters(gate)


def test_a_text_that_took_long_to_prepare_is_waited_for_all_the_same(name: str) -> None:
    clock = Clock()
    gate = Admission(1, name, clock)
    ticket = gate.enter()
    clock.wait(2 * EXPIRY_S)  # nobody came meanwhile
    gate.expect(ticket, 32_768)
    clock.wait(reading_s(32_768))
    assert not enters(gate)


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
