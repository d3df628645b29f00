"""What a request can be refused for."""

from __future__ import annotations

__all__ = ["RequestError"]


class RequestError(ValueError):
    """The request cannot be judged as it stands; the fault is the caller's.

    Attributes:
        code: ``invalid_text``, ``invalid_offsets``, ``invalid_budget`` or ``too_large``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
