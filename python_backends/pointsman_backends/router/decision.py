"""What the classifiers and the pattern scan found, and a policy, to one decision.

Nothing fails open: whatever could not be read or computed becomes an entry in ``errors``, and the
policy's ``on_error`` action applies.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pointsman_backends.router.policy import BENIGN, Labels, Policy, PolicyFile
from pointsman_backends.router.spans import Span, decode_spans, merge, softmax

__all__ = ["Decided", "UnknownPolicyError", "decide"]

UNKNOWN = "unknown"
"""The label of a check that could not run."""

Action = Literal["route", "redact", "flag", "block"]
Floats = NDArray[np.floating[Any]]
Natural = Annotated[int, Field(ge=0, strict=True)]

_DIGITS = 4


class UnknownPolicyError(ValueError):
    """The request names a policy that the policy file does not have."""


class _Pattern(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: Annotated[str, Field(min_length=1)]
    start: Natural
    end: Natural
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _extent(self) -> _Pattern:
        if self.end <= self.start:
            raise ValueError(f"finding at {self.start}:{self.end} is empty")
        return self


class _Coverage(BaseModel):
    model_config = ConfigDict(frozen=True)

    tokens: Natural
    classified_tokens: Natural
    scanned_characters: Natural
    kept: list[tuple[Natural, Natural]]
    truncated: bool

    @model_validator(mode="after")
    def _possible(self) -> _Coverage:
        if self.classified_tokens > self.tokens:
            raise ValueError("more tokens were classified than there are")
        edges = [edge for kept in self.kept for edge in kept]
        if edges != sorted(edges):
            raise ValueError("kept ranges are not ascending")
        return self


class _Findings(BaseModel):
    """FINDINGS, the compressor's JSON; fields of later versions are ignored."""

    model_config = ConfigDict(frozen=True)

    patterns: list[_Pattern]
    coverage: _Coverage
    timings_us: dict[str, Annotated[float, Field(allow_inf_nan=False)]]
    errors: list[str]


# Of a text that nothing is known of, the only true thing to say is that it was not all read.
_NOTHING_READ = _Coverage(
    tokens=0, classified_tokens=0, scanned_characters=0, kept=[], truncated=True
)


@dataclass(frozen=True)
class Decided:
    """What the router model puts out.

    Attributes:
        decision: DECISION, UTF-8 JSON.
        safety: float32 ``[safety labels]`` probabilities; NaN when the check could not run.
        domain: float32 ``[domain labels]``, likewise.
    """

    decision: bytes
    safety: NDArray[np.float32]
    domain: NDArray[np.float32]


def decide(
    safety_logits: Floats,
    domain_logits: Floats,
    pii_logits: Floats,
    token_offsets: NDArray[np.integer[Any]],
    findings: bytes,
    policy_name: str,
    policies: PolicyFile,
    labels: Labels,
) -> Decided:
    """Judge one request.

    Args:
        safety_logits: float ``[safety labels]``.
        domain_logits: float ``[domain labels]``.
        pii_logits: float ``[T, PII labels]``.
        token_offsets: int ``[T, 2]``, code points into the text; special tokens are ``(-1, -1)``.
        findings: The compressor's FINDINGS, JSON.
        policy_name: A policy of ``policies``; empty for its default.
        policies: The policy file.
        labels: The classifiers' labels.

    Raises:
        UnknownPolicyError: There is no such policy. Any other trouble is in the decision.
    """
    began = time.perf_counter_ns()
    name = policy_name or policies.default_policy
    policy = policies.policies.get(name)
    if policy is None:
        known = ", ".join(policies.policies)
        raise UnknownPolicyError(f'no policy "{name}" in policy.yaml; there are: {known}')

    errors: list[str] = []
    found = _read_findings(findings, errors)
    safety = _probabilities("safety", safety_logits, labels.safety, errors)
    domain = _probabilities("domain", domain_logits, labels.domain, errors)
    pii = _pii(pii_logits, token_offsets, found, policy, labels.pii, errors)
    safety_scores = _scores(labels.safety, safety)
    domain_scores = _scores(labels.domain, domain)
    pii_actions = [policy.pii.types.get(span.type, policy.pii.default) for span in pii]

    verdicts = list(_verdicts(policy, safety_scores, pii, pii_actions, found.coverage, errors))
    action, rule = _strongest(verdicts)
    model: str | None
    model, model_rule = _model(policy, domain_scores)
    if action == "block":
        model = None
    decision = {
        "action": action,
        "model": model,
        "rule": rule or model_rule,
        "policy": name,
        "safety": {
            **_best(safety_scores),
            "scores": safety_scores,
            "unchecked": [label for label in policy.safety if label not in safety_scores],
        },
        "domain": {**_best(domain_scores), "scores": domain_scores},
        "pii": [
            {
                "type": span.type,
                "start": span.start,
                "end": span.end,
                "score": round(span.score, _DIGITS),
                "source": span.source,
                "action": pii_action,
            }
            for span, pii_action in zip(pii, pii_actions, strict=True)
        ],
        "coverage": found.coverage.model_dump(),
        "flags": list(dict.fromkeys(rule for action, rule in verdicts if action == "flag")),
        "errors": errors,
        "timings_us": {
            **{step: round(spent) for step, spent in found.timings_us.items()},
            "router": (time.perf_counter_ns() - began) // 1000,
        },
    }
    return Decided(orjson.dumps(decision), safety, domain)


