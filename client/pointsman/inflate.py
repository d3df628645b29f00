"""Compressed request bodies, piece by piece: a small body cannot become a large one unseen."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from pointsman.errors import InvalidRequestError

__all__ = ["Gunzip"]

_PIECE_BYTES = 65_536
_GZIP = 16 + zlib.MAX_WBITS
# Each costs a copy of what follows it; honest bodies have one.
_MOST_MEMBERS = 1000


class Gunzip:
    """Inflates one gzip'ed body, of one or several members, as it arrives.

    At most 64 KiB are inflated at a time: whoever takes the pieces stops when they are too many.
    """

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._members = 1

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Inflate a chunk; the pieces are of 1 B to 64 KiB.

        Raises:
            InvalidRequestError: It is not gzip, or has over a thousand members.
        """
        while True:
            if self._member.eof:
                if not chunk:
                    return
                self._next_member()
            try:
                piece = self._member.decompress(chunk, _PIECE_BYTES)
            except zlib.error as error:
                raise InvalidRequestError(f"the request is not gzip: {error}") from None
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if piece:
                yield piece
            # A full piece: there may be more of it, although all of the input is used.
            if not chunk and len(piece) < _PIECE_BYTES:
                return

    def finish(self) -> None:
        """Check that nothing is missing.

        Raises:
            InvalidRequestError: The body ends within a member, or has none.
        """
        if not self._member.eof:
            raise InvalidRequestError("the request ends in the middle of its gzip data")

    def _next_member(self) -> None:
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise InvalidRequestError(f"the request has over {_MOST_MEMBERS:,} gzip members")
        self._member = zlib.decompressobj(_GZIP)
