"""What Triton says of each model: how long requests waited for it, and how long it computed."""

from __future__ import annotations

from typing import Any

from tritonclient.grpc import InferenceServerClient

ENSEMBLE = "chat_router"

Times = dict[str, dict[str, tuple[int, int]]]
"""For each model, for each of Triton's durations: how often, and nanoseconds in all."""


def read(client: InferenceServerClient) -> Times:
    """Return what has come together since each model was loaded."""
    return parse(client.get_inference_statistics(as_json=True))


def parse(statistics: dict[str, Any]) -> Times:
    """Read the statistics endpoint's answer, as JSON, in which what is 0 is left out."""
    return {
        model["name"]: {
            name: (int(duration.get("count", 0)), int(duration.get("ns", 0)))
            for name, duration in model.get("inference_stats", {}).items()
        }
        for model in statistics.get("model_stats", [])
    }


def per_request(before: Times, after: Times) -> dict[str, dict[str, float]]:
    """Return what happened in between, for each model that answered a request.

    ``requests``; and of one request, in the mean, ``queue_ms``, its wait for the model, and
    ``compute_ms``, all that the model did: taking the inputs, computing, giving the outputs. The
    ensemble is left out: its times are those of its models.
    """
    found = {}
    for model, durations in after.items():

        def passed(name: str, column: int, model: str = model) -> int:
            nothing = (0, 0)
            earlier = before.get(model, {}).get(name, nothing)
            return after[model].get(name, nothing)[column] - earlier[column]

        requests = passed("compute_infer", 0)
        if model == ENSEMBLE or not requests or not durations:
            continue
        compute = sum(passed(f"compute_{step}", 1) for step in ("input", "infer", "output"))
        found[model] = {
            "requests": requests,
            "queue_ms": round(passed("queue", 1) / requests / 1e6, 3),
            "compute_ms": round(compute / requests / 1e6, 3),
        }
    return found
