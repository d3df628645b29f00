"""Every exception that Pointsman raises, as one tree.

::

    PointsmanError
    ├── RequestError                 the request cannot be judged; asking again will not help
    │   ├── InvalidRequestError      not JSON, not a chat request, text that is not valid Unicode
    │   ├── EmptyRequestError        a chat request without any text
    │   ├── RequestTooLargeError     a body or a text over the limit
    │   ├── InvalidBudgetError       a token budget that means nothing
    │   └── UnknownPolicyError       a policy that the server's policy.yaml does not have
    ├── ServerError                  no decision was made; do not forward the request
    │   ├── ServerUnavailableError   Triton is not running, went away, or a model is not loaded
    │   ├── ServerTimeoutError       no decision within the time-out
    │   ├── OverloadedError          the server's queue is full
    │   ├── CheckFailedError         the server answered that it failed
    │   └── ProtocolError            the server answered something that is not a decision
    └── SetupError                   the embedded server cannot be set up or started

An exception never means "allowed": a caller that gets one must not forward the request.
"""

from __future__ import annotations

__all__ = [
    "CheckFailedError",
    "EmptyRequestError",
    "InvalidBudgetError",
    "InvalidRequestError",
    "OverloadedError",
    "PointsmanError",
    "ProtocolError",
    "RequestError",
    "RequestTooLargeError",
    "ServerError",
    "ServerTimeoutError",
    "ServerUnavailableError",
    "SetupError",
    "UnknownPolicyError",
]


class PointsmanError(Exception):
    """The root of every exception of this package; its text is one line."""


class RequestError(PointsmanError):
    """The request cannot be judged; asking again will not help."""


class InvalidRequestError(RequestError):
    """The request is not a chat request, or its text is not valid Unicode."""


class EmptyRequestError(RequestError):
    """The chat request holds no text to judge."""


class RequestTooLargeError(RequestError):
    """The body, or the text in it, is over the limit."""


class InvalidBudgetError(RequestError):
    """The token budget is neither positive, nor 0 (the default), nor -1 (no compression)."""


class UnknownPolicyError(RequestError):
    """The server's policy.yaml has no policy of that name."""


class ServerError(PointsmanError):
    """No decision was made; the request must not be forwarded."""


class ServerUnavailableError(ServerError):
    """Triton is not running, went away during the call, or a model is not loaded."""


class ServerTimeoutError(ServerError):
    """There was no decision within the time-out."""


class OverloadedError(ServerError):
    """The server has as many requests waiting as it accepts."""


class CheckFailedError(ServerError):
    """The server answered that it could not judge the request."""


class ProtocolError(ServerError):
    """The server's answer is not a decision: another version, or not Pointsman at all."""


class SetupError(PointsmanError):
    """The embedded server cannot be set up or started."""
