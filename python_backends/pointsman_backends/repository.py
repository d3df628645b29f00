"""Reads what a model needs to know of its siblings in a Triton model repository."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ClassifierInfo", "RepositoryError", "read_classifier", "version_folder"]


class RepositoryError(ValueError):
    """A model repository lacks a file, or a file in it is not what it must be."""


@dataclass(frozen=True)
class ClassifierInfo:
    """What ``labels.json`` says of one classifier.

    Attributes:
        name: The model's name, which is its folder's name.
        folder: Its highest version folder, which holds model.onnx and tokenizer.json.
        labels: Label names in the order of the logits.
        max_tokens: The longest input in tokens, [CLS] and [SEP] included.
    """

    name: str
    folder: Path
    labels: tuple[str, ...]
    max_tokens: int


def version_folder(model: Path) -> Path:
    """Find the version folder that Triton serves by default: the highest number.

    As in Triton, names that are not numbers, zero, and names with a leading zero do not count.

    Args:
        model: The model's folder, e.g. ``model_repository/safety_classifier``.

    Raises:
        RepositoryError: There is no such model, or it has no version folder.
    """
    if not model.is_dir():
        raise RepositoryError(f"no model folder {model}; add the model to the repository")
    versions = [
        int(entry.name)
        for entry in model.iterdir()
        if entry.name.isascii()
        and entry.name.isdigit()
        and not entry.name.startswith("0")
        and entry.is_dir()
    ]
    if not versions:
        raise RepositoryError(f"{model} has no version folder; add one named 1, with the model")
    return model / str(max(versions))


def read_classifier(repository: Path, name: str) -> ClassifierInfo:
    """Read ``<repository>/<name>/<highest version>/labels.json``.

    Args:
        repository: The model repository, that is the parent of a model's own folder.
        name: The classifier's name.

    Raises:
        RepositoryError: The folder or the file is missing, or the file does not hold
            ``{"labels": [distinct names], "max_tokens": whole number over 2}``.
    """
    folder = version_folder(repository / name)
    path = folder / "labels.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RepositoryError(
            f"cannot read {path}: {error.strerror or error}; every classifier needs a labels.json"
        ) from error
    except ValueError as error:  # not UTF-8, or not JSON
        raise RepositoryError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise RepositoryError(f'{path} must hold an object with "labels" and "max_tokens"')
    labels = document.get("labels")
    if (
        not isinstance(labels, list)
        or not labels
        or not all(isinstance(label, str) and label for label in labels)
        or len(set(labels)) != len(labels)
    ):
        raise RepositoryError(f'{path}: "labels" must be a list of distinct, non-empty names')
    max_tokens = document.get("max_tokens")
    # bool is an int in Python; 2 tokens would be [CLS] and [SEP] alone.
    if not isinstance(max_tokens, int) or isinstance(max_tokens, bool) or max_tokens <= 2:
        raise RepositoryError(f'{path}: "max_tokens" must be a whole number over 2')
    return ClassifierInfo(name, folder, tuple(labels), max_tokens)
