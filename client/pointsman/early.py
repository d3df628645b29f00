"""Looks at a request while it is still arriving: what surely blocks it need not be waited for.

Two things are sure enough in a message that has arrived whole, whatever follows: personal data that
a pattern finds, of a type that the policy blocks; and several sentences of such a risk as next to
no harmless text has, where the policy blocks jailbreaks. What classifiers say may change with the
rest of the text, so they are not asked early.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from pointsman.explain import load_compressor
from pointsman_backends import patterns
from pointsman_backends.router.policy import AUTO, Policy

__all__ = ["RISK", "EarlyLook", "SureAttack", "sure_attack"]

RISK = "risk"
"""The rule that blocks for the risk of its sentences."""

SureAttack = Callable[[Sequence[str]], bool]
"""Says of some texts whether one of them is an attack for certain."""

_FIRST_LOOK_BYTES = 8192
_JAILBREAK = "jailbreak"


def sure_attack(policy: Policy, repository: Path | None = None) -> SureAttack | None:
    """What tells sure attacks from other texts; None where the policy does not block jailbreaks.

    Args:
        policy: The policy.
        repository: Whose compressor's settings and tokenizer to read; default: see
            `paths.model_repository`.

    Raises:
        SetupError: There is no compressor in the repository, or it is not in order.
    """
    rule = policy.safety.get(_JAILBREAK)
    if rule is None or rule.action != "block":
        return None
    return load_compressor(repository).surely_attacks


class EarlyLook:
    """Looks at one request as it grows, each time at twice as much: the work is linear.

    Args:
        policy: Says which types of personal data block a request.
        attacks: Tells sure attacks; None leaves them to the whole request.
    """

    def __init__(self, policy: Policy, attacks: SureAttack | None = None) -> None:
        self._pii = policy.pii
        self._scans = "block" in (policy.pii.default, *policy.pii.types.values())
        self._attacks = attacks
        self._exempt = frozenset(policy.exempt_models) - {AUTO}
        self._next_bytes = float(_FIRST_LOOK_BYTES)
        self._texts_seen = 0

    def due(self, size: int, model: str | None) -> bool:
        """Whether to look at a body of so many bytes that names this model so far.

        As long as none is named, the request may still turn out to be exempt.
        """
        if size < self._next_bytes:
            return False
        return not self._exempt or (model is not None and model not in self._exempt)

    def rule(self, begin: bytes) -> str | None:
        """Look at the beginning of a body; tens of milliseconds for each megabyte that is new.

        Returns:
            The rule that blocks the request, such as "pii:US_SSN" or "risk", or None.
        """
        self._next_bytes = 2 * len(begin)
        try:
            request = from_json(begin, allow_partial=True)
        except ValueError:
            return None  # not JSON, or cut where no parser goes on
        texts = _texts(request)
        new, self._texts_seen = texts[self._texts_seen :], len(texts)
        try:
            for text in new if self._scans else ():
                for finding in patterns.scan(text.encode()):
                    if self._pii.types.get(finding.type, self._pii.default) == "block":
                        return f"pii:{finding.type}"
            # All at once: a text has its price, however short.
            if new and self._attacks is not None and self._attacks(new):
                return RISK
        except (UnicodeEncodeError, patterns.TooManyFindingsError):
            # No permission, and no rule to block it by: it is left to the whole request.
            self._next_bytes = float("inf")
        return None


def _texts(request: Any) -> list[str]:  # noqa: ANN401 (any JSON)
    """The texts of a request that are whole; the parser leaves out a string that is cut."""
    if not isinstance(request, dict):
        return []
    texts: list[str] = []
    messages = request.get("messages")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, str):
            texts.append(content)
        elif isinstance(content, list):
            parts = [part.get("text") for part in content if isinstance(part, dict)]
            texts += [part for part in parts if isinstance(part, str)]
    prompt = request.get("prompt")
    prompts = prompt if isinstance(prompt, list) else [prompt]
    return texts + [text for text in prompts if isinstance(text, str)]
