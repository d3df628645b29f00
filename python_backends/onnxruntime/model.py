"""A Python-based Triton backend named "onnxruntime", in place of the one written in C++.

This folder must stay without ``__init__.py``: a package here would hide the real onnxruntime.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import triton_python_backend_utils as pb_utils

from pointsman_backends.onnx_backend.errors import BackendError, InferenceError
from pointsman_backends.onnx_backend.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pointsman_backends.onnx_backend.batching import Tensors


class TritonPythonModel:
    """One instance of one ONNX model."""

    @staticmethod
    def auto_complete_config(config: pb_utils.ModelConfig) -> pb_utils.ModelConfig:
        """Take tensors and batch size from the model where config.pbtxt leaves them out."""
        given = config.as_dict()
        if given["input"] and given["output"]:
            return config
        # Triton runs this in a process of its own, at each start: import only when needed.
        from pointsman_backends.onnx_backend.session import complete

        try:
            completion = complete(read_settings(given, Path(pb_utils.get_model_dir())))
        except BackendError as error:
            raise pb_utils.TritonModelException(str(error)) from None
        for tensor in completion.inputs:
            config.add_input(tensor)
        for tensor in completion.outputs:
            config.add_output(tensor)
        if completion.max_batch_size >= given["max_batch_size"]:
            config.set_max_batch_size(completion.max_batch_size)
        if completion.max_batch_size > 1 and "sequence_batching" not in given:
            config.set_dynamic_batching()
        return config

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model; a mistake in the configuration or the model stops it here."""
        import onnxruntime

        from pointsman_backends.onnx_backend.session import create_session

        try:
            settings = read_settings(
                json.loads(args["model_config"]),
                Path(args["model_repository"]) / args["model_version"],
                kind=args["model_instance_kind"],
                device=int(args["model_instance_device_id"]),
            )
            for name in settings.unknown_parameters:
                pb_utils.Logger.log_warn(f'config.pbtxt: unknown parameter "{name}" is not used')
            self._session = create_session(settings)
        except BackendError as error:
            raise pb_utils.TritonModelException(str(error)) from None
        self._settings = settings
        self._run_options = onnxruntime.RunOptions()
        for key, value in settings.run_entries.items():
            self._run_options.add_run_config_entry(key, value)

    def execute(
        self, requests: list[pb_utils.InferenceRequest]
    ) -> list[pb_utils.InferenceResponse]:
        """Answer each request with the outputs it asked for, or with an error."""
        from pointsman_backends.onnx_backend.batching import Request, infer
        from pointsman_backends.onnx_backend.heap import trim_after

        asked = [
            Request(
                {tensor.name(): tensor.as_numpy() for tensor in request.inputs()},
                request.requested_output_names(),
            )
            for request in requests
        ]
        answers = infer(self._run, asked, batched=self._settings.max_batch_size > 0)
        responses = [_response(answer) for answer in answers]
        given = [answer for answer in answers if not isinstance(answer, InferenceError)]
        trim_after(
            tensor
            for tensors in (*(request.inputs for request in asked), *given)
            for tensor in tensors.values()
        )
        return responses

    def _run(self, names: Sequence[str], inputs: Tensors) -> Sequence[NDArray[np.generic]]:
        outputs: Sequence[NDArray[np.generic]] = self._session.run(
            list(names), dict(inputs), self._run_options
        )
        return outputs


def _response(
    answer: dict[str, NDArray[np.generic]] | InferenceError,
) -> pb_utils.InferenceResponse:
    if isinstance(answer, InferenceError):
        return pb_utils.InferenceResponse(
            error=pb_utils.TritonError(f"[pointsman:internal] {answer}")
        )
    return pb_utils.InferenceResponse(
        [pb_utils.Tensor(name, array) for name, array in answer.items()]
    )
