"""Looks at a request while it is still arriving: what surely blocks it need not be waited for.

Only personal data that a pattern finds, of a type that the policy blocks, is sure: in a message
that has arrived whole it blocks the request whatever follows. What classifiers say may change with
the rest of the text, so they are not asked early.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json

from pointsman_backends import patterns
from pointsman_backends.router.policy import Policy

__all__ = ["EarlyLook"]

_FIRST_LOOK_BYTES = 8192


class EarlyLook:
    """Looks at one request as it grows, each time at twice as much: the work is linear.

    Args:
        policy: Says which types of personal data block a request.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._next_bytes = _FIRST_LOOK_BYTES
        self._texts_seen = 0

    def due(self, size: int, model: str | None) -> bool:
        """Whether to look at a body of so many bytes that names this model so far.

        As long as none is named, the request may still turn out to be exempt.
        """
        certain = model is not None or not self._policy.exempt_models
        return certain and size >= self._next_bytes

    def rule(self, begin: bytes) -> str | None:
        """Look at the beginning of a body; milliseconds of work for each megabyte that is new.

        Returns:
            The rule that blocks the request, such as "pii:US_SSN", or None.
        """
        self._next_bytes = 2 * len(begin)
        try:
            request = from_json(begin, allow_partial=True)
        except ValueError:
            return None  # the whole of it will be refused
        texts = _texts(request)
        for text in texts[self._texts_seen :]:
            try:
                findings = patterns.scan(text.encode())
            except (UnicodeEncodeError, patterns.TooManyFindingsError):
                return None  # so will it be for this
            for finding in findings:
                if self._blocks(finding.type):
                    return f"pii:{finding.type}"
        self._texts_seen = len(texts)
        return None

    def _blocks(self, type_: str) -> bool:
        return self._policy.pii.types.get(type_, self._policy.pii.default) == "block"


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
