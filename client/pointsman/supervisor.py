"""Keeps an embedded Triton able to answer, and says truthfully whether it is.

Triton runs every Python-backed model instance in a process of its own. When one dies, Triton goes
on to call the model and itself ready, never starts it again, and fails the model's requests one
after the other, one second each. The supervisor watches these processes and replaces the model.
"""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType, TracebackType

from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from pointsman.embedded import EmbeddedTriton
from pointsman.errors import SetupError
from pointsman.health import HEALTH_PATH, Health, HealthServer
from pointsman.processes import Process, stubs

_WATCH_S = 0.1
_LOAD_TIMEOUT_S = 30.0
_PROGRESS_S = 1.0
_SILENCE_S = 30.0
# A model that uses this share of a core computes: a long text takes its time. Not for ever.
_COMPUTING = 0.02
_LONGEST_S = 300.0
_BACKOFF_FREE = 3
_BACKOFF_FIRST_S = 0.5
_BACKOFF_LAST_S = 30.0
_STEADY_S = 10.0

Report = Callable[[str], None]


class Backoff:
    """How long to wait before the next attempt to replace something that keeps failing.

    At once three times, then 0.5 s, doubling to 30 s; from the start again after it has held for
    10 s.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._attempt_at = 0.0

    def failed(self, now: float) -> float:
        """Return when to make the next attempt, in the time base of `now` (seconds)."""
        if now > self._attempt_at + _STEADY_S:
            self._failures = 0
        self._failures += 1
        delay = 0.0
        if (excess := self._failures - _BACKOFF_FREE) > 0:
            delay = min(_BACKOFF_LAST_S, _BACKOFF_FIRST_S * 2.0 ** min(excess - 1, 16))
        self._attempt_at = now + delay
        return self._attempt_at


class Supervisor:
    """Watches a started `EmbeddedTriton` as long as the ``with`` block, and heals it.

    - A model's process died or was stopped: the model is unloaded at once, so that requests fail
      fast, loaded again, and the ensembles that need it are loaded again.
    - Requests wait for a model that has not answered for `hang_timeout_s` and does not compute, or
      that has computed for five minutes: its process is killed.
    - That failed or took over 30 s, Triton died, or it did not answer for 30 s: the whole server
      is started again, on the same ports.

    What keeps failing is tried ever more rarely: see `Backoff`.

    Args:
        triton: the server. Only the supervisor may start it while the block runs.
        report: gets one line for everything that happens.
        hang_timeout_s: longer than an honest execution waits for anything but the CPU, in seconds.
    """

    def __init__(
        self,
        triton: EmbeddedTriton,
        report: Report | None = None,
        *,
        hang_timeout_s: float = 20.0,
    ) -> None:
        self._triton = triton
        self._report = report or (lambda _: None)
        self._hang_timeout_s = hang_timeout_s
        self._health = Health("starting", "the models are loading")
        self._server = Process.of(0)
        self._instances: dict[str, int] = {}
        self._stubs: dict[str, list[Process]] = {}
        self._due: dict[str, float] = {}  # unloaded models: when to load them
        self._restart_due = 0.0
        self._backoffs: dict[str, Backoff] = {}  # per model; "" is the server
        self._progress = _Progress()
        self._check_at = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def __enter__(self) -> Supervisor:
        """Begin to watch."""
        try:
            self._take_stock()
        except InferenceServerException as error:  # it ended, or is busy: heal it
            self._condemn(str(error))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cease to watch; the server is left as it is, or stopped if it was being started."""
        self._closing.set()
        while self._thread.is_alive():
            self._thread.join(_WATCH_S)
            if self._thread.is_alive() and self._health.status != "ready":
                self._triton.stop()

    def health(self) -> Health:
        """Return the state of the server, checked now. Safe to call from any thread."""
        state = self._health
        if state.status != "ready":
            return state
        if dead := self._dead_models():
            return Health("healing", f"the process of {', '.join(dead)} has died")
        if trouble := self._triton.trouble():
            return Health("healing" if self._triton.running else "down", trouble)
        return state

    def _run(self) -> None:
        while not self._closing.wait(_WATCH_S):
            try:
                self._watch()
            except Exception as error:  # noqa: BLE001 (without this thread nothing is healed)
                self._condemn(f"{type(error).__name__}: {error}")

    def _watch(self) -> None:
        now = time.monotonic()
        if not self._triton.running:
            self._revive(now)
            return
        if not self._server.alive():
            self._condemn("Triton ended")
            return
        for model in self._dead_models():
            self._unload(model, now)
        if self._due:
            self._load(now)
        elif now >= self._check_at:
            self._check_at = now + _PROGRESS_S
            self._look_for_hangs(now)

    def _dead_models(self) -> list[str]:
        return [
            model
            for model, stubs in self._stubs.items()
            if model not in self._due and not all(stub.alive() for stub in stubs)
        ]

    def _unload(self, model: str, now: float) -> None:
        """Take a model whose process died out of service."""
        self._due[model] = self._backoffs.setdefault(model, Backoff()).failed(now)
        wait_s = self._due[model] - now
        fates = ", ".join(stub.fate() for stub in self._stubs[model] if not stub.alive())
        when = f"in {wait_s:.2g} s" if wait_s else "now"
        self._set("healing", f"the process of {model} died ({fates}); loading it again {when}")
        # The other instances, and one that is merely stopped: Triton would wait for them.
        for stub in self._stubs[model]:
            stub.kill()
        with self._client() as client:
            client.unload_model(model, client_timeout=_LOAD_TIMEOUT_S)

    def _load(self, now: float) -> None:
        """Load the models that are due, and when none is left the ensembles."""
        with self._client() as client:
            for model in [model for model, due in self._due.items() if due <= now]:
                client.load_model(model, client_timeout=_LOAD_TIMEOUT_S)
                del self._due[model]
                self._stubs[model] = []  # those known are dead; the new ones are counted below
            if self._due:
                return
            # Loading the last missing part loads an ensemble too. To load it once more could
            # replace its other parts: any whose files look changed.
            for ensemble in self._ensembles():
                if not client.is_model_ready(ensemble, client_timeout=_LOAD_TIMEOUT_S):
                    client.load_model(ensemble, client_timeout=_LOAD_TIMEOUT_S)
        self._take_stock()

    def _revive(self, now: float) -> None:
        """Start the server again when that is due."""
        if self._health.status != "down":
            self._restart_due = self._backoffs.setdefault("", Backoff()).failed(now)
            self._set("down", "Triton ended; starting it again")
        if now < self._restart_due:
            return
        try:
            self._triton.start()
            self._take_stock()
        except SetupError as error:
            self._restart_due = self._backoffs[""].failed(time.monotonic())
            wait_s = self._restart_due - time.monotonic()
            self._set("down", f"{error}; next attempt in {wait_s:.2g} s")

    def _condemn(self, reason: str) -> None:
        """Kill the server, so that it is started again."""
        if self._closing.is_set():
            return
        self._set("healing", f"replacing the server: {reason}")
        self._triton.stop(at_once=True)

    def _take_stock(self) -> None:
        """Learn the processes of a server whose models are all loaded."""
        self._server = Process.of(self._triton.pid)
        if not self._instances:
            self._instances = self._count_instances()
        found: dict[str, list[Process]] = {model: [] for model in self._instances}
        for process, directory in stubs(self._server.pid):
            found.setdefault(directory.name, []).append(process)
        # One that has died already has left no trace: stand in for it, so that it is missed.
        for model, instances in self._instances.items():
            found[model] += [Process.of(0)] * (instances - len(found[model]))
        self._stubs = found
        self._due.clear()
        self._progress = _Progress()
        self._set("ready")

    def _count_instances(self) -> dict[str, int]:
        """Return how many processes each model has, as Triton completed its configuration."""
        counts = {}
        with self._client() as client:
            for model in self._triton.models:
                if not self._triton.configs[model].parts:
                    config = client.get_model_config(model, client_timeout=_LOAD_TIMEOUT_S).config
                    counts[model] = sum(group.count for group in config.instance_group)
        return counts

    def _ensembles(self) -> list[str]:
        """Return the ensembles, those that others are made of first."""
        ordered: list[str] = []

        def visit(model: str) -> None:
            for part in self._triton.configs[model].parts:
                visit(part)
            if self._triton.configs[model].parts and model not in ordered:
                ordered.append(model)

        for model in self._triton.models:
            visit(model)
        return ordered

    def _look_for_hangs(self, now: float) -> None:
        try:
            metrics = self._triton.metrics()
        except OSError as error:
            if self._progress.silent_s(now) > _SILENCE_S:
                raise _LostError(f"Triton does not answer: {error}") from error
            return
        cpu_s = {model: sum(s.cpu_s() for s in stubs) for model, stubs in self._stubs.items()}
        for model, silent_s in self._progress.hanging(metrics, cpu_s, now, self._hang_timeout_s):
            self._report(f"{model} hangs, {silent_s:.3g} s by now: ending its process")
            for stub in self._stubs.get(model, []):
                stub.kill()

    def _set(self, status: str, detail: str = "") -> None:
        health = Health(status, detail)  # type: ignore[arg-type]
        if health != self._health:
            self._health = health
            self._report(f"{status}: {detail}" if detail else status)

    @contextlib.contextmanager
    def _client(self) -> Iterator[InferenceServerClient]:
        # A channel, and connections, of its own each time: those that saw the server die would
        # wait before they connect again.
        client = InferenceServerClient(
            self._triton.grpc_url, channel_args=[("grpc.use_local_subchannel_pool", 1)]
        )
        try:
            yield client
        finally:
            client.close()


