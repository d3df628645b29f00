"""The parts of the staircase that could make a wrong number look right."""

import importlib
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import onnx
import pytest

from pointsman import parse_chat, paths

pytestmark = pytest.mark.usefixtures("perf_scripts")

ROUTE, BLOCK = ("route", "benign", "law"), ("block", "jailbreak", "law")


@pytest.fixture(scope="module")
def stages() -> ModuleType:
    return importlib.import_module("stages")


@pytest.fixture(scope="module")
def report() -> ModuleType:
    return importlib.import_module("stages_report")


class Words:
    """Texts of which each word is a token."""

    def draw(self, tokens: int) -> str:
        words = [f"w{n}" for n in range(tokens)]
        return "\n\n".join(" ".join(words[at : at + 40]) for at in range(0, tokens, 40))

    def count(self, text: str) -> int:
        return len(text.split())


def decision(*, action: str = "route", read: int = 100, errors: tuple[str, ...] = ()) -> Any:
    coverage = SimpleNamespace(tokens=100, classified_tokens=read, truncated=False)
    label = SimpleNamespace(label="other")
    return SimpleNamespace(
        action=action, errors=errors, coverage=coverage, safety=label, domain=label, model="m"
    )


def test_bodies_have_the_length_that_is_said_and_hold_what_is_planted(stages: ModuleType) -> None:
    raws = list(stages.bodies(Words(), 2_048, 5))
    assert len(set(raws)) == 5
    assert raws == list(stages.bodies(Words(), 2_048, 5))
    planted = stages.examples()
    for raw in raws:
        text = parse_chat(raw).text
        assert 2_000 < Words().count(text) <= 2_046
        assert any(each in text for each in planted)


@pytest.mark.parametrize("off", [30, -30])
def test_a_drawn_text_may_be_a_little_longer_or_shorter(stages: ModuleType, off: int) -> None:
    class Rough(Words):
        def draw(self, tokens: int) -> str:
            return super().draw(tokens + off)

    text = parse_chat(next(stages.bodies(Rough(), 512, 1))).text
    # 16 fewer are asked for; of 30 too many, 14 are cut off, in words or pairs of them.
    assert Words().count(text) in ({508, 509, 510} if off > 0 else {464})


def test_a_body_of_another_length_is_refused(stages: ModuleType) -> None:
    class Short(Words):
        def draw(self, tokens: int) -> str:
            return super().draw(tokens - 100)

    with pytest.raises(RuntimeError, match="a prompt of 512 tokens came out as 394"):
        next(stages.bodies(Short(), 512, 1))


def test_stage_0_is_refused_only_where_it_does_not_fit(stages: ModuleType) -> None:
    gib = 2**30
    assert stages.roomy(512, 2 * gib) == "arena"
    assert stages.roomy(8_192, 14 * gib) == "arena"
    assert stages.roomy(8_192, 9 * gib) == "no arena"
    assert stages.roomy(8_192, 8 * gib) is None
    assert stages.roomy(16_384, 23 * gib) is None
    # What is held is never less than the scores alone.
    assert stages.scores_bytes(16_384) == 2 * 12 * 16_384 * 16_384 * 4
    row = stages.refused(16_384, 23 * gib)
    assert row["needs_bytes"] > row["scores_bytes"] > row["free_bytes"] == 23 * gib


@pytest.mark.parametrize("way", ["buffered", "near_streaming"])
def test_both_ways_ask_about_the_same_text(stages: ModuleType, way: str) -> None:
    asked = []

    class Router:
        def route(self, request: Any, *, budget: int | None = None) -> Any:
            chat = request.chat if way == "near_streaming" else parse_chat(request)
            asked.append((chat.text, budget))
            return decision()

    raw = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "äh" * 50_000}]})
    ask = stages.near_streaming(Router()) if way == "near_streaming" else None
    stages.sample(ask or stages.buffered(Router(), None), raw.encode(), whole=True)
    assert asked == [("äh" * 50_000, None)]


def test_answers_are_checked(stages: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="pii_classifier"):
        stages.sample(lambda _: decision(errors=("pii_classifier",)), b"{}", whole=True)
    with pytest.raises(RuntimeError, match="90 of 100"):
        stages.sample(lambda _: decision(read=90), b"{}", whole=True)
    assert stages.sample(lambda _: decision(read=90), b"{}", whole=False).read == 90


def test_stages_take_turns_and_slow_ones_end_early(stages: ModuleType) -> None:
    asked: list[tuple[int, bytes]] = []

    def ask(stage: int) -> Any:
        def answer(chunks: list[bytes]) -> Any:
            asked.append((stage, b"".join(chunks)))
            return decision()

        return answer

    texts = [b"warm", b"1", b"2", b"3", b"4"]
    samples = stages.in_turn({0: ask(0), 2: ask(2)}, texts, seconds=1e9)
    assert asked == [(stage, text) for text in texts for stage in (0, 2)]
    assert {stage: len(taken) for stage, taken in samples.items()} == {0: 4, 2: 4}
    asked.clear()
    cold = stages.in_turn({0: ask(0), 2: ask(2)}, texts[:2], seconds=1e9, cold=(0, 1))
    assert asked == [(2, b"warm"), (0, b"1"), (2, b"1")]
    assert {stage: len(taken) for stage, taken in cold.items()} == {0: 1, 2: 1}
    few = stages.in_turn({0: ask(0)}, texts, seconds=0)
    assert len(few[0]) == stages.FEWEST


