"""A chat-completions or completions request to the text that is judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from pointsman.errors import EmptyRequestError, InvalidRequestError, RequestTooLargeError

__all__ = ["MAX_BODY_BYTES", "ChatText", "Kind", "parse_body", "parse_chat", "plain_text"]

MAX_BODY_BYTES = 16 * 2**20

Kind = Literal["chat", "completions"]
"""What a body is: of /v1/chat/completions or of /v1/completions."""

# A key that occurs twice is read one way here and perhaps another way by the model's server.
_JUDGED_KEYS = {
    "chat": ("messages", "role", "content", "type", "text", "model"),
    "completions": ("prompt", "suffix", "model"),
}
_TEXT_PARTS = ("text", "input_text", "output_text")
# Fields of a message that can reach the model beside its content.
_OTHER_FIELDS = ("function_call", "refusal", "reasoning_content", "reasoning", "audio")
_NOT_TEXT = frozenset(("tool_calls", *_OTHER_FIELDS))


@dataclass(frozen=True, eq=False)
class ChatText:
    """The text of a chat request: the contents of all messages, joined by newlines.

    Message ``i`` is ``text[message_offsets[i] : message_offsets[i + 1] - 1]``, the last one
    reaches to the end.

    Attributes:
        text: What is judged.
        utf8: The same, encoded.
        message_offsets: int32 ``[messages]``, code points; the first is 0.
        skipped_parts: How many parts were not text and so are not judged: images, audio, files,
            tool calls and the like.
    """

    text: str
    utf8: bytes
    message_offsets: NDArray[np.int32]
    skipped_parts: int


def parse_chat(
    request: Mapping[str, Any] | bytes | str, *, max_body_bytes: int = MAX_BODY_BYTES
) -> ChatText:
    """Take the text out of a chat-completions request.

    Messages of every role are judged. The text parts of one message are joined by newlines; an
    assistant message may lack a content. What is not text is counted in ``skipped_parts``.

    Args:
        request: The body, as JSON or decoded.
        max_body_bytes: Limit for the body, and for the text of a decoded one, in UTF-8 bytes.

    Raises:
        InvalidRequestError: It is not a chat request, or its text is not valid Unicode.
        EmptyRequestError: No message has any text.
        RequestTooLargeError: It is over the limit.
    """
    if isinstance(request, str):
        check_size(len(request), max_body_bytes)  # before the copy; UTF-8 is never shorter
        try:
            request = request.encode()
        except UnicodeEncodeError as error:
            raise InvalidRequestError(
                f"the request has a lone surrogate at character {error.start}; it is not Unicode"
            ) from None
    if isinstance(request, bytes):
        check_size(len(request), max_body_bytes)
        return parse_body(request, "chat", max_body_bytes)[1]
    return _chat_text(request, max_body_bytes)


def parse_body(
    body: bytes, kind: Kind, max_body_bytes: int = MAX_BODY_BYTES
) -> tuple[dict[str, Any], ChatText]:
    """Decode a body, once, and take its text out of it.

    Of a completions body, every prompt is a message, and so is the suffix.

    Raises:
        InvalidRequestError: It is not a request of this kind, its text is not valid Unicode, or
            another parser may read it differently.
        EmptyRequestError: There is no text in it.
        RequestTooLargeError: It is over the limit.
    """
    check_size(len(body), max_body_bytes)
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _explain(body, kind, max_body_bytes, error) from None
    # First, since it leaves every string with its UTF-8, which the text is made of.
    _refuse_duplicate_keys(body, request, _JUDGED_KEYS[kind])
    _refuse_other_case(request, _JUDGED_KEYS[kind])
    return request, _text(request, kind, max_body_bytes)


def plain_text(text: str, *, max_body_bytes: int = MAX_BODY_BYTES) -> ChatText:
    """Take a bare text as a chat of one message.

    Raises:
        InvalidRequestError: The text is not valid Unicode, or not a string.
        EmptyRequestError: There is nothing but white space.
        RequestTooLargeError: It is over the limit.
    """
    return _chat_text({"messages": [{"role": "user", "content": text}]}, max_body_bytes)


def check_size(size: int, limit: int) -> None:
    if size > limit:
        raise RequestTooLargeError(
            f"the request has {size:,} bytes, over the limit of {limit:,}; shorten it"
        )


def _explain(
    body: bytes, kind: Kind, limit: int, error: orjson.JSONDecodeError
) -> InvalidRequestError:
    """Say what is wrong with a body that orjson refuses."""
    try:
        body.decode()
    except UnicodeDecodeError as undecodable:
        return InvalidRequestError(f"the request is not UTF-8 at byte {undecodable.start}")
    # The standard library takes escaped lone surrogates: it can tell which message has them.
    try:
        _text(json.loads(body), kind, limit)
    except InvalidRequestError as invalid:
        if "surrogate" in str(invalid):
            return invalid
    except (ValueError, RecursionError, EmptyRequestError, RequestTooLargeError):
        pass
    return InvalidRequestError(f"the request is not JSON: {error}")


def _refuse_duplicate_keys(body: bytes, request: object, judged: Sequence[str]) -> None:
    """Refuse a key that occurs twice in one object, as exactly as a full parse but faster.

    Written anew, the request has one colon less for every key that was lost. Only a colon that was
    escaped in the body could make up for it.
    """
    try:
        anew = orjson.dumps(request)
    except orjson.JSONEncodeError:  # nested deeper than orjson writes
        anew = b""
    if anew == body or (_colons(anew) == _colons(body) and not _escapes_colon(body)):
        return

    def check(pairs: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            for key in judged:
                if keys.count(key) > 1:
                    raise InvalidRequestError(
                        f'the key "{key}" occurs twice in one object of the request'
                    )

    try:
        json.loads(body, object_pairs_hook=check)
    except RecursionError:
        raise InvalidRequestError("the request is nested too deep") from None


def _refuse_other_case(request: object, judged: Sequence[str]) -> None:
    """Refuse what some servers, those in Go among them, take for a field that is judged."""
    if not isinstance(request, dict):
        return
    names = set(request)
    messages = request.get("messages")
    if isinstance(messages, list):
        objects = [message for message in messages if isinstance(message, dict)]
        names.update(*objects)
        for message in objects:
            content = message.get("content")
            if isinstance(content, list):
                names.update(*(part for part in content if isinstance(part, dict)))
    for name in names.difference(judged):
        if (field := name.casefold()) in judged:
            raise InvalidRequestError(
                f'the request has a field "{name}", which some servers read as "{field}"'
            )


def _colons(document: bytes) -> int:
    # Not `count`, which takes ten times as long in prose.
    return int(np.count_nonzero(np.frombuffer(document, np.uint8) == ord(":")))


def _escapes_colon(body: bytes) -> bool:
    """Whether an escaped colon may be in the body."""
    data = np.frombuffer(body, np.uint8)
    if not ((data[:-1] == ord("\\")) & (data[1:] == ord("u"))).any():  # a quick look
        return False
    at = np.flatnonzero(data[:-5] == ord("\\"))
    at = at[data[at + 1] == ord("u")]
    return bool(((data[at + 4] == ord("3")) & ((data[at + 5] | 0x20) == ord("a"))).any())


def _text(request: object, kind: Kind, limit: int) -> ChatText:
    return (_chat_text if kind == "chat" else _completions_text)(request, limit)


def _chat_text(request: object, limit: int) -> ChatText:
    if not isinstance(request, Mapping):
        raise InvalidRequestError(f"the request must be a JSON object, not {json_type(request)}")
    messages = request.get("messages")
    if messages is None:
        raise InvalidRequestError('the request has no "messages"')
    if not isinstance(messages, (list, tuple)):
        raise InvalidRequestError(f'"messages" must be a list, not {json_type(messages)}')
    if not messages:
        raise InvalidRequestError('"messages" is empty; send at least one message')
    texts = _plain_contents(messages)
    skipped = 0
    if texts is None:
        texts = []
        for index, message in enumerate(messages):
            text, not_text = _message(message, f"messages[{index}]")
            texts.append(text)
            skipped += not_text
    return _joined(texts, skipped, limit, "messages[{}]".format)


def _plain_contents(messages: Sequence[Any]) -> list[str] | None:
    """The contents, when each is a text and all there is: there may be tens of thousands."""
    if set(map(type, messages)) != {dict} or not _NOT_TEXT.isdisjoint(set().union(*messages)):
        return None
    try:
        contents = list(map(itemgetter("content"), messages))
    except KeyError:
        return None
    return contents if set(map(type, contents)) == {str} else None


def _completions_text(request: object, limit: int) -> ChatText:
    if not isinstance(request, Mapping):
        raise InvalidRequestError(f"the request must be a JSON object, not {json_type(request)}")
    prompt = request.get("prompt")
    if prompt is None:
        raise InvalidRequestError('the request has no "prompt"')
    texts = [prompt] if isinstance(prompt, str) else prompt
    if not isinstance(texts, list):
        raise InvalidRequestError(
            f'"prompt" must be a text or a list of texts, not {json_type(prompt)}'
        )
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidRequestError(
                f"prompt[{index}] must be a text, not {json_type(text)}; token ids cannot be judged"
            )
    suffix = request.get("suffix")
    if suffix is not None and not isinstance(suffix, str):
        raise InvalidRequestError(f'"suffix" must be a text, not {json_type(suffix)}')
    skipped = int(request.get("prompt_embeds") is not None)
    return _joined(
        texts if suffix is None else [*texts, suffix],
        skipped,
        limit,
        lambda index: f"prompt[{index}]" if index < len(texts) else "suffix",
    )


def _joined(texts: list[str], skipped: int, limit: int, name: Callable[[int], str]) -> ChatText:
    """The text of all messages; ``name`` says what the message of a number is called."""
    text = "\n".join(texts)
    check_size(len(text), limit)  # before the copy; UTF-8 is never shorter
    lengths = np.fromiter(map(len, texts), np.int32, len(texts))
    lengths += 1
    offsets = np.add.accumulate(lengths, dtype=np.int32) - lengths
    try:
        utf8 = text.encode() if text.isascii() else b"\n".join([part.encode() for part in texts])
    except UnicodeEncodeError as error:
        index = next(index for index, part in enumerate(texts) if part is error.object)
        raise InvalidRequestError(
            f"{name(index)} has a lone surrogate at character {error.start} of its text; "
            "it is not Unicode"
        ) from None
    check_size(len(utf8), limit)
    if not text or text.isspace():
        beside = f"; {skipped} parts that are not text were skipped" if skipped else ""
        raise EmptyRequestError(f"the request is empty: no message has any text{beside}")
    return ChatText(text, utf8, offsets, skipped)


def _message(message: object, where: str) -> tuple[str, int]:
    """The text of one message, and how many parts of it are not text."""
    if not isinstance(message, Mapping):
        raise InvalidRequestError(f"{where} must be an object, not {json_type(message)}")
    tool_calls = message.get("tool_calls")
    skipped = len(tool_calls) if isinstance(tool_calls, (list, tuple)) else tool_calls is not None
    skipped += sum(message.get(field) is not None for field in _OTHER_FIELDS)
    content = message.get("content")
    if content is None:
        if message.get("role") != "assistant":
            raise InvalidRequestError(f'{where} has no "content"')
        return "", skipped
    if isinstance(content, str):
        return content, skipped
    if not isinstance(content, (list, tuple)):
        raise InvalidRequestError(
            f"{where}.content must be a text or a list of parts, not {json_type(content)}"
        )
    texts: list[str] = []
    for index, part in enumerate(content):
        part_texts, is_text = _part(part, f"{where}.content[{index}]")
        texts.extend(part_texts)
        skipped += not is_text
    return "\n".join(texts), skipped


def _part(part: object, where: str) -> tuple[Iterator[str], bool]:
    """The text of a part, if any, and whether the part is nothing but text."""
    if isinstance(part, str):
        return iter((part,)), True
    if not isinstance(part, Mapping):
        raise InvalidRequestError(f"{where} must be an object, not {json_type(part)}")
    is_text = part.get("type") in _TEXT_PARTS
    text = part.get("text")
    if isinstance(text, str):
        return iter((text,)), is_text
    if is_text or text is not None:
        raise InvalidRequestError(f"{where}.text must be a text, not {json_type(text)}")
    return iter(()), False


def json_type(value: object) -> str:
    """Name a value's type as JSON does."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
    return f"a {type(value).__name__}"
