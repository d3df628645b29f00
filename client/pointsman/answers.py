"""What a client gets in the place of a model's reply: OpenAI's error objects, and refusals."""

from __future__ import annotations

import time
import uuid
from typing import Any, Literal

import orjson

from pointsman.errors import (
    EmptyRequestError,
    InvalidBudgetError,
    OverloadedError,
    PointsmanError,
    RequestError,
    RequestTooLargeError,
    UnknownPolicyError,
)

__all__ = ["EVENT_STREAM", "JSON", "Kind", "error", "error_of", "refusal"]

Kind = Literal["chat", "completions"]
JSON = "application/json"
EVENT_STREAM = "text/event-stream; charset=utf-8"

_REFUSAL = "I can't help with that request."


def error(status: int, message: str, *, code: str, param: str | None = None) -> bytes:
    """An error object, UTF-8 JSON.

    Args:
        status: HTTP status that it goes with; its ``type`` follows from it.
        message: One line for the client's developer.
        code: What happened, one word for programs.
        param: The field of the request that is wrong.
    """
    return orjson.dumps(
        {"error": {"message": message, "type": _type(status), "param": param, "code": code}}
    )


def error_of(failure: PointsmanError) -> tuple[int, bytes]:
    """The status and the error object for a request without a decision.

    What is wrong with the request is said; what is wrong on our side is not the client's to read.
    """
    match failure:
        case RequestTooLargeError():
            return 413, error(413, str(failure), code="request_too_large")
        case EmptyRequestError():
            return 400, error(400, str(failure), code="empty_request", param="messages")
        case UnknownPolicyError() | InvalidBudgetError():
            pass  # set by who runs the gateway, not by the client
        case RequestError():
            return 400, error(400, str(failure), code="invalid_request")
        case OverloadedError():
            return 429, error(429, "too many requests wait; ask again later", code="overloaded")
    return 503, error(
        503, "the request could not be checked; ask again later", code="check_unavailable"
    )


def refusal(kind: Kind, model: str | None, *, stream: bool, usage: bool = False) -> bytes:
    """A reply that declines: a completion as JSON, or all events of its stream.

    Args:
        kind: Which protocol it is a reply in.
        model: What the request called the model.
        stream: Whether the client asked for events.
        usage: With ``stream``, whether it asked for a last event with the usage.
    """
    head: dict[str, Any] = {
        "id": f"{'chatcmpl' if kind == 'chat' else 'cmpl'}-{uuid.uuid4().hex}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": model or "auto",
    }
    if kind == "chat":
        head["object"] = "chat.completion.chunk" if stream else "chat.completion"
    tokens = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    if not stream:
        message = {"role": "assistant", "content": _REFUSAL, "refusal": _REFUSAL}
        content = {"message": message} if kind == "chat" else {"text": _REFUSAL}
        return orjson.dumps(head | {"choices": [_choice(content, last=True)], "usage": tokens})
    if kind == "chat":
        steps = [
            _choice({"delta": {"role": "assistant", "content": ""}}),
            _choice({"delta": {"content": _REFUSAL, "refusal": _REFUSAL}}),
            _choice({"delta": {}}, last=True),
        ]
    else:
        steps = [_choice({"text": _REFUSAL}), _choice({"text": ""}, last=True)]
    events = [head | {"choices": [step]} for step in steps]
    if usage:
        events.append(head | {"choices": [], "usage": tokens})
    return b"".join(b"data: %b\n\n" % orjson.dumps(event) for event in events) + b"data: [DONE]\n\n"


def _choice(content: dict[str, Any], *, last: bool = False) -> dict[str, Any]:
    # As OpenAI's own refusals end: at "content_filter" its client raises an exception.
    reason = "stop" if last else None
    return {"index": 0, **content, "logprobs": None, "finish_reason": reason}


def _type(status: int) -> str:
    match status:
        case 403:
            return "permission_error"
        case 429:
            return "rate_limit_error"
        case _ if status >= 500:
            return "server_error"
    return "invalid_request_error"
