"""Logits, findings and a policy to one decision; above all, that nothing fails open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.decision import parse_decision
from pointsman_backends.router.decision import UnknownPolicyError, decide
from pointsman_backends.router.policy import Labels, PolicyFile, load_policy_file

SHIPPED = Path(__file__).parents[1] / "model_repository" / "router" / "1" / "policy.yaml"
LABELS = Labels(
    ("benign", "jailbreak", "harmful"),
    ("computer science", "math", "other"),
    ("O", "B-PERSON", "I-PERSON", "B-EMAIL_ADDRESS", "I-EMAIL_ADDRESS"),
)
TWO_LABELS = Labels(("benign", "jailbreak"), LABELS.domain, LABELS.pii)


def policies(**changes: Any) -> PolicyFile:
    only: dict[str, Any] = {
        "default_model": "general",
        "domain_threshold": 0.5,
        "domains": {"math": "mathematician", "computer science": "coder"},
        "safety": {
            "jailbreak": {"threshold": 0.5, "action": "block"},
            "harmful": {"threshold": 0.6, "action": "flag"},
        },
        "pii": {
            "threshold": 0.5,
            "default": "redact",
            "types": {"PERSON": "allow", "US_SSN": "block", "PHONE_NUMBER": "flag"},
        },
        "coverage": {"compressed": "allow", "truncated": "flag"},
        "on_error": "block",
    }
    return PolicyFile.model_validate(
        {
            "version": 1,
            "default_policy": "only",
            "models": {
                name: {"endpoint": "http://127.0.0.1:1/v1"}
                for name in ("general", "mathematician", "coder")
            },
            "policies": {"only": {**only, **changes}, "second": only},
        }
    )


def findings(*patterns: tuple[str, int, int], **changes: Any) -> bytes:
    document = {
        "patterns": [{"type": t, "start": a, "end": b, "score": 1.0} for t, a, b in patterns],
        "coverage": {
            "tokens": 2,
            "classified_tokens": 2,
            "scanned_characters": 40,
            "kept": [[0, 40]],
            "truncated": False,
        },
        "timings_us": {"prepare": 11, "relevance": 12.4},
        "errors": [],
    }
    document["coverage"] |= changes.pop("coverage", {})  # type: ignore[operator]
    return json.dumps(document | changes).encode()


def probabilities(*values: float) -> np.ndarray:
    return np.log(np.maximum(np.array(values, dtype=np.float32), 1e-9))


SAFE = probabilities(0.98, 0.01, 0.01)
MATH = probabilities(0.05, 0.9, 0.05)
OFFSETS = np.array([[-1, -1], [0, 3], [4, 7], [-1, -1]], dtype=np.int32)
NO_PII = np.tile(probabilities(0.96, 0.01, 0.01, 0.01, 0.01), (4, 1))
NAME = np.tile(probabilities(0.04, 0.9, 0.02, 0.02, 0.02), (4, 1))


def judge(
    safety: np.ndarray = SAFE,
    domain: np.ndarray = MATH,
    pii: np.ndarray = NO_PII,
    offsets: np.ndarray = OFFSETS,
    found: bytes | None = None,
    policy: str = "",
    labels: Labels = LABELS,
    pii_rules: dict[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    if pii_rules is not None:
        changes["pii"] = pii_rules
    found = findings() if found is None else found
    decided = decide(safety, domain, pii, offsets, found, policy, policies(**changes), labels)
    assert decided.safety.shape == (len(labels.safety),)
    assert decided.domain.shape == (len(labels.domain),)
    parse_decision(decided.decision)  # the client understands whatever the router says
    result: dict[str, Any] = json.loads(decided.decision)
    return result


def outcome(decision: dict[str, Any]) -> tuple[str, str | None, str]:
    return decision["action"], decision["model"], decision["rule"]


def test_a_safe_question_goes_to_its_domains_model() -> None:
    decision = judge()
    assert outcome(decision) == ("route", "mathematician", "domain:math")
    assert decision["policy"] == "only"
    assert decision["safety"] == {
        "label": "benign",
        "score": 0.98,
        "scores": {"benign": 0.98, "jailbreak": 0.01, "harmful": 0.01},
        "unchecked": [],
    }
    assert decision["domain"]["scores"] == {"computer science": 0.05, "math": 0.9, "other": 0.05}
    assert decision["pii"] == decision["flags"] == decision["errors"] == []
    assert decision["coverage"]["kept"] == [[0, 40]]
    assert decision["timings_us"]["prepare"] == 11
    assert decision["timings_us"]["router"] >= 0


@pytest.mark.parametrize(
    "domain",
    [probabilities(0.3, 0.4, 0.3), probabilities(0.05, 0.05, 0.9)],
    ids=["under the threshold", "a domain without a model"],
)
def test_other_questions_go_to_the_default_model(domain: np.ndarray) -> None:
    assert outcome(judge(domain=domain)) == ("route", "general", "default")


@pytest.mark.parametrize(("score", "blocked"), [(0.49, False), (0.5, True), (0.51, True)])
def test_a_safety_rule_fires_at_its_threshold_whatever_the_best_label(
    score: float, blocked: bool
) -> None:
    decision = judge(safety=probabilities(1 - score, score, 0.0))
    assert (decision["action"] == "block") == blocked
    assert (decision["rule"] == "safety:jailbreak") == blocked
    assert (decision["model"] is None) == blocked


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((0.1, 0.45, 0.45), ("block", "safety:jailbreak")),
        ((0.1, 0.46, 0.44), ("block", "safety:jailbreak")),
        ((0.1, 0.44, 0.46), ("flag", "safety:harmful")),
        ((0.55, 0.22, 0.23), ("route", "domain:math")),
    ],
)
def test_two_unsafe_labels_that_share_a_request_do_not_let_it_pass(
    scores: tuple[float, float, float], expected: tuple[str, str]
) -> None:
    decision = judge(safety=probabilities(*scores))
    assert (decision["action"], decision["rule"]) == expected


def test_a_flag_keeps_the_model_and_is_listed() -> None:
    decision = judge(safety=probabilities(0.2, 0.1, 0.7))
    assert outcome(decision) == ("flag", "mathematician", "safety:harmful")
    assert decision["flags"] == ["safety:harmful"]


def test_block_outweighs_flag_outweighs_redact() -> None:
    found = findings(("EMAIL_ADDRESS", 0, 7))
    assert outcome(judge(found=found)) == ("redact", "mathematician", "pii:EMAIL_ADDRESS")
    found = findings(("EMAIL_ADDRESS", 0, 7), ("PHONE_NUMBER", 10, 20), ("PHONE_NUMBER", 22, 30))
    decision = judge(found=found)
    assert outcome(decision) == ("flag", "mathematician", "pii:PHONE_NUMBER")
    assert [item["action"] for item in decision["pii"]] == ["redact", "flag", "flag"]
    assert decision["flags"] == ["pii:PHONE_NUMBER"]
    found = findings(("EMAIL_ADDRESS", 0, 7), ("PHONE_NUMBER", 10, 20), ("US_SSN", 22, 33))
    decision = judge(found=found)
    assert outcome(decision) == ("block", None, "pii:US_SSN")
    assert decision["flags"] == ["pii:PHONE_NUMBER"]


def test_of_two_blocking_rules_safety_is_named() -> None:
    decision = judge(safety=probabilities(0.1, 0.8, 0.1), found=findings(("US_SSN", 0, 11)))
    assert decision["rule"] == "safety:jailbreak"


def test_allowed_personal_data_is_reported_and_changes_nothing() -> None:
    decision = judge(pii=NAME)
    assert outcome(decision) == ("route", "mathematician", "domain:math")
    assert [
        (i["type"], i["start"], i["end"], i["source"], i["action"]) for i in decision["pii"]
    ] == [
        ("PERSON", 0, 3, "model", "allow"),
        ("PERSON", 4, 7, "model", "allow"),
    ]


@pytest.mark.parametrize("threshold", [0.5, 1.0])
def test_patterns_count_whatever_the_threshold_and_win_over_the_model(threshold: float) -> None:
    rules = {"threshold": threshold, "default": "redact"}
    decision = judge(pii=NAME, found=findings(("EMAIL_ADDRESS", 0, 7)), pii_rules=rules)
    assert [(i["type"], i["source"], i["score"]) for i in decision["pii"]] == [
        ("EMAIL_ADDRESS", "pattern", 1.0)
    ]


def test_dropped_text_is_not_inside_a_span() -> None:
    inside = NAME.copy()
    inside[2] = probabilities(0.04, 0.02, 0.9, 0.02, 0.02)
    assert [(i["start"], i["end"]) for i in judge(pii=inside)["pii"]] == [(0, 7)]
    offsets = OFFSETS.copy()
    offsets[2] = [30, 33]
    found = findings(coverage={"kept": [[0, 10], [25, 40]]})
    spans = [(i["start"], i["end"]) for i in judge(pii=inside, offsets=offsets, found=found)["pii"]]
    assert spans == [(0, 3), (30, 33)]


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        ({"truncated": True}, ("flag", "mathematician", "coverage:truncated")),
        ({"tokens": 900}, ("block", None, "coverage:compressed")),
        ({}, ("route", "mathematician", "domain:math")),
    ],
)
def test_coverage_has_rules_of_its_own(coverage: dict[str, Any], expected: tuple) -> None:
    rules = {"compressed": "block", "truncated": "flag"}
    assert outcome(judge(found=findings(coverage=coverage), coverage=rules)) == expected


def test_the_policy_is_chosen_by_name() -> None:
    assert judge(policy="second")["policy"] == "second"
    with pytest.raises(UnknownPolicyError, match=r'no policy "third".*only, second'):
        judge(policy="third")


# -- nothing fails open -------------------------------------------------------------------------

NAN = float("nan")
BROKEN: dict[str, dict[str, Any]] = {
    "safety NaN": {"safety": np.array([NAN, 0, 0], dtype=np.float32)},
    "safety infinite": {"safety": np.array([np.inf, 0, 0], dtype=np.float32)},
    "safety of another size": {"safety": np.zeros(4, dtype=np.float32)},
    "safety empty": {"safety": np.zeros(0, dtype=np.float32)},
    "domain NaN": {"domain": np.array([0, NAN, 0], dtype=np.float32)},
    "domain of another size": {"domain": np.zeros(2, dtype=np.float32)},
    "pii NaN": {"pii": np.full((4, 5), NAN, dtype=np.float32)},
    "pii of another size": {"pii": np.zeros((4, 7), dtype=np.float32)},
    "pii of another length": {"pii": np.zeros((3, 5), dtype=np.float32)},
    "offsets descending": {"offsets": np.array([[4, 7], [0, 3], [5, 6], [7, 8]], dtype=np.int32)},
    "offsets inverted": {"offsets": np.array([[0, 1], [3, 2], [5, 6], [7, 8]], dtype=np.int32)},
    "findings empty": {"found": b""},
    "findings not JSON": {"found": b"{"},
    "findings not UTF-8": {"found": b"\xff"},
    "findings a list": {"found": b"[]"},
    "findings without coverage": {"found": b'{"patterns": [], "timings_us": {}, "errors": []}'},
    "findings without errors": {"found": findings().replace(b'"errors"', b'"wrongs"')},
    "an error reported": {"found": findings(errors=["scan: out of memory"])},
    "an inverted pattern": {"found": findings(("US_SSN", 9, 3))},
    "an empty pattern": {"found": findings(("US_SSN", 3, 3))},
    "a negative pattern": {"found": findings(("US_SSN", -3, 3))},
    "more tokens read than there are": {"found": findings(coverage={"classified_tokens": 9})},
    "negative tokens": {"found": findings(coverage={"tokens": -1, "classified_tokens": -1})},
    "kept ranges out of order": {"found": findings(coverage={"kept": [[9, 12], [0, 3]]})},
    "truncated is no boolean": {"found": findings(coverage={"truncated": "perhaps"})},
    "an endless time": {"found": findings().replace(b"12.4", b"1e999")},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_whatever_is_broken_blocks(broken: dict[str, Any]) -> None:
    decision = judge(**broken)
    assert outcome(decision) == ("block", None, "on_error")
    assert decision["errors"]


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_whatever_is_broken_is_at_least_flagged(broken: dict[str, Any]) -> None:
    decision = judge(**broken, on_error="flag")
    assert decision["action"] == "flag"
    assert decision["rule"] == "on_error"
    assert decision["flags"][0] == "on_error"
    assert decision["model"] in ("general", "mathematician")


def test_what_could_not_be_judged_is_unknown_and_its_probabilities_are_nan() -> None:
    decided = decide(np.full(3, NAN), MATH, NO_PII, OFFSETS, findings(), "", policies(), LABELS)
    assert np.isnan(decided.safety).all()
    np.testing.assert_allclose(decided.domain, [0.05, 0.9, 0.05], atol=1e-6)
    decision = json.loads(decided.decision)
    assert decision["safety"]["label"] == "unknown"
    assert decision["safety"]["scores"] == {}
    assert decision["safety"]["unchecked"] == ["jailbreak", "harmful"]


def test_a_block_stands_though_other_checks_could_not_run() -> None:
    decision = judge(safety=probabilities(0.1, 0.8, 0.1), domain=np.full(3, NAN), on_error="flag")
    assert outcome(decision) == ("block", None, "safety:jailbreak")
    assert decision["flags"] == ["on_error"]


def test_patterns_still_count_when_the_pii_classifier_failed() -> None:
    decision = judge(pii=np.full((4, 5), NAN), found=findings(("US_SSN", 0, 11)), on_error="flag")
    assert outcome(decision) == ("block", None, "pii:US_SSN")


def test_unreadable_findings_say_that_nothing_was_read() -> None:
    coverage = judge(found=b"{")["coverage"]
    assert coverage["truncated"] is True
    assert coverage["scanned_characters"] == 0


def test_two_labels_work_and_rules_for_the_missing_one_are_reported() -> None:
    decision = judge(safety=probabilities(0.9, 0.1), labels=TWO_LABELS)
    assert decision["action"] == "route"
    assert decision["safety"]["scores"] == {"benign": 0.9, "jailbreak": 0.1}
    assert decision["safety"]["unchecked"] == ["harmful"]
    decision = judge(safety=probabilities(0.1, 0.9), labels=TWO_LABELS)
    assert outcome(decision) == ("block", None, "safety:jailbreak")


def test_the_decision_is_the_same_bytes_each_time_but_for_the_time() -> None:
    def stable() -> str:
        decision = judge(pii=NAME, found=findings(("EMAIL_ADDRESS", 20, 30)))
        del decision["timings_us"]
        return json.dumps(decision)

    assert stable() == stable()


finite = st.floats(-1e4, 1e4)
any_float = st.one_of(finite, st.just(NAN), st.just(float("inf")))


@given(
    st.lists(any_float, min_size=3, max_size=3),
    st.lists(any_float, min_size=3, max_size=3),
    st.lists(any_float, min_size=5, max_size=5),
    st.booleans(),
)
def test_a_request_is_routed_only_when_everything_was_judged(
    safety: list[float], domain: list[float], pii: list[float], reported: bool
) -> None:
    decision = judge(
        safety=np.array(safety),
        domain=np.array(domain),
        pii=np.tile(pii, (4, 1)),
        found=findings(errors=["scan failed"] if reported else []),
    )
    whole = all(map(np.isfinite, [*safety, *domain, *pii])) and not reported
    assert bool(decision["errors"]) != whole
    if not whole:
        assert outcome(decision) == ("block", None, "on_error")
        return
    scores = decision["safety"]["scores"]
    likeliest = scores["jailbreak"] >= scores["harmful"] and scores["benign"] <= 0.5
    if scores["jailbreak"] >= 0.5 or likeliest:
        assert decision["action"] == "block"
    else:
        assert decision["action"] != "block"


def test_the_shipped_policies_agree_with_the_examples_of_the_guide() -> None:
    file = load_policy_file(SHIPPED)
    found = findings(("CREDIT_CARD", 0, 19))
    actions = {
        name: json.loads(decide(SAFE, MATH, NO_PII, OFFSETS, found, name, file, LABELS).decision)[
            "action"
        ]
        for name in ("default", "strict")
    }
    assert actions == {"default": "redact", "strict": "block"}
