"""Where the parts that Triton loads lie: in a checkout, or inside the installed package."""

from __future__ import annotations

import os
from pathlib import Path

from pointsman.errors import ModelRepositoryNotFoundError, SetupError

MODEL_REPOSITORY_VARIABLE = "POINTSMAN_MODEL_REPOSITORY"

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent.parent
_INSTALLED = _PACKAGE / "_server"


def model_repository(path: str | Path | None = None) -> Path:
    """Return the model repository to serve.

    Args:
        path: the repository to use. Otherwise the environment variable
            ``POINTSMAN_MODEL_REPOSITORY``, else the checkout this package lies in, else the copy
            inside the installed package.

    Returns:
        An absolute path to a directory with at least one ``<model>/config.pbtxt``.

    Raises:
        ModelRepositoryNotFoundError: there is no such directory, or no model in it. A repository
            that was named is never replaced by another one.
    """
    named = path if path is not None else os.environ.get(MODEL_REPOSITORY_VARIABLE) or None
    if named is not None:
        candidates = [Path(named)]
    else:
        candidates = [_CHECKOUT / "model_repository", _INSTALLED / "model_repository"]
    for candidate in candidates:
        if model_names(candidate):
            return candidate.resolve()
    raise ModelRepositoryNotFoundError(candidates)


def model_names(repository: Path) -> list[str]:
    """Return the names of the models in a repository, sorted."""
    return sorted(config.parent.name for config in repository.glob("*/config.pbtxt"))


def python_backends() -> Path:
    """Return the directory that holds our Triton backends, ``onnxruntime/model.py`` among them.

    Raises:
        SetupError: the package is incomplete.
    """
    candidates = [_CHECKOUT / "python_backends", _INSTALLED / "python_backends"]
    for candidate in candidates:
        if (candidate / "onnxruntime" / "model.py").is_file():
            return candidate
    tried = " and ".join(str(candidate) for candidate in candidates)
    raise SetupError(f"no onnxruntime/model.py in {tried}: reinstall pointsman")
