"""Triton's side of the compressor: a text in; token ids, their places and the findings out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import triton_python_backend_utils as pb_utils

from pointsman_backends.admission import Admission, OverloadedError
from pointsman_backends.compressor import Compressed, Compressor, RequestError
from pointsman_backends.metrics import CompressorMetrics


class TritonPythonModel:
    """Compresses the text of each request for the classifiers."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the parameters and the classifiers' tokenizer; a mistake stops the model."""
        parameters = json.loads(args["model_config"])["parameters"]
        value = {key: parameter["string_value"] for key, parameter in parameters.items()}
        try:
            self._compressor = Compressor.from_parameters(
                Path(args["model_repository"]).parent, value
            )
            self._admission = Admission(int(value["max_in_flight"]))
        except KeyError as error:
            raise ValueError(
                f"config.pbtxt of the compressor lacks the parameter {error}"
            ) from None
        self._metrics = CompressorMetrics(pb_utils.MetricFamily, pb_utils.Logger.log_warn)

    def finalize(self) -> None:
        """Report what is still to be reported."""
        self._metrics.close()

    def execute(
        self, requests: list[pb_utils.InferenceRequest]
    ) -> list[pb_utils.InferenceResponse]:
        """Answer each request by itself, with the tensors or with an error."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: pb_utils.InferenceRequest) -> pb_utils.InferenceResponse:
        try:
            ticket = self._admission.enter()
        except OverloadedError as error:
            return _error("overloaded", str(error))
        try:
            compressed, octets = self._compress(request)
        except RequestError as error:
            self._admission.leave(ticket)
            return _error(error.code, str(error))
        except Exception as error:  # noqa: BLE001 - one bad request must not end the process
            self._admission.leave(ticket)
            return _error("internal", f"compressor: {type(error).__name__}: {error}")
        self._admission.expect(ticket, compressed.input_ids.size)
        ids, offsets = compressed.input_ids[None], compressed.token_offsets[None]
        findings = compressed.findings()
        self._metrics.report(compressed, octets, 2 * ids.nbytes + offsets.nbytes + len(findings))
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("INPUT_IDS", ids),
                pb_utils.Tensor("ATTENTION_MASK", np.ones_like(ids)),
                pb_utils.Tensor("TOKEN_OFFSETS", offsets),
                pb_utils.Tensor("FINDINGS", np.array([[findings]], np.object_)),
                pb_utils.Tensor("TICKET", ticket[None]),
            ]
        )

    def _compress(self, request: pb_utils.InferenceRequest) -> tuple[Compressed, int]:
        text, offsets, budget = (
            _input(request, name) for name in ("TEXT", "MESSAGE_OFFSETS", "TOKEN_BUDGET")
        )
        tokens = 0 if budget is None else int(budget[0])
        return self._compressor.compress(text[0], offsets, tokens), len(text[0])


def _input(request: pb_utils.InferenceRequest, name: str) -> npt.NDArray[np.generic] | None:
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return None if tensor is None else tensor.as_numpy().reshape(-1)


def _error(code: str, message: str) -> pb_utils.InferenceResponse:
    line = " ".join(message.split())
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"[pointsman:{code}] {line}"))
