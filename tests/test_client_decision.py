"""The typed decision: what is not one is an error, never a permission."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.decision import Decision, parse_decision
from pointsman.errors import ProtocolError

DOCUMENT: dict[str, Any] = {
    "action": "redact",
    "model": "qwen3-coder",
    "rule": "pii:EMAIL_ADDRESS",
    "policy": "default",
    "safety": {"label": "benign", "score": 0.98, "scores": {"benign": 0.98, "jailbreak": 0.02}},
    "domain": {"label": "computer science", "score": 0.9, "scores": {"computer science": 0.9}},
    "pii": [
        {"type": "EMAIL_ADDRESS", "start": 14, "end": 31, "score": 1, "source": "pattern",
         "action": "redact"},
        {"type": "PERSON", "start": 40, "end": 48, "score": 0.9, "source": "model",
         "action": "allow"},
    ],
    "coverage": {"tokens": 900, "classified_tokens": 507, "scanned_characters": 4000,
                 "kept": [[0, 210]], "truncated": False},
    "flags": [],
    "errors": [],
    "timings_us": {"prepare": 900, "router": 12},
}  # fmt: skip
DELETE = object()


def changed(path: str, value: Any) -> bytes:
    document = copy.deepcopy(DOCUMENT)
    *parents, last = path.split(".")
    place: Any = document
    for key in parents:
        place = place[int(key) if key.isdigit() else key]
    if value is DELETE:
        del place[last]
    else:
        place[last] = value
    return json.dumps(document).encode()


def test_a_decision_is_typed_and_frozen() -> None:
    decision = parse_decision(json.dumps(DOCUMENT).encode(), skipped_parts=3)
    assert decision.action == "redact"
    assert not decision.blocked
    assert decision.model == "qwen3-coder"
    assert decision.coverage.kept == ((0, 210),)
    assert [span.type for span in decision.pii] == ["EMAIL_ADDRESS", "PERSON"]
    assert [(span.start, span.end) for span in decision.redactions] == [(14, 31)]
    assert decision.skipped_parts == 3
    assert decision.timings_us == {"prepare": 900, "router": 12}
    with pytest.raises(ValueError, match="frozen"):
        decision.action = "route"  # type: ignore[misc]
    assert Decision.model_validate_json(decision.model_dump_json()) == decision


def test_a_blocked_decision_has_no_model() -> None:
    document = {**DOCUMENT, "action": "block", "model": None, "rule": "safety:jailbreak"}
    assert parse_decision(json.dumps(document).encode()).blocked


@pytest.mark.parametrize("path", ["future", "safety.future", "pii.0.future", "coverage.future"])
def test_fields_of_later_versions_are_ignored(path: str) -> None:
    assert parse_decision(changed(path, {"any": 1})) == parse_decision(
        json.dumps(DOCUMENT).encode()
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((key, DELETE) for key in DOCUMENT),
        *((f"pii.0.{key}", DELETE) for key in DOCUMENT["pii"][0]),
        *((f"coverage.{key}", DELETE) for key in DOCUMENT["coverage"]),
        ("action", "allow"),
        ("action", "Block"),
        ("action", None),
        ("action", "block"),  # with a model
        ("action", "route"),  # with something to redact
        ("model", None),  # without a block
        ("model", ""),
        ("model", 7),
        ("rule", ""),
        ("errors", ["safety: logits are not finite"]),  # without a block or a flag
        ("safety.score", 1.5),
        ("safety.score", "0.9"),
        ("pii", None),
        ("pii.0.start", -1),
        ("pii.0.end", 14),
        ("pii.0.end", 41),  # overlaps the next
        ("pii.0.action", "block"),  # and yet not blocked
        ("pii.0.source", "guess"),
        ("coverage.truncated", "no"),
        ("coverage.kept", [[1]]),
        ("timings_us", {"router": -1}),
    ],
)
def test_what_is_not_a_decision_is_a_protocol_error(path: str, value: Any) -> None:
    with pytest.raises(ProtocolError, match="is not a decision") as caught:
        parse_decision(changed(path, value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("raw", [b"", b"{", b"null", b"[]", b"\xff", b'"route"'])
def test_what_is_not_even_json_is_a_protocol_error(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_decision(raw)


@given(st.binary(max_size=80))
def test_no_bytes_become_a_permission(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_decision(raw)
