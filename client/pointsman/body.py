"""The body of one request: taken as it arrives, parsed once, edited where its bytes stand."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pointsman.chat import MAX_BODY_BYTES, ChatText, Kind, check_size, json_type, parse_body
from pointsman.errors import InvalidRequestError
from pointsman.scan import ModelScan
from pointsman.splice import Redaction, model_edit, redaction_edits, spliced

__all__ = ["ChatBody", "Redaction", "RequestBody"]

# The model is mostly the first key.
_FIRST_LOOK = 64
_LOOK = 2**16


@dataclass(frozen=True, eq=False)
class ChatBody:
    """A whole body, parsed. It says nothing of its text when it is printed.

    Attributes:
        kind: "chat" or "completions".
        raw: The body as it came.
        request: The same, decoded.
        chat: The text that is judged.
        model: The model that is asked for; None when there is no "model", or null.
        stream: Whether the answer is to be streamed.
    """

    kind: Kind
    raw: bytes = field(repr=False)
    request: dict[str, Any] = field(repr=False)
    chat: ChatText = field(repr=False)
    model: str | None
    stream: bool
    _model_span: tuple[int, int] | None = field(default=None, repr=False)

    def edited(
        self, *, model: str | None = None, redactions: Sequence[Redaction] = ()
    ) -> list[bytes]:
        """Return the body, in pieces, with another model and without what is redacted.

        All other bytes stay as they came. A body without "model" gains one.

        Args:
            model: The new model; None for the one that was asked for.
            redactions: In any order, disjoint, in code points of ``chat.text``. One that reaches
                over the border of two messages has its replacement in the first of them.

        Raises:
            InvalidRequestError: The body is nested too deep to look for values in it.
            ValueError: Redactions overlap, are empty or reach beyond the text.
        """
        edits = redaction_edits(self.raw, self.kind, self.request, self.chat, redactions)
        if model is not None:
            edits.append(model_edit(self.raw, model, self._model_span))
        return spliced(self.raw, edits)


class RequestBody:
    """The body of one request, as it arrives.

    Either it is kept until :meth:`finish` parses it, or :meth:`stream_through` gives up what has
    come so far and nothing is kept from then on.

    Args:
        kind: "chat" or "completions".
        max_body_bytes: Limit for the body, however it is handled.
    """

    def __init__(self, kind: Kind = "chat", *, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._kind: Kind = kind
        self._limit = max_body_bytes
        self._size = 0
        self._kept: io.BytesIO | None = io.BytesIO()
        self._scan = ModelScan()
        self._next_look = 1

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            RequestTooLargeError: The body is over the limit.
            InvalidRequestError: It is streamed through, and a second top-level "model" has come:
                the bytes must not be sent on, and what was sent must not be completed.
        """
        self._size += len(chunk)
        check_size(self._size, self._limit)
        if self._kept is None:
            self._scan.feed(chunk)
        elif self._size == len(chunk):
            # Not copied unless more of it comes: a body that is passed through is one chunk here.
            self._kept = io.BytesIO(chunk)
            self._kept.seek(len(chunk))
        else:
            self._kept.write(chunk)

    @property
    def size(self) -> int:
        """Bytes that have come."""
        return self._size

    def so_far(self) -> bytes:
        """What has come and is kept, copied."""
        return b"" if self._kept is None else self._kept.getvalue()

    @property
    def model(self) -> str | None:
        """The top-level "model", as soon as it has been found.

        What arrives is looked at whenever there is twice as much of it, and only when this is read.

        Raises:
            InvalidRequestError: There are two.
        """
        if self._size >= self._next_look and not self._scan.done:
            self._look(everything=False)
            self._next_look = 2 * self._size
        return self._scan.model

    def end(self) -> str | None:
        """Return the top-level "model" once all has come, without parsing the body.

        Raises:
            InvalidRequestError: There are two.
        """
        self._look(everything=False)
        return self._scan.model

    def _look(self, *, everything: bool) -> None:
        """Look at what has come since, up to the model or at all of it."""
        if self._kept is None:
            return
        kept = self._kept.getvalue()
        while self._scan.position < self._size and (everything or not self._scan.done):
            begin = self._scan.position
            length = _LOOK if begin else _FIRST_LOOK
            self._scan.feed(kept[begin : begin + length])

    def stream_through(self) -> bytes:
        """Keep nothing from now on.

        From here on, and once over what has come so far, a second top-level "model" is looked for,
        so that the name of a model that needs no judging cannot bring another one along.

        Returns:
            All bytes so far.

        Raises:
            InvalidRequestError: There are two top-level "model" in them.
        """
        self._look(everything=True)
        kept, self._kept = self._kept, None
        return b"" if kept is None else kept.getvalue()

    def finish(self) -> ChatBody:
        """Parse the body.

        Raises:
            InvalidRequestError: It is not JSON, not a request of its kind, or doubtful.
            EmptyRequestError: There is no text in it.
            RequestTooLargeError: It is over the limit.
            RuntimeError: It was streamed through.
        """
        if self._kept is None:
            raise RuntimeError("the body was streamed through, nothing of it was kept")
        raw = self._kept.getvalue()
        request, chat = parse_body(raw, self._kind, self._limit)
        model, stream = request.get("model"), request.get("stream")
        if not (model is None or isinstance(model, str)):
            raise InvalidRequestError(f'"model" must be a text, not {json_type(model)}')
        if not (stream is None or isinstance(stream, bool)):
            raise InvalidRequestError(f'"stream" must be true or false, not {json_type(stream)}')
        return ChatBody(self._kind, raw, request, chat, model, stream is True, self._scan.span)
