"""Requests that come when they come (Poisson), whether or not earlier ones are answered.

Unlike perf_analyzer it goes on when a request is refused, and counts it. Times are counted from the
moment when a request should have been sent, so that a late sender hides nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pointsman import AsyncRouter, Decision, PointsmanError
from pointsman.chat import ChatText
from pointsman.errors import OverloadedError

TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Arrival:
    """One request.

    Attributes:
        at_s: When it came, in seconds since the first one could have; None: it was there at once,
            to fill the server.
        end_s: When it was answered, refused or failed.
        outcome: "answered", "refused" or the error's name.
    """

    at_s: float | None
    end_s: float
    outcome: str


def arrivals(rate: float, seconds: float, seed: int) -> list[float]:
    """Return moments of a Poisson process, in seconds from 0 to ``seconds``, in order.

    Their number is the expected one: given that, they are independent and evenly distributed.
    """
    chance = random.Random(seed)  # noqa: S311 (repeatable, not secret)
    return sorted(chance.uniform(0, seconds) for _ in range(round(rate * seconds)))


def load(
    url: str,
    chats: Sequence[ChatText],
    moments: Sequence[float],
    first: int,
    check: Callable[[ChatText, Decision], None],
) -> list[Arrival]:
    """Send requests at the given moments; return all when the last one has ended.

    Args:
        url: HOST:PORT of Triton's gRPC endpoint.
        chats: What is asked about, in turn.
        moments: Seconds from the beginning.
        first: How many more to send at the beginning: with as many as the server admits, a rate
            over what it can do meets a full server from the first request on.
        check: Raises an error unless the decision is one on the text.
    """
    return asyncio.run(_load(url, chats, moments, first, check))


async def _load(
    url: str,
    chats: Sequence[ChatText],
    moments: Sequence[float],
    first: int,
    check: Callable[[ChatText, Decision], None],
) -> list[Arrival]:
    asked = itertools.cycle(chats)
    most = first + len(moments)
    # The server decides what it refuses, and nothing is sent again.
    async with AsyncRouter(url, timeout_s=TIMEOUT_S, retries=0, max_in_flight=most) as router:
        begin = time.perf_counter()

        async def ask(at_s: float | None, chat: ChatText) -> Arrival:
            outcome = "answered"
            try:
                decision = await router.route(chat)
            except OverloadedError:
                outcome = "refused"
            except PointsmanError as error:
                outcome = type(error).__name__
            end_s = time.perf_counter() - begin
            if outcome == "answered":
                check(chat, decision)
            return Arrival(at_s, end_s, outcome)

        tasks = [asyncio.create_task(ask(None, next(asked))) for _ in range(first)]
        for moment in moments:
            await asyncio.sleep(moment - (time.perf_counter() - begin))
            tasks.append(asyncio.create_task(ask(moment, next(asked))))
        return await asyncio.gather(*tasks)