class _LostError(Exception):
    """Only a new server can help."""


class _Progress:
    """Finds models that do not answer although requests wait, from Triton's own metrics."""

    def __init__(self) -> None:
        self._answered_at = time.monotonic()
        # model: executions; since when, and CPU seconds used by then
        self._seen: dict[str, tuple[float, float, float]] = {}

    def silent_s(self, now: float) -> float:
        """Return for how long there have been no metrics, in seconds."""
        return now - self._answered_at

    def hanging(
        self, metrics: str, cpu_s: Mapping[str, float], now: float, timeout_s: float
    ) -> list[tuple[str, float]]:
        """Find the models that neither execute requests nor compute.

        Args:
            metrics: Triton's metrics now.
            cpu_s: CPU seconds that the processes of each model have used by now.
            now: in seconds.
            timeout_s: without progress, in seconds.

        Returns:
            Their names, and for how long, in seconds.
        """
        self._answered_at = now
        executed = {
            model: sum(
                _samples(metrics, name, model)
                for name in ("nv_inference_request_success", "nv_inference_request_failure")
            )
            for model in set(re.findall(r'^nv_\w+\{model="([^"]+)"', metrics, re.M))
        }
        found = []
        for model, count in executed.items():
            waiting = _samples(metrics, "nv_inference_pending_request_count", model)
            used = cpu_s.get(model, 0.0)
            before, since, used_before = self._seen.get(model, (count, now, used))
            if count != before or not waiting:
                before, since, used_before = count, now, used
            silent_s = now - since
            computes = used - used_before > _COMPUTING * silent_s
            if silent_s > (_LONGEST_S if computes else timeout_s):
                found.append((model, silent_s))
                before, since, used_before = count, now, used
            self._seen[model] = before, since, used_before
        return found


