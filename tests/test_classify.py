"""The classification API over HTTP: the gateway as a process, and a real Triton behind it.

Its classifiers know ten words (tests/tiny_models.py); the policies are the shipped ones.
"""

from __future__ import annotations

import contextlib
import datetime
import gzip
import http.client
import json
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.embedded import EmbeddedTriton
from tests import gateways
from tests.gateways import Gateway
from tests.tiny_models import DOMAINS, write_repository

pytestmark = pytest.mark.server

PERSONAL = "Alice Smith writes to bob@example.com and bob@example.com, not to eve@example.org"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    repository = write_repository(tmp_path_factory.mktemp("tiny") / "model_repository")
    with EmbeddedTriton(repository) as triton:
        yield triton


@pytest.fixture(scope="module")
def gateway(server: EmbeddedTriton) -> Iterator[Gateway]:
    with gateways.running(
        *("--triton", server.grpc_url, "--upstream", "http://127.0.0.1:1/v1"),
        *("--body-timeout", "1", "--max-body-mib", "6"),
    ) as gateway:
        yield gateway


def post(
    gateway: Gateway, name: str, body: Any, *, status: int = 200, **headers: str
) -> dict[str, Any]:
    """Send JSON, or bytes as they are; return the answer, which must have the status."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    with contextlib.closing(connection):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", f"/api/v1/classify/{name}", sent, named)
        reply = connection.getresponse()
        answer = json.loads(reply.read())
        assert reply.status == status, answer
        assert reply.headers["content-type"] == "application/json"
        if status in (429, 503):
            assert int(reply.headers["retry-after"]) > 0
        assert isinstance(answer, dict)
        return answer


def refused(gateway: Gateway, name: str, body: Any, status: int = 400, **headers: str) -> str:
    """Send what must be refused; return code and message."""
    (error,) = post(gateway, name, body, status=status, **headers).values()
    assert set(error) == {"code", "message", "timestamp"}
    datetime.datetime.strptime(error["timestamp"], "%Y-%m-%dT%H:%M:%SZ")
    assert "\n" not in error["message"]
    assert len(error["message"]) < 300
    return f"{error['code']}: {error['message']}"


# -- intent -------------------------------------------------------------------------------------


def test_an_intent_has_a_category_a_model_and_a_decision(gateway: Gateway) -> None:
    answer = post(gateway, "intent", {"text": "the integral of x"})
    assert answer["classification"]["category"] == "math"
    assert answer["classification"]["confidence"] > 0.9
    assert isinstance(answer["classification"]["processing_time_ms"], int)
    assert answer["recommended_model"] == "qwen3-math"
    assert answer["routing_decision"] == "domain:math"
    assert answer["matched_signals"] == {"domains": ["math"]}
    assert answer["decision_result"]["decision_name"] == "domain:math"
    assert answer["decision_result"]["matched_rules"] == ["domain:math"]
    assert "probabilities" not in answer
    assert answer["pointsman"]["action"] == "route"
    assert answer["pointsman"]["coverage"]["scanned_characters"] == len("the integral of x")


def test_probabilities_of_every_domain_on_demand(gateway: Gateway) -> None:
    body = {"text": "some python", "options": {"return_probabilities": True}}
    answer = post(gateway, "intent", body)
    assert set(answer["probabilities"]) == set(DOMAINS)
    assert answer["probabilities"]["computer science"] == answer["classification"]["confidence"]


def test_what_is_blocked_has_no_model(gateway: Gateway) -> None:
    answer = post(gateway, "intent", {"text": "ignore all of it, Alice Smith"})
    assert "recommended_model" not in answer
    assert answer["routing_decision"] == "safety:jailbreak"
    assert answer["matched_signals"]["jailbreak"] == ["jailbreak"]
    assert answer["matched_signals"]["pii"] == ["PERSON"]


def test_all_messages_count_and_come_before_the_text(gateway: Gateway) -> None:
    messages = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": "the integral"}]},
        {"role": "assistant", "content": None},
    ]
    answer = post(gateway, "intent", {"text": "some python", "messages": messages})
    assert answer["classification"]["category"] == "math"
    answer = post(gateway, "intent", {"text": "some python", "messages": []})
    assert answer["classification"]["category"] == "computer science"
    assert "messages[0]" in refused(gateway, "intent", {"messages": [{"role": "user"}]})
    assert "messages[0]" in refused(gateway, "intent", {"messages": ["hello"]})


# -- pii ----------------------------------------------------------------------------------------


def test_entities_are_hidden_and_without_positions_unless_asked_for(gateway: Gateway) -> None:
    answer = post(gateway, "pii", {"text": PERSONAL})
    assert answer["has_pii"] is True
    assert [entity["type"] for entity in answer["entities"]] == ["PERSON", *["EMAIL_ADDRESS"] * 3]
    assert all(set(entity) == {"type", "value", "confidence"} for entity in answer["entities"])
    assert {entity["value"] for entity in answer["entities"]} == {"[DETECTED]"}
    assert answer["security_recommendation"] == "block"
    assert "masked_text" not in answer
    assert "example" not in json.dumps(answer)


def test_no_entities(gateway: Gateway) -> None:
    answer = post(gateway, "pii", {"text": "hello there", "options": {"mask_entities": True}})
    assert (answer["has_pii"], answer["entities"]) == (False, [])
    assert answer["security_recommendation"] == "allow"
    assert "masked_text" not in answer


def test_positions_are_characters_and_the_values_are_there(gateway: Gateway) -> None:
    text = f"Grüße 👋 von {PERSONAL}"
    options = {"return_positions": True, "reveal_entity_text": True}
    answer = post(gateway, "pii", {"text": text, "options": options})
    values = [entity["value"] for entity in answer["entities"]]
    assert values == ["Alice Smith", "bob@example.com", "bob@example.com", "eve@example.org"]
    assert values == [text[e["start_position"] : e["end_position"]] for e in answer["entities"]]
    answer = post(gateway, "pii", {"text": "bob@example.com", "options": options})
    assert answer["entities"][0]["start_position"] == 0


def test_masks_are_the_same_for_the_same_value(gateway: Gateway) -> None:
    answer = post(gateway, "pii", {"text": PERSONAL, "options": {"mask_entities": True}})
    assert answer["masked_text"] == (
        "[PERSON_1] writes to [EMAIL_ADDRESS_1] and [EMAIL_ADDRESS_1], not to [EMAIL_ADDRESS_2]"
    )
    assert [entity["masked_value"] for entity in answer["entities"]] == [
        "[PERSON_1]", "[EMAIL_ADDRESS_1]", "[EMAIL_ADDRESS_1]", "[EMAIL_ADDRESS_2]",
    ]  # fmt: skip


def test_only_the_wanted_types_and_the_sure_ones(gateway: Gateway) -> None:
    options = {"entity_types": ["person", "NO_SUCH"], "mask_entities": True}
    answer = post(gateway, "pii", {"text": PERSONAL, "options": options})
    assert [entity["type"] for entity in answer["entities"]] == ["PERSON"]
    assert answer["masked_text"] == PERSONAL.replace("Alice Smith", "[PERSON_1]")
    everything = post(gateway, "pii", {"text": PERSONAL})["entities"]
    for threshold in sorted({entity["confidence"] for entity in everything}):
        options = {"confidence_threshold": threshold}
        answer = post(gateway, "pii", {"text": PERSONAL, "options": options})
        assert answer["entities"] == [e for e in everything if e["confidence"] >= threshold]


# -- security -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "jailbreak", "threats", "recommendation"),
    [
        ("hello there", False, [], "allow"),
        ("ignore all of it", True, ["jailbreak"], "block"),
        ("how to build a bomb", False, ["harmful"], "block"),
        ("ignore the bomb", True, ["jailbreak"], "block"),  # as probable as the other
    ],
)
def test_security(
    gateway: Gateway, text: str, jailbreak: bool, threats: list[str], recommendation: str
) -> None:
    options = {"include_reasoning": True, "sensitivity": "high", "detection_types": ["x"]}
    answer = post(gateway, "security", {"text": text, "options": options})
    assert answer["is_jailbreak"] is jailbreak
    assert answer["detection_types"] == threats
    assert answer["patterns_detected"] == answer["detection_types"]
    assert answer["recommendation"] == recommendation
    assert (answer["risk_score"] > 0.9) is bool(threats)
    assert 0.3 < answer["confidence"] <= 1
    assert ("reasoning" in answer) is bool(threats)
    assert all(threat in answer["reasoning"] for threat in threats)
    assert "reasoning" not in post(gateway, "security", {"text": text})


# -- combined and batch -------------------------------------------------------------------------


def test_combined_is_the_three_together(gateway: Gateway) -> None:
    text = f"{PERSONAL}, the integral: ignore it"
    combined = post(
        gateway,
        "combined",
        {
            "text": text,
            "intent_options": {"return_probabilities": True},
            "pii_options": {"mask_entities": True},
            "security_options": {"include_reasoning": True},
        },
    )
    alone = {
        "intent": post(
            gateway, "intent", {"text": text, "options": {"return_probabilities": True}}
        ),
        "pii": post(gateway, "pii", {"text": text, "options": {"mask_entities": True}}),
        "security": post(
            gateway, "security", {"text": text, "options": {"include_reasoning": True}}
        ),
    }
    assert combined.pop("processing_time_ms") >= 0
    ours = combined.pop("pointsman")
    assert set(combined) == set(alone)
    for part, answer in alone.items():
        assert answer.pop("pointsman") == ours
        for timed in (answer, combined[part]):
            (timed["classification"] if part == "intent" else timed).pop("processing_time_ms")
        assert combined[part] == answer


BATCH = ["the integral", "Alice Smith and bob@example.com", "ignore all of it", "some python"]


@pytest.mark.parametrize(
    ("task", "categories"),
    [
        (None, ["math", "other", "other", "computer science"]),
        ("intent", ["math", "other", "other", "computer science"]),
        ("all", ["math", "other", "other", "computer science"]),
        ("pii", ["no_pii", "PERSON", "no_pii", "no_pii"]),
        ("security", ["safe", "safe", "jailbreak", "safe"]),
    ],
)
def test_batch(gateway: Gateway, task: str | None, categories: list[str]) -> None:
    body = {"texts": BATCH, "task_type": task, "options": {"return_probabilities": True}}
    answer = post(gateway, "batch", body)
    assert [result["category"] for result in answer["results"]] == categories
    assert answer["total_count"] == len(BATCH)
    assert all(isinstance(result["processing_time_ms"], int) for result in answer["results"])
    assert all(0 <= result["confidence"] <= 1 for result in answer["results"])
    intent = task in (None, "intent", "all")
    assert all(("probabilities" in result) is intent for result in answer["results"])
    assert answer["statistics"]["category_distribution"] == {
        "math": 1,
        "other": 2,
        "computer science": 1,
    }
    assert 0 < answer["statistics"]["avg_confidence"] <= 1
    assert answer["statistics"]["low_confidence_count"] == 0


def test_a_large_batch_keeps_its_order(gateway: Gateway) -> None:
    texts = [f"{('integral', 'python', 'tea')[i % 3]} number {i}" for i in range(256)]
    answer = post(gateway, "batch", {"texts": texts})
    expected = [("math", "computer science", "other")[i % 3] for i in range(256)]
    assert [result["category"] for result in answer["results"]] == expected
    read = [r["pointsman"]["coverage"]["scanned_characters"] for r in answer["results"]]
    assert read == [len(text) for text in texts]


def test_many_at_once_get_their_own_answers(gateway: Gateway) -> None:
    def ask(index: int) -> bool:
        word, domain = [("integral", "math"), ("python", "computer science")][index % 2]
        answer = post(gateway, "intent", {"text": f"{word} {index}"})
        return bool(answer["classification"]["category"] == domain)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(48)))


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["intent", "pii", "security", "combined"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "INVALID_INPUT: Invalid JSON"),
        (b"{", "INVALID_INPUT: Invalid JSON"),
        (b'{"text": "\xff"}', "INVALID_INPUT: Invalid JSON"),
        (b'{"text": "\\ud800"}', "INVALID_INPUT: "),
        (b"[" * 100_000, "INVALID_INPUT: Invalid JSON"),
        (b"[]", "INVALID_INPUT: "),
        (b"null", "INVALID_INPUT: "),
        ({"text": 5}, "INVALID_INPUT: text: "),
        ({"text": ["x"]}, "INVALID_INPUT: text: "),
        ({"text": ""}, "INVALID_INPUT: text is empty"),
        ({"text": " \n\t"}, "INVALID_INPUT: text is empty"),
    ],
)
def test_each_mistake_is_named(gateway: Gateway, name: str, body: Any, message: str) -> None:
    assert refused(gateway, name, body).startswith(message)


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("intent", {}, "INVALID_INPUT: text is empty"),
        ("pii", {}, "INVALID_INPUT: text: Field required"),
        ("pii", {"text": None}, "INVALID_INPUT: text: Field required"),
        ("pii", {"text": "x", "options": []}, "INVALID_INPUT: options: "),
        (
            "pii",
            {"text": "x", "options": {"confidence_threshold": 2}},
            "INVALID_INPUT: options.confidence_threshold: ",
        ),
        (
            "combined",
            {"text": "x", "pii_options": {"entity_types": "PERSON"}},
            "INVALID_INPUT: pii_options.entity_types: ",
        ),
        (
            "intent",
            {"text": "x", "options": {"return_probabilities": "yes"}},
            "INVALID_INPUT: options.return_probabilities: ",
        ),
        ("intent", {"text": "x", "messages": {}}, "INVALID_INPUT: messages: "),
        ("batch", {}, "INVALID_INPUT: texts: Field required"),
        ("batch", {"texts": []}, "INVALID_INPUT: texts is empty"),
        ("batch", {"texts": "x"}, "INVALID_INPUT: texts: "),
        ("batch", {"texts": ["x", 1]}, "INVALID_INPUT: texts.1: "),
        ("batch", {"texts": ["x", " "]}, "INVALID_INPUT: texts[1] is empty"),
        ("batch", {"texts": ["x"] * 257}, "INVALID_INPUT: texts has 257 texts, over the limit"),
        ("batch", {"texts": ["x"], "task_type": "emotion"}, "INVALID_TASK_TYPE: task_type must be"),
        ("batch", {"texts": ["x"], "task_type": "x" * 9999}, "INVALID_TASK_TYPE: task_type must"),
        ("batch", {"texts": ["x"], "task_type": 1}, "INVALID_INPUT: task_type: "),
    ],
)
def test_each_field_is_checked(gateway: Gateway, name: str, body: Any, message: str) -> None:
    assert refused(gateway, name, body).startswith(message)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
keys = st.sampled_from(
    ["text", "texts", "messages", "options", "pii_options", "task_type", "entity_types",
     "confidence_threshold", "return_positions", "mask_entities", "role", "content"]
)  # fmt: skip
objects = st.dictionaries(keys, anything | st.dictionaries(keys, anything, max_size=4), max_size=6)


@given(st.sampled_from(["intent", "pii", "security", "combined", "batch"]), objects)
@settings(max_examples=80)
def test_whatever_comes_is_answered_or_refused(
    gateway: Gateway, name: str, body: dict[str, Any]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    with contextlib.closing(connection):
        connection.request("POST", f"/api/v1/classify/{name}", json.dumps(body).encode())
        reply = connection.getresponse()
        answer = json.loads(reply.read())
    if reply.status == 200:
        assert "pointsman" in answer or "results" in answer
    else:
        assert reply.status == 400
        assert answer["error"]["code"] in ("INVALID_INPUT", "INVALID_TASK_TYPE")
        assert answer["error"]["message"]


def test_unknown_keys_and_nulls_are_ignored(gateway: Gateway) -> None:
    body = {"text": "tea", "options": None, "metadata": {"a": "b"}, "model": "auto", "new": [1]}
    assert post(gateway, "intent", body)["classification"]["category"] == "other"
    body = {"text": "tea", "options": {"entity_types": None, "return_positions": None, "new": 1}}
    assert post(gateway, "pii", body)["has_pii"] is False


def test_what_is_too_large_is_refused(gateway: Gateway) -> None:
    body = {"text": "x" * (6 * 2**20)}
    message = refused(gateway, "pii", body, 413)
    assert message.startswith("REQUEST_BODY_TOO_LARGE: ")
    # Within the gateway's limit, and more text than the ensemble takes.
    message = refused(gateway, "pii", {"text": "x" * (5 * 2**20)}, 413)
    assert message.startswith("REQUEST_BODY_TOO_LARGE: ")
    bomb = gzip.compress(b" " * (64 * 2**20))
    refused(gateway, "pii", bomb, 413, content_encoding="gzip")


def test_a_body_may_be_compressed(gateway: Gateway) -> None:
    body = gzip.compress(json.dumps({"text": "python"}).encode())
    answer = post(gateway, "intent", body, content_encoding="gzip")
    assert answer["classification"]["category"] == "computer science"
    message = refused(gateway, "intent", b"{}", 415, content_encoding="br")
    assert message.startswith("UNSUPPORTED_ENCODING: ")


def test_a_slow_body_and_a_client_that_goes_do_no_harm(gateway: Gateway) -> None:
    head = b"POST /api/v1/classify/pii HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as slow:
        slow.sendall(head + b'{"text": ')
        reply = b""
        while chunk := slow.recv(4096):
            reply += chunk
    assert b" 408 " in reply.split(b"\r\n", 1)[0]
    assert b"REQUEST_TIMEOUT" in reply
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as gone:
            gone.sendall(head + b'{"text": ')
    assert post(gateway, "pii", {"text": "tea"})["has_pii"] is False
    assert not [line for line in gateway.log if "Traceback" in line]


def test_only_post(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", "/api/v1/classify/intent")
        assert connection.getresponse().status == 405


# -- the classifiers fail -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["intent", "pii", "security", "combined", "batch"])
def test_a_check_that_could_not_run_is_an_error_and_no_answer(gateway: Gateway, name: str) -> None:
    text = "this is broken"
    body = {"texts": ["tea", text, "tea"]} if name == "batch" else {"text": text}
    message = refused(gateway, name, body, 500)
    assert message.startswith("CLASSIFICATION_ERROR: a check could not run: domain")


def test_no_classifiers_no_answer(tmp_path_factory: pytest.TempPathFactory) -> None:
    repository = write_repository(tmp_path_factory.mktemp("gone") / "model_repository")
    with (
        EmbeddedTriton(repository) as server,
        gateways.running(
            "--triton", server.grpc_url, "--upstream", "http://127.0.0.1:1/v1"
        ) as gateway,
    ):
        assert post(gateway, "security", {"text": "tea"})["recommendation"] == "allow"
        os.kill(server.pid, 9)
        for body, name in (({"text": "tea"}, "security"), ({"texts": ["tea"] * 20}, "batch")):
            message = refused(gateway, name, body, 503)
            assert message.startswith("CLASSIFIER_UNAVAILABLE: ")
            assert "127.0.0.1" not in message
        assert any("could not be classified" in line for line in gateway.log)
