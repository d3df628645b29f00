"""What is done with a request, as far as its headers can say: judge it, pass it on, refuse it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["OURS", "Judge", "Pass", "Refuse", "admit"]

OURS = ("x-pointsman-", "x-vsr-")
"""Headers that begin so are ours to set: those of a client are removed."""

_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")
# What every server reads alike: no empty, dotted or escaped segments, no parameters.
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


@dataclass(frozen=True)
class Judge:
    """The body is a prompt.

    Attributes:
        kind: Which protocol's.
        gzipped: Whether it is compressed.
    """

    kind: Literal["chat", "completions"]
    gzipped: bool


@dataclass(frozen=True)
class Pass:
    """There is no prompt in it."""


@dataclass(frozen=True)
class Refuse:
    """What it carries would reach a model unread.

    Attributes:
        status: HTTP status of the answer.
        code: What is wrong, one word for programs.
        reason: The same, one line.
    """

    status: int
    code: str
    reason: str


def admit(headers: Mapping[str, str], *, has_body: bool) -> Judge | Pass | Refuse:
    """Say what is done with a request.

    Nothing is guessed about a path: one that another server could read in another way is refused.

    Args:
        headers: Lower-case names; ``:method`` and ``:path`` among them.
        has_body: Whether a body may follow.
    """
    method, path = headers.get(":method", ""), headers.get(":path", "").partition("?")[0]
    if method in _WITHOUT_BODY and not has_body:
        return Pass()
    plain = _PLAIN_PATH.fullmatch(path) is not None
    if plain and path.endswith("/chat/completions"):
        kind: Literal["chat", "completions"] = "chat"
    elif plain and path.endswith("/completions"):
        kind = "completions"
    else:
        return Refuse(
            404,
            "unknown_path",
            "only requests to .../chat/completions and .../completions are served here, and those "
            "without a body",
        )
    if method != "POST":
        return Refuse(405, "method_not_allowed", f"the method {method[:20]} is not POST")
    encodings = [
        encoding
        for part in headers.get("content-encoding", "").lower().split(",")
        if (encoding := part.strip()) not in ("", "identity")
    ]
    if encodings not in ([], ["gzip"], ["x-gzip"]):
        return Refuse(
            415, "unsupported_encoding", "the body must be sent as it is, or compressed with gzip"
        )
    return Judge(kind, gzipped=bool(encodings))
