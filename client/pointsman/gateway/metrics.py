"""What the gateway counts and times, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["Metrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """One gateway's metrics; docs/gateway.md explains each."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "pointsman_gateway_requests",
            "Requests that have ended. Status 499: the client went away before.",
            ("route", "action", "status"),
            registry=self._registry,
        )
        self.in_flight = Gauge(
            "pointsman_gateway_requests_in_flight",
            "Requests under way.",
            registry=self._registry,
        )
        self.decision = Histogram(
            "pointsman_gateway_decision_seconds",
            "From the end of a request's body until its decision is there and applied.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.first_byte = Histogram(
            "pointsman_gateway_upstream_first_byte_seconds",
            "From sending a request to a model's server until it begins to reply.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.upstream_failures = Counter(
            "pointsman_gateway_upstream_failures",
            "Requests that a model's server did not answer, or not to the end, by error code.",
            ("code",),
            registry=self._registry,
        )

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)
