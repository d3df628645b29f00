"""Triton's side of the router: tensors in, a decision, tensors out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import triton_python_backend_utils as pb_utils

from pointsman_backends.admission import CAPACITY, Admission
from pointsman_backends.repository import read_classifier
from pointsman_backends.router.decision import UnknownPolicyError, decide
from pointsman_backends.router.policy import Labels, load_policy_file


class TritonPythonModel:
    """Judges each request by policy.yaml."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the policy file and the classifiers' labels; a mistake in them stops the model."""
        folder = Path(args["model_repository"])
        parameters = json.loads(args["model_config"])["parameters"]
        self._labels = Labels(
            *(
                read_classifier(folder.parent, parameters[key]["string_value"]).labels
                for key in ("safety_classifier", "domain_classifier", "pii_classifier")
            )
        )
        # The compressor lets requests in; here they leave.
        self._admission = Admission(CAPACITY)
        path = folder / args["model_version"] / "policy.yaml"
        self._policies = load_policy_file(path, self._labels)
        for name, policy in self._policies.policies.items():
            for label in policy.safety:
                if label not in self._labels.safety:
                    pb_utils.Logger.log_warn(
                        f'policy "{name}": the safety classifier has no label "{label}", '
                        "so this rule cannot fire"
                    )

    def execute(
        self, requests: list[pb_utils.InferenceRequest]
    ) -> list[pb_utils.InferenceResponse]:
        """Answer each request with a decision or an error, never with nothing."""
        responses = []
        for request in requests:
            responses.append(self._answer(request))
            ticket = pb_utils.get_input_tensor_by_name(request, "TICKET")
            if ticket is not None:
                self._admission.leave(ticket.as_numpy()[0])
        return responses

    def _answer(self, request: pb_utils.InferenceRequest) -> pb_utils.InferenceResponse:
        try:
            policy = pb_utils.get_input_tensor_by_name(request, "POLICY")
            decided = decide(
                *(
                    pb_utils.get_input_tensor_by_name(request, name).as_numpy()[0]
                    for name in ("SAFETY_LOGITS", "DOMAIN_LOGITS", "PII_LOGITS", "TOKEN_OFFSETS")
                ),
                findings=_text(pb_utils.get_input_tensor_by_name(request, "FINDINGS")),
                policy_name=_text(policy).decode("utf-8", "replace") if policy is not None else "",
                policies=self._policies,
                labels=self._labels,
            )
        except UnknownPolicyError as error:
            return _error("unknown_policy", error)
        except Exception as error:  # noqa: BLE001  one bad request must not end the process
            return _error("internal", f"router: {type(error).__name__}: {error}")
        decision = np.array([[decided.decision]], dtype=np.object_)
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor("DECISION", decision),
                pb_utils.Tensor("SAFETY_PROBS", decided.safety[None]),
                pb_utils.Tensor("DOMAIN_PROBS", decided.domain[None]),
            ]
        )


def _text(tensor: pb_utils.Tensor) -> bytes:
    value: bytes = tensor.as_numpy().reshape(-1)[0]
    return value


def _error(code: str, message: object) -> pb_utils.InferenceResponse:
    line = " ".join(str(message).split())
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"[pointsman:{code}] {line}"))
