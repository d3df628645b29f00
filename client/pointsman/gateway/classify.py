"""The classification API of vLLM Semantic Router, answered by decisions of ours.

``POST /api/v1/classify/{intent,pii,security,combined,batch}`` with its fields and error codes;
docs/classify_api.md names every field and where the answers differ. One decision answers each text,
so the three parts of ``combined`` cost no more than one of them. A check that could not run is an
error here, never an answer.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pointsman.chat import ChatText, parse_chat, plain_text
from pointsman.decision import Decision, PiiSpan
from pointsman.errors import (
    CheckFailedError,
    EmptyRequestError,
    InvalidRequestError,
    OverloadedError,
    PointsmanError,
    RequestError,
    RequestTooLargeError,
    ServerTimeoutError,
    ServerUnavailableError,
    UnknownPolicyError,
)
from pointsman.gateway.exchange import HttpError
from pointsman.placeholders import Placeholders
from pointsman.router import AsyncRouter
from pointsman.splice import Redaction
from pointsman_backends.router.policy import BENIGN

__all__ = ["MAX_TEXTS", "routes"]

PREFIX = "/api/v1/classify/"
MAX_TEXTS = 256
# Of one batch: others must get their turn, too.
_AT_ONCE = 8
# Below it, the reference counts a classification as unsure.
_LOW_CONFIDENCE = 0.7
_HIDDEN = "[DETECTED]"
_LATER = {"retry-after": "1"}

_log = logging.getLogger(__name__)

Answer = dict[str, Any]
Decide = Callable[[ChatText], Awaitable[Decision]]


def routes(
    router: AsyncRouter,
    *,
    policy: str | None = None,
    read_body: Callable[[Request], Awaitable[bytes]],
) -> list[Route]:
    """Return the five routes, each a POST of JSON that answers JSON.

    Args:
        router: Who is asked; the caller closes it.
        policy: The policy of every decision; None for the server's default.
        read_body: Reads a request's body, within limits. A `PointsmanError` and an `HttpError` of
            it are answered in the shape of this API; others are the caller's.
    """

    async def decide(chat: ChatText) -> Decision:
        decision = await router.route(chat, policy=policy)
        if decision.errors:
            raise _UncheckedError(f"a check could not run: {'; '.join(decision.errors)}")
        return decision

    def route(name: str, answer: Callable[[bytes, Decide], Awaitable[Answer]]) -> Route:
        async def handle(request: Request) -> Response:
            try:
                return _json(200, await answer(await read_body(request), decide))
            except HttpError as error:
                return _error(error.status, error.code.upper(), str(error), error.headers)
            except PointsmanError as error:
                return _refusal(error)

        return Route(PREFIX + name, handle, methods=["POST"], name=f"classify_{name}")

    return [
        route("intent", _classify_intent),
        route("pii", _classify_pii),
        route("security", _classify_security),
        route("combined", _classify_combined),
        route("batch", _classify_batch),
    ]


class _InvalidTaskTypeError(InvalidRequestError):
    """A batch asks for a task that does not exist."""


class _UncheckedError(CheckFailedError):
    """There is a decision, and one of its checks could not run."""


# -- requests -----------------------------------------------------------------------------------


class _Body(BaseModel):
    """Keys that are not known are ignored, and null is the same as no key: as in the reference."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if isinstance(value, dict):
            return {key: item for key, item in value.items() if item is not None}
        return value


class _IntentOptions(_Body):
    return_probabilities: bool = False


class _PiiOptions(_Body):
    entity_types: list[str] = []
    confidence_threshold: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    return_positions: bool = False
    mask_entities: bool = False
    reveal_entity_text: bool = False


class _SecurityOptions(_Body):
    include_reasoning: bool = False


class _IntentRequest(_Body):
    text: str = ""
    messages: list[Any] = []
    options: _IntentOptions = _IntentOptions()


class _PiiRequest(_Body):
    text: str
    options: _PiiOptions = _PiiOptions()


class _SecurityRequest(_Body):
    text: str
    options: _SecurityOptions = _SecurityOptions()


class _CombinedRequest(_Body):
    text: str
    intent_options: _IntentOptions = _IntentOptions()
    pii_options: _PiiOptions = _PiiOptions()
    security_options: _SecurityOptions = _SecurityOptions()


class _BatchRequest(_Body):
    texts: list[str]
    task_type: str = ""
    options: _IntentOptions = _IntentOptions()


_Request = TypeVar("_Request", bound=_Body)


def _parse(kind: type[_Request], body: bytes) -> _Request:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"]
    raise InvalidRequestError(f"{where}: {message}" if where else message)


def _text(text: str, where: str = "text") -> ChatText:
    try:
        return plain_text(text)
    except EmptyRequestError:
        raise InvalidRequestError(f"{where} is empty; send some text") from None
    except InvalidRequestError as error:
        raise InvalidRequestError(f"{where}: {error}") from None


# -- endpoints ----------------------------------------------------------------------------------


