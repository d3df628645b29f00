"""Compressed bodies: whatever the pieces, and whatever they hold."""

from __future__ import annotations

import gzip
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.errors import InvalidRequestError
from pointsman.inflate import Gunzip


def inflate(data: bytes, step: int) -> bytes:
    gunzip = Gunzip()
    pieces = [p for i in range(0, len(data), step) for p in gunzip.feed(data[i : i + step])]
    assert all(0 < len(piece) <= 65_536 for piece in pieces)
    gunzip.finish()
    return b"".join(pieces)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 400))
def test_members_in_any_pieces(members: list[bytes], step: int) -> None:
    data = b"".join(map(gzip.compress, members))
    assert inflate(data, step) == b"".join(members)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_072, 10**6])
@pytest.mark.parametrize("step", [1000, 10**7])
def test_sizes_about_a_piece(size: int, step: int) -> None:
    data = bytes(size)
    assert inflate(gzip.compress(data), step) == data


@given(st.binary(max_size=100), st.integers(1, 30))
def test_a_body_that_is_cut_is_refused(data: bytes, missing: int) -> None:
    whole = gzip.compress(data)
    with pytest.raises(InvalidRequestError):
        inflate(whole[: max(0, len(whole) - missing)], 7)


@given(st.binary(min_size=1, max_size=60))
def test_what_is_not_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        inflate(data, 9)


def test_a_bomb_comes_in_pieces() -> None:
    bomb = gzip.compress(bytes(200 * 2**20))
    assert sum(map(len, itertools.islice(Gunzip().feed(bomb), 3))) == 3 * 65_536


def test_a_thousand_members_are_enough() -> None:
    with pytest.raises(InvalidRequestError, match="members"):
        inflate(gzip.compress(b"") * 1001, 10**6)
