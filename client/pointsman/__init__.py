"""Pointsman decides, for every chat request, which model answers it and whether it may pass."""

from pointsman.chat import ChatText, parse_chat
from pointsman.decision import Coverage, Decision, Domain, PiiSpan, Safety
from pointsman.errors import (
    CheckFailedError,
    EmptyRequestError,
    InvalidBudgetError,
    InvalidRequestError,
    OverloadedError,
    PointsmanError,
    ProtocolError,
    RequestError,
    RequestTooLargeError,
    ServerError,
    ServerTimeoutError,
    ServerUnavailableError,
    SetupError,
    UnknownPolicyError,
)
from pointsman.router import AsyncRouter, Router

__all__ = [
    "AsyncRouter",
    "ChatText",
    "CheckFailedError",
    "Coverage",
    "Decision",
    "Domain",
    "EmptyRequestError",
    "InvalidBudgetError",
    "InvalidRequestError",
    "OverloadedError",
    "PiiSpan",
    "PointsmanError",
    "ProtocolError",
    "RequestError",
    "RequestTooLargeError",
    "Router",
    "Safety",
    "ServerError",
    "ServerTimeoutError",
    "ServerUnavailableError",
    "SetupError",
    "UnknownPolicyError",
    "parse_chat",
]