async def _classify_intent(body: bytes, decide: Decide) -> Answer:
    request = _parse(_IntentRequest, body)
    began = time.perf_counter()
    messages = request.messages
    decision = await decide(parse_chat({"messages": messages}) if messages else _text(request.text))
    return _intent(decision, request.options, _ms_since(began)) | _ours(decision)


async def _classify_pii(body: bytes, decide: Decide) -> Answer:
    request = _parse(_PiiRequest, body)
    began = time.perf_counter()
    decision = await decide(_text(request.text))
    return _pii(decision, request.text, request.options, _ms_since(began)) | _ours(decision)


async def _classify_security(body: bytes, decide: Decide) -> Answer:
    request = _parse(_SecurityRequest, body)
    began = time.perf_counter()
    decision = await decide(_text(request.text))
    return _security(decision, request.options, _ms_since(began)) | _ours(decision)


async def _classify_combined(body: bytes, decide: Decide) -> Answer:
    request = _parse(_CombinedRequest, body)
    began = time.perf_counter()
    decision = await decide(_text(request.text))
    spent_ms = _ms_since(began)
    return {
        "intent": _intent(decision, request.intent_options, spent_ms),
        "pii": _pii(decision, request.text, request.pii_options, spent_ms),
        "security": _security(decision, request.security_options, spent_ms),
        "processing_time_ms": spent_ms,
    } | _ours(decision)


async def _classify_batch(body: bytes, decide: Decide) -> Answer:
    request = _parse(_BatchRequest, body)
    if not request.texts:
        raise InvalidRequestError("texts is empty; send at least one text")
    if len(request.texts) > MAX_TEXTS:
        raise InvalidRequestError(
            f"texts has {len(request.texts):,} texts, over the limit of {MAX_TEXTS}; "
            "send them in several requests"
        )
    if request.task_type not in ("", *_BATCH_RESULTS):
        raise _InvalidTaskTypeError(
            f"task_type must be one of {', '.join(_BATCH_RESULTS)}, not {request.task_type[:40]!r}"
        )
    result = _BATCH_RESULTS[request.task_type or "intent"]
    chats = [_text(text, f"texts[{index}]") for index, text in enumerate(request.texts)]
    began = time.perf_counter()
    decided = await _decide_all(chats, decide)
    return {
        "results": [
            result(decision, request.options) | {"processing_time_ms": spent_ms} | _ours(decision)
            for decision, spent_ms in decided
        ],
        "total_count": len(decided),
        "processing_time_ms": _ms_since(began),
        "statistics": _statistics([decision for decision, _ in decided]),
    }


