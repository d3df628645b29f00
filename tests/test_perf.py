"""The parts of the measurements that could make a wrong number look right."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pytest

from pointsman import Coverage
from tests.tiny_models import write_repository

pytestmark = pytest.mark.usefixtures("perf_scripts")


@pytest.fixture(scope="module")
def overhead() -> ModuleType:
    return importlib.import_module("overhead")


@pytest.mark.parametrize("per_token", [False, True])
def test_a_constant_classifier_gives_its_answer_whatever_the_text(
    overhead: ModuleType, per_token: bool
) -> None:
    labels = ["O", "B-AGE", "I-AGE", "B-GPE", "I-GPE"]
    model = overhead.constant_classifier(labels, "B-AGE", per_token=per_token)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    rng = np.random.default_rng(1)
    for batch, tokens in [(1, 1), (3, 40), (8, 512)]:
        states = rng.standard_normal((batch, tokens, overhead.WIDTH), dtype=np.float32)
        mask = rng.integers(0, 2, (batch, tokens))
        (logits,) = session.run(None, {"hidden_states": states, "attention_mask": mask})
        assert logits.shape == ((batch, tokens, 5) if per_token else (batch, 5))
        assert (logits.argmax(-1) == 1).all()
        assert np.unique(logits).tolist() == [0.0, overhead.CERTAIN]


def test_a_constant_encoder_gives_zeros_for_each_token(overhead: ModuleType) -> None:
    session = onnxruntime.InferenceSession(overhead.constant_encoder().SerializeToString())
    ids = np.arange(14).reshape(2, 7)
    (states,) = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    assert states.shape == (2, 7, overhead.WIDTH)
    assert not states.any()


def decision(**coverage: Any) -> Any:
    known = {"tokens": 900, "classified_tokens": 510, "scanned_characters": 4000}
    whole = Coverage(**{**known, "kept": ((0, 10),), "truncated": False, **coverage})
    return type("Decision", (), {"errors": (), "coverage": whole})()


def test_a_wrong_count_of_tokens_stops_the_measurement(overhead: ModuleType) -> None:
    overhead.check(decision(), 900)
    with pytest.raises(RuntimeError, match="counted 900 tokens, the tokenizer 901"):
        overhead.check(decision(), 901)
    with pytest.raises(RuntimeError, match="0 tokens were classified"):
        overhead.check(decision(classified_tokens=0), 900)


def test_a_check_that_did_not_run_stops_the_measurement(overhead: ModuleType) -> None:
    incomplete = decision()
    incomplete.errors = ("pattern scan failed",)
    with pytest.raises(RuntimeError, match="pattern scan failed"):
        overhead.check(incomplete, 900)


def test_percentiles_are_of_the_calls_and_the_client_is_counted(overhead: ModuleType) -> None:
    rows = [
        {
            "cores": 1,
            "classifiers": "none",
            "size": 512,
            "tokens": 515,
            "ms": float(ms),
            "steps_us": {"prepare": 10 * ms},
            "client_cpu_ms": 2.0,
        }
        for ms in range(1, 102)
    ]
    summary = overhead.summarise(rows, {"router": 1.5})
    assert (summary["p50_ms"], summary["p95_ms"], summary["calls"]) == (51.0, 96.0, 101)
    assert summary["steps_p50_us"] == {"prepare": 510}
    assert summary["cpu_ms"] == {"client": 2.0, "router": 1.5}


def test_texts_are_long_enough_all_different_and_do_not_repeat_themselves() -> None:
    prose = importlib.import_module("prose").Prose(seed=3)
    texts = [prose.draw(600) for _ in range(20)]
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert abs(prose.count(text) - 600) < 40
        paragraphs = text.split("\n\n")
        assert len(set(paragraphs)) == len(paragraphs)


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("/x/triton_python_backend_stub /x/1/model.py shm 1 1 9 /x 0 pii_classifier_0_0", "pii_"),
        ("/x/triton_python_backend_stub /x/1/model.py shm 1 1 9 /x 0 compressor_0", "compressor"),
        ("/x/triton_python_backend_stub /x/1/model.py shm 1 1 9 /x 0 encoder_0_0", "encoder"),
        ("/x/triton_python_backend_stub /x/1/model.py shm 1 1 9 /x 0 mine_0", "another model"),
        ("/x/python -I -S /x/_guardian.py 1 15 pointsman-1 /tmp -- /x/tritonserver", "guardian"),
        ("/x/tritonserver --id=pointsman-1", "tritonserver"),
        ("/x/python /x/bin/pointsman serve", "pointsman serve"),
    ],
)
def test_processes_are_told_apart(command: str, role: str) -> None:
    processes = importlib.import_module("processes")
    assert processes.role(command.split()).startswith(role)


@pytest.fixture(scope="module")
def classifiers() -> ModuleType:
    return importlib.import_module("classifiers")


def test_the_classifier_without_the_op_computes_the_same(classifiers: ModuleType) -> None:
    model = classifiers.shipped("domain")
    plain = classifiers.without_op(model)
    assert {node.domain for node in plain.graph.node}.isdisjoint({"com.ck"})
    inputs = classifiers.feed([101, *range(2000, 2300), 102])  # past the windows
    with_op, without = (
        classifiers.probabilities(classifiers.session(each, 1).run(["logits"], inputs)[0])
        for each in (model, plain)
    )
    # int8 activations: a last bit moves one across a step.
    np.testing.assert_allclose(with_op, without, atol=0.03)


def test_a_classifier_without_the_op_cannot_stand_for_both(classifiers: ModuleType) -> None:
    plain = classifiers.without_op(classifiers.shipped("domain"))
    with pytest.raises(ValueError, match="no CKFlashAttention"):
        classifiers.without_op(plain)


def test_bf16_is_asked_of_every_op(classifiers: ModuleType) -> None:
    model = importlib.import_module("bf16").with_bf16(classifiers.shipped("domain"))
    found = [
        attribute.s
        for node in model.graph.node
        if node.op_type == "CKFlashAttention"
        for attribute in node.attribute
        if attribute.name == "compute_type"
    ]
    assert found == [b"bfloat16"] * 6


@pytest.fixture(scope="module")
def shared_encoder() -> ModuleType:
    return importlib.import_module("shared_encoder")


def test_encoder_and_heads_compute_what_each_head_with_the_encoder_does(
    shared_encoder: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = write_repository(tmp_path / "shared")
    three = importlib.import_module("independent").write_independent(shared, tmp_path / "three")
    ways = {
        "shared": shared_encoder.Shared(shared),
        "independent": shared_encoder.Independent(three),
    }
    monkeypatch.setattr(shared_encoder, "LENGTHS", (4, 30))
    rows = shared_encoder.in_process(ways, [101, *range(2000, 2100)], 2)
    assert [(row["way"], row["tokens"], row["calls"]) for row in rows] == [
        ("shared", 4, 2),
        ("independent", 4, 2),
        ("shared", 30, 2),
        ("independent", 30, 2),
    ]
    ways["wrong"] = lambda inputs: [2 * logits for logits in ways["shared"](inputs)]
    with pytest.raises(RuntimeError, match="disagree at 4 tokens"):
        shared_encoder.in_process(ways, [101, *range(2000, 2100)], 2)


def test_logits_that_are_no_numbers_stop_the_measurement(shared_encoder: ModuleType) -> None:
    right = [np.array([[1.0, 2.0]], np.float32)]
    shared_encoder.check_alike([right, right], 7)
    for wrong in (np.nan, np.inf):
        bad = [np.array([[1.0, wrong]], np.float32)]
        with pytest.raises(RuntimeError, match="disagree at 7 tokens"):
            shared_encoder.check_alike([bad, bad], 7)


def test_ratios_are_within_each_turn(shared_encoder: ModuleType) -> None:
    # The machine was twice as busy in the last two turns.
    shared, other = shared_encoder.rows_of(
        512, {"shared": [1.0, 1.0, 2.0, 2.0], "independent": [3.0, 3.0, 6.0, 6.0]}
    )
    assert shared["ratio"] == [1, 1, 1]
    assert other["ratio"] == [3, 3, 3]
    assert (other["p50_ms"], other["quartiles_ms"], other["calls"]) == (4.5, [3, 6], 4)


@pytest.mark.parametrize(
    ("coverage", "errors", "complaint"),
    [
        ({"tokens": 9, "classified_tokens": 8}, (), "8 of 9 tokens"),
        ({"tokens": 9, "classified_tokens": 9, "truncated": True}, (), "9 of 9 tokens"),
        ({"tokens": 9, "classified_tokens": 9}, ("domain: NaN",), "domain: NaN"),
    ],
)
def test_a_text_not_read_in_full_stops_the_measurement(
    shared_encoder: ModuleType, coverage: Any, errors: tuple[str, ...], complaint: str
) -> None:
    answer = decision(**coverage)
    answer.errors = errors
    router = type("Router", (), {"route_text": lambda *_, **__: answer})()
    with pytest.raises(RuntimeError, match=complaint):
        shared_encoder.ask(router, "some text")
    answer = decision(tokens=9, classified_tokens=9)
    assert shared_encoder.ask(router, "some text") > 0


def test_the_report_says_what_was_measured(shared_encoder: ModuleType, tmp_path: Path) -> None:
    rows = [
        row
        for tokens in (512, 8192)
        for row in shared_encoder.rows_of(
            tokens, {"shared": [tokens / 10] * 3, "independent": [tokens / 4] * 3}
        )
    ]
    results = {
        "in_process": rows,
        "decisions": [{**row, "server_mib": 300.0} for row in rows],
        "encoder_instances": [
            {
                "threads": 2,
                "instances": 1,
                "callers": 4,
                **shared_encoder.summary([50.0, 60.0, 70.0]),
                "decisions_per_s": 16.5,
                "decisions_per_s_range": [15.0, 17.0],
            }
        ],
        "memory": [
            {"tokens": n, "seconds": n**2 / 1e6, "growth_mib": n / 32, "kept_mib": 1.0}
            for n in (1024, 4096, 32768)
        ],
    }
    report = importlib.import_module("shared_encoder_report")
    text = report.markdown(results)
    assert "| 512 | 51.2 (51.2-51.2) | 128 (128-128) | 2.50 (2.50-2.50) |" in text
    assert "| 2 | 1 | 4 | 60.0 (55.0-65.0) |" in text
    assert "| 32,768 | 1,024.0 | 32.0 | 1.0 |" in text
    assert "to the power of 1.00, time 2.00" in text
    picture = tmp_path / "picture.svg"
    report.draw(results, picture)
    first = picture.read_bytes()
    report.draw(results, picture)
    assert picture.read_bytes() == first
