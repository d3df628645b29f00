"""The connections to the models' servers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from pointsman.gateway.exchange import HttpError

__all__ = ["Body", "Upstream", "base_url", "forwarded"]

# A connection idle for longer is not used again: vLLM closes those idle for 5 s, and a request sent
# at that very moment would be lost.
_KEEPALIVE_S = 4.0
_CONNECT_S = 5.0
# Before connecting is tried again.
_PAUSES_S = (0.05, 0.2)
# Bodies up to that size leave in one write with their headers, longer ones in pieces of it.
_PIECE_BYTES = 65_536
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)

Headers = Iterable[tuple[bytes, bytes]]
Body = Sequence[bytes] | Callable[[], AsyncIterator[bytes]]
"""Bytes in parts, or what is called for pieces that are still to come."""


def base_url(url: str) -> str:
    """An OpenAI-compatible server's base URL, without a slash at its end.

    ``/v1`` may be left out when there is no path at all.

    Raises:
        ValueError: It is not an HTTP URL.
    """
    try:
        parsed = URL(url)
    except ValueError:
        parsed = URL()
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query_string:
        raise ValueError(f"{url!r} is no base URL; give one like http://127.0.0.1:8000/v1")
    return url.rstrip("/") + ("/v1" if parsed.path in ("", "/") else "")


def forwarded(headers: Headers, *, without: Iterable[bytes] = ()) -> list[tuple[bytes, bytes]]:
    """The headers that are not for this hop only, and not in `without` (in lower case)."""
    headers = [(name.lower(), value) for name, value in headers]
    dropped = {*_HOP_BY_HOP, *without}
    for name, value in headers:
        if name == b"connection":
            dropped.update(token.strip().lower() for token in value.split(b","))
    return [(name, value) for name, value in headers if name not in dropped]


class Upstream:
    """A pool of connections, open as long as the ``async with`` block. Time-outs are the caller's.

    Only connecting is tried again: a model's server that has a request may be answering it.
    """

    async def __aenter__(self) -> Upstream:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_S),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            # What the client did not say is not said.
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def post(
        self, url: str, headers: Headers, body: Body, length: int | None
    ) -> aiohttp.ClientResponse:
        """Send a request; return when the reply's status and headers are there.

        Args:
            url: Where to.
            headers: All but the length.
            body: What to send.
            length: Bytes of the body; None sends it in chunks.

        Raises:
            HttpError: 502 when the server cannot be reached or breaks off, 504 when it does not
                accept the connection in time.
        """
        sent = CIMultiDict(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers
        )
        if length is not None:
            sent["Content-Length"] = str(length)
        for pause_s in (*_PAUSES_S, None):
            try:
                return await self._session.post(
                    URL(url, encoded=True),
                    headers=sent,
                    data=_data(body, length),
                    allow_redirects=False,
                )
            except aiohttp.ServerTimeoutError:
                raise HttpError(
                    504, "upstream_timeout", "the model's server does not accept connections"
                ) from None
            except aiohttp.ClientConnectorError:
                if pause_s is None:
                    raise HttpError(
                        502,
                        "upstream_unreachable",
                        "the model's server cannot be reached",
                        retry_after="1",
                    ) from None
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 (no secret)
            except (aiohttp.ClientError, OSError) as error:
                raise HttpError(
                    502, "upstream_failed", "the model's server broke off before it replied"
                ) from error
        raise AssertionError("unreachable: the last attempt returns or raises")


def _data(body: Body, length: int | None) -> bytes | AsyncIterator[bytes]:
    if callable(body):
        return body()
    return b"".join(body) if length is not None and length <= _PIECE_BYTES else _pieces(body)


async def _pieces(parts: Sequence[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        view = memoryview(part)
        for begin in range(0, len(view), _PIECE_BYTES):
            yield bytes(view[begin : begin + _PIECE_BYTES])
            await asyncio.sleep(0)  # other requests wait