def _samples(metrics: str, name: str, model: str) -> float:
    """Return the sum of a metric's samples for a model, over versions and executed requests."""
    pattern = rf'^{name}\{{model="{re.escape(model)}"(?P<labels>[^}}]*)\}} (?P<value>\S+)$'
    return sum(
        float(sample["value"])
        for sample in re.finditer(pattern, metrics, re.M)
        # Refused by the queue: no sign that the model runs.
        if 'reason="REJECTED"' not in sample["labels"]
        and 'reason="CANCELED"' not in sample["labels"]
    )


class _StopAskedError(BaseException):
    """SIGINT or SIGTERM came."""


def serve(
    *,
    host: str = "127.0.0.1",
    http_port: int = 8000,
    grpc_port: int = 8001,
    metrics_port: int = 8002,
    health_port: int = 8003,
    model_repository: str | Path | None = None,
) -> int:
    """Run a supervised Triton in the foreground until SIGINT or SIGTERM; a second one kills it.

    What happens is written to standard output, Triton's own log to standard error.

    Args:
        host: IPv4 address that all ports bind to.
        http_port: Triton's HTTP endpoint.
        grpc_port: Triton's gRPC endpoint.
        metrics_port: Triton's Prometheus metrics.
        health_port: ``/healthz``: see `HealthServer`.
        model_repository: directory of models; default: see `paths.model_repository`.

    Returns:
        The exit code, 0.

    Raises:
        SetupError: the server could not be started; see `EmbeddedTriton.start`.
    """
    triton = EmbeddedTriton(
        model_repository,
        host=host,
        grpc_port=grpc_port,
        http_port=http_port,
        metrics_port=metrics_port,
        log=sys.stderr,
    )
    supervisor = Supervisor(triton, _say)
    asked = 0

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise _StopAskedError
        triton.kill()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with HealthServer(host, health_port, supervisor.health) as health, triton, supervisor:
            _say(
                f"serving gRPC on {triton.grpc_url}, HTTP on {triton.http_url}, metrics on "
                f"{triton.metrics_url}, health on http://{host}:{health.port}{HEALTH_PATH}"
            )
            threading.Event().wait()
    except _StopAskedError:
        _say("stopped")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads it
        print(f"pointsman: {line}", flush=True)