async def _decide_all(chats: Sequence[ChatText], decide: Decide) -> list[tuple[Decision, int]]:
    """Every decision and its milliseconds, in order; the first error ends the others."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(chat: ChatText) -> tuple[Decision, int]:
        async with turn:
            began = time.perf_counter()
            return await decide(chat), _ms_since(began)

    tasks = [asyncio.ensure_future(one(chat)) for chat in chats]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


# -- answers ------------------------------------------------------------------------------------


def _intent(decision: Decision, options: _IntentOptions, spent_ms: int) -> Answer:
    domain = decision.domain
    answer: Answer = {
        "classification": {
            "category": domain.label,
            "confidence": domain.score,
            "processing_time_ms": spent_ms,
        }
    }
    if options.return_probabilities:
        answer["probabilities"] = domain.scores
    if decision.model is not None:
        answer["recommended_model"] = decision.model
    signals = {
        "domains": [domain.label],
        "jailbreak": _threats(decision),
        "pii": list(dict.fromkeys(span.type for span in decision.pii)),
    }
    return answer | {
        "routing_decision": decision.rule,
        "matched_signals": {name: found for name, found in signals.items() if found},
        "decision_result": {
            "decision_name": decision.rule,
            "confidence": domain.score,
            "matched_rules": list(dict.fromkeys((decision.rule, *decision.flags))),
        },
    }


def _pii(decision: Decision, text: str, options: _PiiOptions, spent_ms: int) -> Answer:
    wanted = {name.upper() for name in options.entity_types}
    spans = [
        span
        for span in decision.pii
        if span.score >= options.confidence_threshold and (not wanted or span.type in wanted)
    ]
    redactions = Placeholders.of(text, spans).redactions if options.mask_entities else []
    entities = [_entity(span, text, options) for span in spans]
    for entity, redaction in zip(entities, redactions, strict=False):
        entity["masked_value"] = redaction.replacement
    answer: Answer = {"has_pii": bool(spans), "entities": entities}
    if redactions:
        answer["masked_text"] = _replace(text, redactions)
    return answer | {
        "security_recommendation": _recommend(found=bool(spans)),
        "processing_time_ms": spent_ms,
    }


def _entity(span: PiiSpan, text: str, options: _PiiOptions) -> Answer:
    entity: Answer = {
        "type": span.type,
        "value": text[span.start : span.end] if options.reveal_entity_text else _HIDDEN,
        "confidence": span.score,
    }
    if options.return_positions:
        entity |= {"start_position": span.start, "end_position": span.end}
    return entity


def _replace(text: str, redactions: Sequence[Redaction]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end, replacement in redactions:
        pieces += (text[done:start], replacement)
        done = end
    return "".join((*pieces, text[done:]))


def _security(decision: Decision, options: _SecurityOptions, spent_ms: int) -> Answer:
    safety = decision.safety
    threats = _threats(decision)
    answer: Answer = {
        "is_jailbreak": "jailbreak" in threats,
        "risk_score": _risk(decision),
        "detection_types": threats,
        "confidence": safety.score,
        "recommendation": _recommend(found=bool(threats)),
        "patterns_detected": threats,
        "processing_time_ms": spent_ms,
    }
    if options.include_reasoning and threats:
        scores = ", ".join(f"{label} {score:.3f}" for label, score in safety.scores.items())
        answer["reasoning"] = f"{' and '.join(threats)} by the probabilities {scores}"
    return answer


def _threats(decision: Decision) -> list[str]:
    """Unsafe labels: the most probable one, and those whose rule of the policy fired."""
    rules = (decision.rule, *decision.flags)
    fired = [rule.removeprefix("safety:") for rule in rules if rule.startswith("safety:")]
    most_probable = [] if decision.safety.label == BENIGN else [decision.safety.label]
    return list(dict.fromkeys((*most_probable, *fired)))


def _risk(decision: Decision) -> float:
    """The probability of all unsafe labels together."""
    unsafe = (score for label, score in decision.safety.scores.items() if label != BENIGN)
    return min(1.0, round(sum(unsafe), 4))


def _recommend(*, found: bool) -> Literal["allow", "block"]:
    """What the reference says, whatever a policy does; ours is in `_ours`."""
    return "block" if found else "allow"


def _intent_result(decision: Decision, options: _IntentOptions) -> Answer:
    result: Answer = {"category": decision.domain.label, "confidence": decision.domain.score}
    if options.return_probabilities:
        result["probabilities"] = decision.domain.scores
    return result


def _pii_result(decision: Decision, _options: _IntentOptions) -> Answer:
    if not decision.pii:
        return {"category": "no_pii", "confidence": 0.0}
    return {
        "category": decision.pii[0].type,
        "confidence": max(span.score for span in decision.pii),
    }


def _security_result(decision: Decision, _options: _IntentOptions) -> Answer:
    return {
        "category": (_threats(decision) or ["safe"])[0],
        "confidence": decision.safety.score,
    }


# "all" is the same as "intent", as in the reference.
_BATCH_RESULTS: dict[str, Callable[[Decision, _IntentOptions], Answer]] = {
    "intent": _intent_result,
    "pii": _pii_result,
    "security": _security_result,
    "all": _intent_result,
}


def _statistics(decisions: Sequence[Decision]) -> Answer:
    """About the domains, whatever the task: as in the reference."""
    distribution: dict[str, int] = {}
    for decision in decisions:
        label = decision.domain.label
        distribution[label] = distribution.get(label, 0) + 1
    scores = [decision.domain.score for decision in decisions]
    return {
        "category_distribution": distribution,
        "avg_confidence": round(sum(scores) / len(scores), 6),
        "low_confidence_count": sum(score < _LOW_CONFIDENCE for score in scores),
    }


def _ours(decision: Decision) -> Answer:
    """What the reference has no field for: what the policy does, and how much was read."""
    return {
        "pointsman": decision.model_dump(
            include={"action", "model", "rule", "policy", "flags", "coverage"}
        )
    }


def _ms_since(began: float) -> int:
    return int((time.perf_counter() - began) * 1e3)


# -- responses ----------------------------------------------------------------------------------


def _refusal(error: PointsmanError) -> Response:
    """What is wrong with the request is said; what is wrong on our side is for the log."""
    match error:
        case _InvalidTaskTypeError():
            return _error(400, "INVALID_TASK_TYPE", str(error))
        case RequestTooLargeError():
            return _error(413, "REQUEST_BODY_TOO_LARGE", str(error))
        case UnknownPolicyError():
            pass  # set by who runs the gateway, not by the client
        case RequestError():
            return _error(400, "INVALID_INPUT", str(error))
        case OverloadedError():
            return _error(429, "OVERLOADED", "too many requests wait; ask again later", _LATER)
    _log.warning("a text could not be classified: %s", error)
    match error:
        case _UncheckedError():
            return _error(500, "CLASSIFICATION_ERROR", str(error))
        case ServerUnavailableError() | ServerTimeoutError():
            message = "the text could not be classified; ask again later"
            return _error(503, "CLASSIFIER_UNAVAILABLE", message, _LATER)
    return _error(500, "CLASSIFICATION_ERROR", "the text could not be classified")


def _error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    now = datetime.datetime.now(datetime.timezone.utc)
    timestamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    error = {"code": code, "message": message, "timestamp": timestamp}
    return _json(status, {"error": error}, headers)


def _json(status: int, answer: Answer, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(answer), status, headers, "application/json")
