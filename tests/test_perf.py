"""The parts of the measurements that could make a wrong number look right."""

import importlib
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pytest

from pointsman import Coverage

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
