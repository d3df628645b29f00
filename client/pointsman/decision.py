"""The decision on one request, typed. docs/client.md says how to act on it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pointsman.errors import ProtocolError

__all__ = ["Coverage", "Decision", "Domain", "PiiSpan", "Safety", "parse_decision"]

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Natural = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]


class _Frozen(BaseModel):
    # Fields of later versions are ignored: the contract changes by additions only.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Safety(_Frozen):
    """What the safety classifier said.

    Attributes:
        label: The most probable label; "unknown" when the check could not run.
        score: Its probability; 0 when unknown.
        scores: The probability of every label; empty when unknown.
        unchecked: Labels that the policy has rules for and the classifier cannot tell.
    """

    label: Text
    score: Probability
    scores: dict[str, Probability]
    unchecked: tuple[str, ...] = ()


class Domain(_Frozen):
    """What the domain classifier said; fields as in :class:`Safety`."""

    label: Text
    score: Probability
    scores: dict[str, Probability]


class PiiSpan(_Frozen):
    """Personal data at code points ``[start, end)`` of the judged text.

    Attributes:
        type: E.g. "EMAIL_ADDRESS".
        start: First code point.
        end: One past the last code point.
        score: Probability; of a pattern, how sure it is.
        source: Who found it.
        action: What the policy says to do with it.
    """

    type: Text
    start: Natural
    end: Natural
    score: Probability
    source: Literal["pattern", "model"]
    action: Literal["allow", "redact", "flag", "block"]


class Coverage(_Frozen):
    """How much of the text was read.

    Attributes:
        tokens: Tokens of the whole text.
        classified_tokens: Tokens that the classifiers read.
        scanned_characters: Code points that the pattern scan read.
        kept: The ranges of the text that the classifiers read, in code points.
        truncated: Something that had to be read was not.
    """

    tokens: Natural
    classified_tokens: Natural
    scanned_characters: Natural
    kept: tuple[tuple[Natural, Natural], ...]
    truncated: bool


class Decision(_Frozen):
    """What to do with a request.

    Attributes:
        action: "route": forward it to ``model``. "redact": forward it once every PII span whose
            action is "redact" is replaced. "flag": as "redact", and let somebody look at it.
            "block": do not forward it.
        model: Name of the model that should answer; None when blocked.
        rule: The rule that decided, e.g. "safety:jailbreak" or "domain:math".
        policy: The policy that was applied.
        safety: What the safety classifier said.
        domain: What the domain classifier said.
        pii: Personal data, in order, disjoint.
        coverage: How much of the text was read.
        flags: Every rule that flagged the request.
        errors: Checks that could not run; empty when all ran.
        timings_us: Microseconds spent in each step on the server.
        skipped_parts: Parts of the request that are not text and were not judged.
    """

    action: Literal["route", "redact", "flag", "block"]
    model: Text | None
    rule: Text
    policy: Text
    safety: Safety
    domain: Domain
    pii: tuple[PiiSpan, ...]
    coverage: Coverage
    flags: tuple[str, ...]
    errors: tuple[str, ...]
    timings_us: dict[str, Natural]
    skipped_parts: Natural = 0

    @property
    def blocked(self) -> bool:
        """Whether the request must not be forwarded."""
        return self.action == "block"

    @property
    def redactions(self) -> tuple[PiiSpan, ...]:
        """The spans to replace before the request is forwarded, in order."""
        return tuple(span for span in self.pii if span.action == "redact")

    @model_validator(mode="after")
    def _consistent(self) -> Decision:
        if (self.model is None) != self.blocked:
            raise ValueError('there must be a model, except with the action "block"')
        if self.errors and self.action not in ("flag", "block"):
            raise ValueError("checks could not run, and yet the request may pass")
        if self.redactions and self.action == "route":
            raise ValueError("there are spans to redact, and yet the action is to route")
        end = 0
        for span in self.pii:
            if span.action == "block" and not self.blocked:
                raise ValueError("a PII span blocks the request, and yet it may pass")
            if not end <= span.start < span.end:
                raise ValueError("PII spans must be in order, disjoint and not empty")
            end = span.end
        return self


def parse_decision(document: bytes, *, skipped_parts: int = 0) -> Decision:
    """Read DECISION.

    Args:
        document: UTF-8 JSON, as the ensemble puts it out.
        skipped_parts: How many parts the client left out of the text.

    Raises:
        ProtocolError: It is not a decision. There is no default: nothing may be forwarded.
    """
    try:
        decision = Decision.model_validate_json(document)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the document"
        raise ProtocolError(
            f"the server's answer is not a decision: {where}: {problem['msg']}; "
            "do client and server have the same version?"
        ) from None
    return decision.model_copy(update={"skipped_parts": skipped_parts})
