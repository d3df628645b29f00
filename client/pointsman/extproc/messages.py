"""Builds what Envoy is told. Pure functions; bodies are bytes, headers a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue, HeaderValueOption
from envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import ProcessingMode
from envoy.service.ext_proc.v3.external_processor_pb2 import (
    BodyMutation,
    BodyResponse,
    CommonResponse,
    HeaderMutation,
    HeadersResponse,
    ImmediateResponse,
    ProcessingResponse,
    StreamedBodyResponse,
    TrailersResponse,
)
from envoy.type.v3.http_status_pb2 import HttpStatus
from google.protobuf.duration_pb2 import Duration

__all__ = [
    "Direction",
    "Edits",
    "body",
    "headers",
    "immediate",
    "more_time",
    "read_headers",
    "streamed",
    "trailers",
]

Direction = Literal["request", "response"]

# Envoy's advice for one message of a streamed body.
_PIECE_BYTES = 65_536


@dataclass(frozen=True)
class Edits:
    """What changes in the headers.

    Attributes:
        set: Replaces all headers of these names.
        remove: Names; those that are not there do no harm.
        reroute: Choose the route anew, by the headers as they are now.
    """

    set: dict[str, str] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    reroute: bool = False


def read_headers(received: HeaderMap) -> dict[str, str]:
    """Return the headers as Envoy sent them; several of one name are joined by commas."""
    found: dict[str, str] = {}
    for header in received.headers:
        value = header.raw_value.decode("latin-1") or header.value
        found[header.key] = f"{found[header.key]},{value}" if header.key in found else value
    return found


def headers(
    direction: Direction, edits: Edits | None = None, *, mode: ProcessingMode | None = None
) -> ProcessingResponse:
    """Answer to headers: go on; with ``mode``, treat the rest of the exchange otherwise."""
    answer = HeadersResponse(response=_common(edits))
    response = (
        ProcessingResponse(request_headers=answer)
        if direction == "request"
        else ProcessingResponse(response_headers=answer)
    )
    if mode is not None:
        response.mode_override.CopyFrom(mode)
    return response


def body(
    direction: Direction, content: bytes | None = None, edits: Edits | None = None
) -> ProcessingResponse:
    """Answer to a body, or to a chunk of a STREAMED one: leave it, or put ``content`` in its place.

    ``edits`` take effect while Envoy still holds the headers.
    """
    common = _common(edits)
    if content is not None:
        mutation = BodyMutation(body=content) if content else BodyMutation(clear_body=True)
        common.body_mutation.CopyFrom(mutation)
    return _body(direction, common)


def streamed(
    direction: Direction, content: bytes, *, end_of_stream: bool
) -> Iterator[ProcessingResponse]:
    """More of a FULL_DUPLEX_STREAMED body, in messages of 64 KiB at most."""
    begins = range(0, len(content), _PIECE_BYTES) or range(1)
    for begin in begins:
        piece = content[begin : begin + _PIECE_BYTES]
        last = begin == begins[-1]
        if piece or (last and end_of_stream):
            answer = StreamedBodyResponse(body=piece, end_of_stream=last and end_of_stream)
            mutation = BodyMutation(streamed_response=answer)
            yield _body(direction, CommonResponse(body_mutation=mutation))


def trailers(direction: Direction) -> ProcessingResponse:
    """Answer to trailers: leave them."""
    if direction == "request":
        return ProcessingResponse(request_trailers=TrailersResponse())
    return ProcessingResponse(response_trailers=TrailersResponse())


def immediate(
    status: int, content: bytes, to_set: Mapping[str, str], *, details: str
) -> ProcessingResponse:
    """Answer the client at once; nothing goes on to the model's server.

    Args:
        status: HTTP status.
        content: Body.
        to_set: Headers, the content type among them.
        details: One word for Envoy's access log.
    """
    return ProcessingResponse(
        immediate_response=ImmediateResponse(
            status=HttpStatus(code=status),
            headers=HeaderMutation(set_headers=_options(to_set.items())),
            body=content,
            details=details,
        )
    )


def more_time(seconds: float) -> ProcessingResponse:
    """Ask Envoy to wait so long for the answer; it takes this once for each answer."""
    duration = Duration()
    duration.FromMilliseconds(int(seconds * 1000))
    return ProcessingResponse(override_message_timeout=duration)


def _body(direction: Direction, common: CommonResponse) -> ProcessingResponse:
    answer = BodyResponse(response=common)
    if direction == "request":
        return ProcessingResponse(request_body=answer)
    return ProcessingResponse(response_body=answer)


def _common(edits: Edits | None) -> CommonResponse:
    if edits is None:
        return CommonResponse()
    return CommonResponse(
        header_mutation=HeaderMutation(
            set_headers=_options(edits.set.items()), remove_headers=edits.remove
        ),
        clear_route_cache=edits.reroute,
    )


def _options(pairs: Iterable[tuple[str, str]]) -> list[HeaderValueOption]:
    return [
        HeaderValueOption(
            header=HeaderValue(key=name, raw_value=value.encode("latin-1", "replace")),
            append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
        for name, value in pairs
    ]
