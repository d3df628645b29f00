"""What could make a wrong number of the client's measurements look right."""

from __future__ import annotations

import importlib
import itertools
import json
import zlib
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("perf_scripts")


@pytest.fixture(scope="module")
def shared_memory() -> ModuleType:
    return importlib.import_module("shared_memory")


@pytest.fixture(scope="module")
def client() -> ModuleType:
    return importlib.import_module("client")


def test_texts_have_the_wanted_size_and_differ(shared_memory: ModuleType) -> None:
    size = 64 * 2**10
    texts = list(itertools.islice(shared_memory.texts(size), 3))
    assert [len(text) for text in texts] == [size] * 3
    assert len(set(texts)) == 3
    assert all(text.decode().strip() for text in texts)


def test_an_answer_about_another_text_stops_the_measurement(shared_memory: ModuleType) -> None:
    def checksum(text: bytes) -> bytes:
        return zlib.crc32(text).to_bytes(8, "little")

    def decision(characters: int, *errors: str) -> bytes:
        coverage = {"scanned_characters": characters}
        return b"\0" * 4 + json.dumps({"coverage": coverage, "errors": errors}).encode()

    shared_memory.reads(b"one", checksum(b"one"))
    with pytest.raises(RuntimeError, match="another text"):
        shared_memory.reads(b"one", checksum(b"two"))
    shared_memory.decides("grün".encode(), decision(4))
    with pytest.raises(RuntimeError, match="5 characters were scanned"):
        shared_memory.decides("grün".encode(), decision(5))
    with pytest.raises(RuntimeError, match="it broke"):
        shared_memory.decides("grün".encode(), decision(4, "it broke"))


async def test_no_more_calls_are_under_way_than_wanted(client: ModuleType) -> None:
    under_way, most = 0, 0

    async def ask(body: bytes) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await client.asyncio.sleep(0.001)
        under_way -= 1
        return len(json.loads(body)["messages"][0]["content"])

    bodies = [client.body_of("x" * n) for n in range(1, 30)]
    row = await client.measure(ask, bodies, 7)
    assert most == 7
    assert 0 < row["p5_ms"] <= row["p50_ms"] <= row["p95_ms"]

    async def wrong(_: bytes) -> int:
        return 0

    with pytest.raises(RuntimeError, match="another text"):
        await client.measure(wrong, bodies, 7)


def test_a_summary_is_of_the_rounds_of_one_way(client: ModuleType) -> None:
    def row(way: str, rate: float) -> dict[str, Any]:
        return {"at_once": 8, "way": way, "calls_per_s": rate, "client_cpu_ms": 1 / rate}

    summary = client.summarise([row("a", 1), row("b", 10), row("a", 2), row("b", 20), row("a", 4)])
    assert [(r["way"], r["rounds"], r["calls_per_s"]) for r in summary] == [
        ("a", 3, 2),
        ("b", 2, 15),
    ]
    assert [r["calls_per_s_range"] for r in summary] == [[1, 4], [10, 20]]
