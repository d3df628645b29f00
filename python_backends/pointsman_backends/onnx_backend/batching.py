"""Runs the requests of one batch together where their shapes allow it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointsman_backends.onnx_backend.errors import InferenceError, one_line

Tensors = Mapping[str, NDArray[np.generic]]
Run = Callable[[Sequence[str], Tensors], Sequence[NDArray[np.generic]]]


class Request(NamedTuple):
    """One request.

    Attributes:
        inputs: Tensors by name; each has the batch dimension first where the model batches.
        outputs: Names of the outputs that are asked for.
    """

    inputs: Tensors
    outputs: Sequence[str]


def infer(
    run: Run, requests: Sequence[Request], *, batched: bool
) -> list[dict[str, NDArray[np.generic]] | InferenceError]:
    """Answer each request with its outputs or with an error.

    Requests whose inputs differ in the batch dimension alone make one run. When a run fails,
    each of its requests gets the error and the others go on.

    Args:
        run: Runs the model: output names and inputs to outputs, in the order of the names.
        requests: The requests, at least one.
        batched: Whether dimension 0 of every tensor is the batch.

    Returns:
        For each request, in order, outputs by name (only those asked for) or an error.
    """
    answers: dict[int, dict[str, NDArray[np.generic]] | InferenceError] = {}
    groups: dict[object, list[int]] = {}
    decoded: dict[int, Request] = {}
    for index, request in enumerate(requests):
        try:
            decoded[index] = request._replace(inputs=_decoded(request.inputs))
        except UnicodeDecodeError as error:
            answers[index] = InferenceError(f"a string input is not UTF-8: {error}")
            continue
        groups.setdefault(_key(request) if batched else index, []).append(index)
    for indices in groups.values():
        group = [decoded[index] for index in indices]
        try:
            results: Sequence[dict[str, NDArray[np.generic]] | InferenceError] = _run_group(
                run, group, batched=batched
            )
        except InferenceError as error:
            results = [error] * len(group)
        answers.update(zip(indices, results, strict=True))
    return [answers[index] for index in range(len(requests))]


def _decoded(inputs: Tensors) -> Tensors:
    """Make strings of the bytes that Triton hands over: ONNX Runtime would take their repr."""
    decoded = dict(inputs)
    for name, array in inputs.items():
        if array.dtype == np.object_:
            texts: list[Any] = [item.decode() for item in array.ravel().tolist()]
            decoded[name] = np.array(texts, np.object_).reshape(array.shape)
    return decoded


def _key(request: Request) -> object:
    return tuple(
        (name, array.dtype.str, array.shape[1:]) for name, array in sorted(request.inputs.items())
    )


def _run_group(
    run: Run, group: Sequence[Request], *, batched: bool
) -> list[dict[str, NDArray[np.generic]]]:
    names = list(dict.fromkeys(name for request in group for name in request.outputs))
    if not names:  # a caller may ask for no output at all; then there is nothing to compute
        return [{} for _ in group]
    inputs = group[0].inputs
    if len(group) > 1:
        inputs = {
            name: np.concatenate([request.inputs[name] for request in group]) for name in inputs
        }
    try:
        outputs = dict(zip(names, run(names, inputs), strict=True))
    except Exception as error:
        raise InferenceError(f"ONNX Runtime failed: {one_line(error)}") from error
    if not batched:
        return [outputs]
    sizes = [_batch_size(request) for request in group]
    for name, array in outputs.items():
        if array.ndim == 0 or array.shape[0] != sum(sizes):
            raise InferenceError(
                f'output "{name}" has shape {list(array.shape)}, but its first dimension must be '
                f"the batch size {sum(sizes)}"
            )
    bounds = np.cumsum([0, *sizes])
    return [
        {name: outputs[name][start:end] for name in request.outputs}
        for request, start, end in zip(group, bounds[:-1], bounds[1:], strict=True)
    ]


def _batch_size(request: Request) -> int:
    sizes = {array.shape[0] for array in request.inputs.values()}
    if len(sizes) != 1:
        raise InferenceError(f"inputs differ in batch size: {sorted(sizes)}")
    return int(sizes.pop())
