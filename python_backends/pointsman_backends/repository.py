"""Reads what a model needs to know of its siblings in a Triton model repository."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "ClassifierInfo",
    "RepositoryError",
    "read_classifier",
    "read_tokenizer",
    "version_folder",
]


class RepositoryError(ValueError):
    """A model repository lacks a file, or a file in it is not what it must be."""


@dataclass(frozen=True)
class ClassifierInfo:
    """What ``labels.json`` says of one classifier.

    Attributes:
        name: The model's name, which is its folder's name.
        folder: Its highest version folder, which holds model.onnx.
        labels: Label names in the order of the logits.
        max_tokens: The longest input in tokens, [CLS] and [SEP] included.
        encoder: The model whose hidden states it reads; None if it reads token ids itself.
    """

    name: str
    folder: Path
    labels: tuple[str, ...]
    max_tokens: int
    encoder: str | None = None


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
            ``{"labels": [distinct names], "max_tokens": whole number over 2}``, and, of a head,
            ``"encoder": name of a model``.
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
    encoder = document.get("encoder")
    if encoder is not None and (not isinstance(encoder, str) or not encoder):
        raise RepositoryError(
            f'{path}: "encoder" must be the name of the model whose hidden states this one reads; '
            "leave it out of a classifier that reads token ids"
        )
    return ClassifierInfo(name, folder, tuple(labels), max_tokens, encoder)


def read_tokenizer(repository: Path, classifiers: Sequence[ClassifierInfo]) -> Path:
    """Find the tokenizer that all classifiers understand: that of the models which read its ids.

    A classifier that reads token ids has a tokenizer.json of its own; a head takes that of its
    encoder.

    Args:
        repository: The model repository.
        classifiers: What is known of them; at least one.

    Returns:
        Path of one tokenizer.json; where there are several, they are the same.

    Raises:
        RepositoryError: A tokenizer.json or an encoder is missing, two of them differ, or a head
            has one too.
    """
    first: tuple[Path, bytes] | None = None
    for classifier in classifiers:
        folder, who = classifier.folder, classifier.name
        if classifier.encoder is not None:
            if (folder / "tokenizer.json").exists():
                raise RepositoryError(
                    f'{folder} has a tokenizer.json, but its labels.json names the "encoder" '
                    f'"{classifier.encoder}", whose tokenizer counts: remove the one or the other'
                )
            who = f'"{classifier.encoder}", whose hidden states {classifier.name} reads'
            try:
                folder = version_folder(repository / classifier.encoder)
            except RepositoryError as error:
                raise RepositoryError(f"{error}: it is {who}") from None
        path = folder / "tokenizer.json"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RepositoryError(
                f"cannot read {path}: {error.strerror or error}; it is the tokenizer of {who}"
            ) from error
        if first is None:
            first = path, content
        elif content != first[1]:
            raise RepositoryError(
                f"{path} differs from {first[0]}; all models read the same token ids, so their "
                "tokenizers must be the same file"
            )
    if first is None:
        raise ValueError("no classifiers named; name those that judge what the compressor keeps")
    return first[0]
