"""Where the parts that Triton loads lie: in a checkout, or inside the installed package."""

from __future__ import annotations

import os
from pathlib import Path

from pointsman.errors import ModelRepositoryNotFoundError, SetupError

ATTENTION_LIBRARY = "libck_flash_attention.so"
COMPRESSOR_LIBRARY = "libpointsman_compressor.so"
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


def kernels() -> Path:
    """Return the directory of our native libraries; it need not exist.

    A configuration names an op library bare, ``libck_flash_attention.so``, and the compressor
    looks for its own by its name: this directory is to be on ``LD_LIBRARY_PATH``.
    """
    in_checkout = (_CHECKOUT / "kernels").is_dir()
    return _CHECKOUT / "build" / "kernels" if in_checkout else _INSTALLED / "kernels"


def op_library(name: str, model: Path, library_path: str) -> Path | None:
    """Return the file that a configuration's ``op_library_filename`` means, if it can be told.

    Args:
        name: what the configuration says: a path, or a bare file name.
        model: directory of the model, which may hold libraries, as may its versions.
        library_path: directories that a bare name is looked for in, as in ``LD_LIBRARY_PATH``.

    Returns:
        None where there is none; the system's own directories are not looked through.

    Raises:
        SetupError: `name` is our attention library, which has not been built.
    """
    folders = [*sorted(model.glob("[0-9]*")), model]
    if "/" not in name:
        folders += [Path(entry) for entry in library_path.split(os.pathsep) if entry]
        folders.append(kernels())
    for folder in folders:
        if (folder / name).is_file():
            return (folder / name).absolute()
    if name == ATTENTION_LIBRARY:
        raise SetupError(
            f"{name} is not in {kernels()}: build it with scripts/build_kernels, or put the "
            "directory that has it on LD_LIBRARY_PATH"
        )
    return None