def _read_findings(findings: bytes, errors: list[str]) -> _Findings:
    try:
        found = _Findings.model_validate_json(findings)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the document"
        errors.append(f"findings: {where}: {problem['msg']}")
        return _Findings(patterns=[], coverage=_NOTHING_READ, timings_us={}, errors=[])
    errors.extend(found.errors)
    return found


def _probabilities(
    what: str, logits: Floats, labels: Sequence[str], errors: list[str]
) -> NDArray[np.float32]:
    """Softmax, or NaN and an error."""
    logits = np.asarray(logits)
    if logits.shape != (len(labels),):
        errors.append(f"{what}: logits of shape {list(logits.shape)} for {len(labels)} labels")
    elif not np.isfinite(logits).all():
        errors.append(f"{what}: logits are not finite")
    else:
        return softmax(logits)
    return np.full(len(labels), np.nan, dtype=np.float32)


def _pii(
    logits: Floats,
    offsets: NDArray[np.integer[Any]],
    found: _Findings,
    policy: Policy,
    labels: Sequence[str],
    errors: list[str],
) -> list[Span]:
    patterns = [Span(p.type, p.start, p.end, p.score, "pattern") for p in found.patterns]
    spans: list[Span] = []
    try:
        kept = np.array(found.coverage.kept, dtype=np.int64)
        spans = decode_spans(logits, offsets, labels, policy.pii.threshold, kept)
    except ValueError as error:
        errors.append(f"pii: {error}")
    return merge(patterns, spans)


def _scores(labels: Sequence[str], probabilities: NDArray[np.float32]) -> dict[str, float]:
    """Rounded, so that a rule decides on just what the decision shows; empty when unknown."""
    if np.isnan(probabilities).any():
        return {}
    values = (round(float(value), _DIGITS) for value in probabilities)
    return dict(zip(labels, values, strict=True))


def _best(scores: dict[str, float]) -> dict[str, Any]:
    """The first of the labels with the highest score."""
    if not scores:
        return {"label": UNKNOWN, "score": 0.0}
    label = max(scores, key=lambda key: scores[key])
    return {"label": label, "score": scores[label]}


def _verdicts(
    policy: Policy,
    safety: dict[str, float],
    pii: Iterable[Span],
    pii_actions: Iterable[str],
    coverage: _Coverage,
    errors: Sequence[str],
) -> Iterable[tuple[str, str]]:
    """(action, rule) of each rule that fired, the weightiest kind of rule first."""
    if errors:
        yield policy.on_error, "on_error"
    evidence = _unsafe_evidence(safety)
    fired = [
        label for label, rule in policy.safety.items() if evidence.get(label, -1) >= rule.threshold
    ]
    for label in sorted(fired, key=lambda label: -safety[label]):
        yield policy.safety[label].action, f"safety:{label}"
    for span, action in zip(pii, pii_actions, strict=True):
        yield action, f"pii:{span.type}"
    if coverage.truncated:
        yield policy.coverage.truncated, "coverage:truncated"
    if coverage.classified_tokens < coverage.tokens:
        yield policy.coverage.compressed, "coverage:compressed"


def _unsafe_evidence(safety: dict[str, float]) -> dict[str, float]:
    """What each unsafe label's rule weighs: its probability, or for the likeliest all of theirs.

    A request that is surely not benign must not pass because two unsafe labels share it.
    """
    evidence = {label: score for label, score in safety.items() if label != BENIGN}
    if evidence and BENIGN in safety:
        likeliest = max(evidence, key=lambda label: evidence[label])
        evidence[likeliest] = round(1 - safety[BENIGN], _DIGITS)
    return evidence


def _strongest(verdicts: Sequence[tuple[str, str]]) -> tuple[Action, str | None]:
    """Block over flag over redact over route; the first rule of that action."""
    strongest: tuple[Action, ...] = ("block", "flag", "redact")
    for action in strongest:
        for fired, rule in verdicts:
            if fired == action:
                return action, rule
    return "route", None


def _model(policy: Policy, domain: dict[str, float]) -> tuple[str, str]:
    """The model that the most probable domain chooses, and the rule."""
    best = _best(domain)
    model = policy.domains.get(best["label"])
    if model is None or best["score"] < policy.domain_threshold:
        return policy.default_model, "default"
    return model, f"domain:{best['label']}"
