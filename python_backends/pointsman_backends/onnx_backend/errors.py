"""Errors of the backend; each message is one line that says what to do."""

from __future__ import annotations


class BackendError(Exception):
    """Base of this package's errors."""


class ConfigError(BackendError):
    """config.pbtxt asks for something impossible, unknown, or at odds with the model."""


class LoadError(BackendError):
    """An op library or the model cannot be loaded as configured."""


class InferenceError(BackendError):
    """A request cannot be answered."""


def one_line(error: object) -> str:
    """Text of ``error`` with every run of white space made one space."""
    return " ".join(str(error).split())