def test_agreement_is_with_the_first_stage_that_read_the_whole_prompt(stages: ModuleType) -> None:
    def taken(*verdicts: tuple[str, str, str]) -> list[Any]:
        return [stages.Sample(10.0 * (n + 1), each, 2000, 500) for n, each in enumerate(verdicts)]

    samples = {
        0: taken(BLOCK),
        1: taken(ROUTE, ROUTE, BLOCK),
        2: taken(BLOCK, BLOCK, BLOCK, ROUTE),
    }
    texts = ["a", "b", "c", "d"]
    rows = [stages.summary(stage, 2_048, samples, texts) for stage in samples]
    assert [row["agreement"] for row in rows] == [1, 0.6667, 0.6667]
    assert [row["compared"] for row in rows] == [1, 3, 3]
    assert rows[2]["p50_ms"] == 25.0
    assert rows[2]["p99_ms"] == pytest.approx(39.7)
    assert rows[1]["samples_ms"] == [10.0, 20.0, 30.0]
    digest = importlib.import_module("document").digest
    assert rows[1]["texts"] == digest("abc") != rows[2]["texts"]
    alone = stages.summary(2, 2_048, {1: samples[1], 2: samples[2]}, texts)
    assert (alone["agreement"], alone["compared"]) == (0.3333, 3)


def test_the_unfused_encoder_has_the_shipped_weights_threads_and_an_arena(
    stages: ModuleType,
) -> None:
    shipped = paths.model_repository() / "encoder"
    with stages.unfused_repository("arena") as repository:
        plain = onnx.load(str(repository / "encoder" / "1" / "model.onnx"))
        config = stages.config_of(repository / "encoder")
    assert "CKFlashAttention" not in {node.op_type for node in plain.graph.node}
    assert sum(node.op_type == "Softmax" for node in plain.graph.node) == 6
    weights = {
        tensor.name: tensor
        for tensor in onnx.load(str(shipped / "1" / "model.onnx")).graph.initializer
    }
    ours = {tensor.name: tensor for tensor in plain.graph.initializer}
    assert all(ours[name] == tensor for name, tensor in weights.items())
    given = stages.config_of(shipped)
    assert given.parameters["enable_mem_arena"].string_value == "0"
    given.parameters["enable_mem_arena"].string_value = "1"
    given.parameters["enable_mem_pattern"].string_value = "0"
    assert config == given


def row(stage: int, tokens: int, p50: float | None, **more: Any) -> dict[str, Any]:
    times = {f"p{q}_ms": None if p50 is None else p50 + q - 50 for q in (50, 95, 99)}
    known = {"agreement": 0.75, "compared": 4, "samples_ms": [1.0] * 8, "scores_bytes": 2**34}
    return {"stage": stage, "tokens": tokens, **times, **known, **more}


VALUE = [
    row(0, 8_192, 20_000.0, memory="arena", peak_bytes=2**34),
    row(1, 8_192, 1_500.0),
    row(2, 8_192, 101.0),
    row(3, 8_192, 100.0),
    row(0, 16_384, None, needs_bytes=37_580_963_840, free_bytes=21_000_000_000),
    row(1, 16_384, 3_450.0),
    row(3, 16_384, 100.0),
]


def test_the_report_shows_ratios_refusals_and_missing_cells(report: ModuleType) -> None:
    text = report.markdown(VALUE)
    assert "| 8,192 | 20,000 / 20,045 / 20,049; 75% of 4; 8 | 1,500 " in text
    assert "| 8,192 | 200 | 15.0 | 1.0 | 4,918 / 127 / 62.0 / 50.0 |" in text
    refusal = "refused: needs 37,580,963,840 B, 21,000,000,000 B are free"
    assert f"| 16,384 | {refusal} | 3,450 / 3,495 / 3,499; 75% of 4; 8 | – | 100 / " in text
    assert "| 16,384 | – | 34.5 | – | – / – / – / 108 |" in text
    assert "| 8,192 | 16.0 GiB (arena) | 16.0 GiB |" in text
    assert "| 16,384 | would need 35.0 GiB; 19.6 GiB free | 16.0 GiB |" in text


def test_the_picture_is_drawn_with_refusals_and_missing_cells(
    report: ModuleType, tmp_path: Path
) -> None:
    for path in report.draw(VALUE, tmp_path):
        assert path.stat().st_size > 5_000
