"""What becomes of one request: the decision, applied. For who forwards requests.

A request is never forwarded because something failed: that is for the policy's ``on_error`` to say.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pointsman import answers
from pointsman.body import ChatBody
from pointsman.decision import Decision
from pointsman.errors import (
    OverloadedError,
    PackageNotFoundError,
    PointsmanError,
    RequestError,
    ServerError,
    SetupError,
    UnknownPolicyError,
)
from pointsman.placeholders import Placeholders
from pointsman.router import AsyncRouter
from pointsman_backends.router.policy import AUTO, Policy, PolicyError, PolicyFile, load_policy_file

if TYPE_CHECKING:
    from pointsman.early import EarlyLook

__all__ = ["Guard", "Verdict", "read_policies"]

_log = logging.getLogger(__name__)

_RETRY_AFTER_S = 1
# Printable ASCII without what quotes.
_HEADER_SAFE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
_PLAIN = re.compile(r"[ -$&-~]+")


def read_policies(repository: Path) -> PolicyFile:
    """Read the policy file of a model repository.

    Raises:
        SetupError: It cannot be used.
    """
    try:
        return load_policy_file(repository / "router" / "1" / "policy.yaml")
    except PolicyError as error:
        raise SetupError(str(error)) from None


@dataclass(frozen=True)
class Verdict:
    """What to do with a request.

    Attributes:
        decision: None when there is none: the request is wrong, or could not be checked.
        blocked: Answer the client yourself, with `status` and `body`.
        status: HTTP status of that answer; 200 also for a refusal.
        model: The model to ask; None when blocked.
        body: What to send to the model; when blocked, to the client.
        headers: For the client, beside those of the model's reply.
        placeholders: What was redacted, when the policy puts it back into the reply.
    """

    decision: Decision | None
    blocked: bool
    status: int
    model: str | None
    body: list[bytes]
    headers: dict[str, str]
    placeholders: Placeholders | None = None


class Guard:
    """Judges requests under one policy.

    Args:
        router: Asks the server; whose it is, closes it.
        policies: The policy file that the server has too.
        policy: The policy for every request; None for the default one.
        repository: The model repository, for early blocks; default: see `paths.model_repository`.

    Raises:
        UnknownPolicyError: `policies` has no such policy.
        SetupError: The policy blocks early; and a package that this needs is missing
            (PackageNotFoundError), or the compressor of `repository` is not in order.
    """

    def __init__(
        self,
        router: AsyncRouter,
        policies: PolicyFile,
        policy: str | None,
        repository: Path | None = None,
    ) -> None:
        name = policies.default_policy if policy is None else policy
        if name not in policies.policies:
            raise UnknownPolicyError(
                f'no policy "{name}"; there are: {", ".join(policies.policies)}'
            )
        self.policy = policies.policies[name]
        self._name = name
        self._router = router
        self._early_look = _early_look(self.policy, repository)
        self._exempt = frozenset(self.policy.exempt_models) - {AUTO}

    def exempt(self, model: str | None) -> bool:
        """Whether requests for this model are passed on unjudged."""
        return model in self._exempt

    def exemption(self, model: str) -> Verdict:
        """The verdict on a request for an exempt model, without its body."""
        headers = {
            "x-pointsman-action": "exempt",
            "x-pointsman-model": model,
            "x-vsr-selected-model": model,
        }
        return Verdict(None, False, 200, model, [], _encoded(headers))

    async def judge(self, body: ChatBody) -> Verdict:
        """Get the decision on a request and apply it.

        No error of the request or the server is raised: each becomes a verdict.
        """
        try:
            decision = await self._router.route(body.chat, policy=self._name)
        except PointsmanError as error:
            return self._undecided(error, body)
        if decision.errors:
            _log.warning("a check could not run: %s", "; ".join(decision.errors))
        if decision.blocked:
            return self._blocked(decision, body)
        try:
            return self._passed(decision, body)
        except PointsmanError as error:
            return self.refuse(error)

    def early_look(self) -> EarlyLook | None:
        """What looks at one request while it arrives; None unless the policy says so."""
        return self._early_look() if self._early_look else None

    def blocked_early(self, rule: str) -> Verdict:
        """The verdict on a request that a rule blocks before it has arrived.

        It is an error, also where the policy refuses: whether a stream was asked for is not known.
        """
        status, answer = _block(rule)
        headers = {
            "x-pointsman-action": "block",
            "x-pointsman-rule": rule,
            "x-vsr-selected-decision": rule,
            "content-type": answers.JSON,
        }
        return Verdict(None, True, status, None, [answer], _encoded(headers))

    def refuse(self, error: PointsmanError) -> Verdict:
        """The verdict on a request that cannot even be read."""
        status, answer = answers.error_of(error)
        headers = {"x-pointsman-action": "block", "content-type": answers.JSON}
        if not isinstance(error, RequestError):
            headers["x-pointsman-rule"] = "on_error"
        if status in (429, 503):
            headers["retry-after"] = str(_RETRY_AFTER_S)
        return Verdict(None, True, status, None, [answer], headers)

    def _undecided(self, error: PointsmanError, body: ChatBody) -> Verdict:
        if not isinstance(error, RequestError) or isinstance(error, UnknownPolicyError):
            _log.warning("a request could not be checked: %s", error)
        # Too many requests, like a policy that the server lacks, are no reason to let one pass.
        failed = isinstance(error, ServerError) and not isinstance(error, OverloadedError)
        if not failed or self.policy.on_error == "block":
            return self.refuse(error)
        model = self.policy.default_model
        headers = {
            "x-pointsman-action": "flag",
            "x-pointsman-model": model,
            "x-pointsman-rule": "on_error",
            "x-vsr-selected-model": model,
            "x-vsr-selected-decision": "on_error",
        }
        return Verdict(None, False, 200, model, body.edited(model=model), _encoded(headers))

    def _blocked(self, decision: Decision, body: ChatBody) -> Verdict:
        if self.policy.on_block == "refusal":
            options = body.request.get("stream_options")
            answer = answers.refusal(
                body.kind,
                body.model,
                stream=body.stream,
                usage=isinstance(options, dict) and options.get("include_usage") is True,
            )
            status, type_ = 200, answers.EVENT_STREAM if body.stream else answers.JSON
        else:
            type_ = answers.JSON
            status, answer = _block(decision.rule)
        headers = _headers(decision) | {"content-type": type_}
        return Verdict(decision, True, status, None, [answer], headers)

    def _passed(self, decision: Decision, body: ChatBody) -> Verdict:
        placeholders = None
        if decision.redactions:
            placeholders = Placeholders.of(body.chat.text, decision.redactions)
        redactions = placeholders.redactions if placeholders else ()
        edited = body.edited(model=decision.model, redactions=redactions)
        if not self.policy.pii.restore:
            placeholders = None
        headers = _headers(decision)
        return Verdict(decision, False, 200, decision.model, edited, headers, placeholders)


def _early_look(policy: Policy, repository: Path | None) -> Callable[[], EarlyLook] | None:
    if not policy.early_block:
        return None
    try:  # only here: it needs packages that decisions over gRPC do not
        from pointsman.early import EarlyLook, sure_attack
    except ModuleNotFoundError as error:
        raise PackageNotFoundError(error.name or "", "backends") from None
    return partial(EarlyLook, policy, sure_attack(policy, repository))


def _block(rule: str) -> tuple[int, bytes]:
    """Status and error object for what a rule blocks."""
    message = f"the request was blocked by the rule {rule}"
    return 403, answers.error(403, message, code="content_filter")


def _headers(decision: Decision) -> dict[str, str]:
    """What the client is told about a decision: ours, and the names that others look for."""
    coverage = f"{decision.coverage.classified_tokens}/{decision.coverage.tokens}"
    headers = {
        "x-pointsman-action": decision.action,
        "x-pointsman-domain": decision.domain.label,
        "x-pointsman-safety": decision.safety.label,
        "x-pointsman-coverage": coverage + (" truncated" if decision.coverage.truncated else ""),
        "x-pointsman-rule": decision.rule,
        "x-vsr-selected-category": decision.domain.label,
        "x-vsr-selected-decision": decision.rule,
    }
    if decision.model is not None:
        headers["x-pointsman-model"] = headers["x-vsr-selected-model"] = decision.model
    return _encoded(headers)


def _encoded(headers: dict[str, str]) -> dict[str, str]:
    """Names that a policy file may have and a header may not are percent-encoded."""
    return {
        name: value if _PLAIN.fullmatch(value) else quote(value, safe=_HEADER_SAFE)
        for name, value in headers.items()
    }
