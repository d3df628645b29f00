"""The supervisor: dead, stopped and hanging models are replaced, and /healthz tells the truth."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tritonclient.utils import InferenceServerException

from pointsman.embedded import EmbeddedTriton
from pointsman.errors import PortInUseError
from pointsman.health import Health, HealthServer
from pointsman.processes import stubs
from pointsman.supervisor import Backoff, Supervisor, _Progress
from tests.waiting import wait_until

Ask = Callable[..., bytes]
Connect = Callable[[str], Any]
MakeRepository = Callable[..., Path]
Leftovers = Callable[[str], list[str]]

server = pytest.mark.server
pytestmark = pytest.mark.alone
DEADLINE_S = 3.0
# How long a channel that was refused a connection may wait before it connects again: the toy
# client's longest back-off, gRPC's jitter of a fifth, and time to be scheduled.
RECONNECT_S = 0.5 * 1.2 + 0.2


@dataclass(frozen=True)
class Call:
    begin: float
    end: float
    error: str


class Load:
    """Threads that ask without a pause, and what became of every request."""

    def __init__(self, url: str, connect: Connect, threads: int = 8) -> None:
        self.calls: list[Call] = []
        self._stop = threading.Event()
        self._url, self._connect = url, connect
        self._threads = [threading.Thread(target=self._hammer, args=(n,)) for n in range(threads)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _hammer(self, number: int) -> None:
        text = f"text of thread {number} ".encode() * 50
        with self._connect(self._url) as ask:
            while not self._stop.is_set():
                begin, error = time.monotonic(), ""
                try:
                    assert ask(text, timeout_s=DEADLINE_S) == text
                except InferenceServerException as failure:
                    error = str(failure)
                self.calls.append(Call(begin, time.monotonic(), error))
                self._stop.wait(0.02 if error else 0.001)


def pid_of(triton: EmbeddedTriton, model: str) -> int:
    (pid,) = (process.pid for process, served in stubs(triton.pid) if served.name == model)
    return pid


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def triton(toys: Path) -> Iterator[EmbeddedTriton]:
    toy_server = EmbeddedTriton(toys)
    toy_server.start()
    yield toy_server
    toy_server.stop(at_once=True)


@pytest.fixture
def supervisor(triton: EmbeddedTriton, reports: list[str]) -> Iterator[Supervisor]:
    with Supervisor(triton, reports.append) as watching:
        yield watching


@pytest.fixture(scope="module")
def healed_within_s(toys: Path) -> float:
    """5 s; more on a machine so busy that a server of two toy models starts slowly (else 1 s)."""
    begin = time.monotonic()
    toy_server = EmbeddedTriton(toys)
    toy_server.start()
    elapsed_s = time.monotonic() - begin
    toy_server.stop(at_once=True)
    return max(5.0, 3 * elapsed_s)


@server
class TestHealing:
    @pytest.mark.parametrize("model", ["first", "second"])
    def test_a_killed_process_under_load_three_times_in_a_row(
        self,
        triton: EmbeddedTriton,
        supervisor: Supervisor,
        connect: Connect,
        ask: Ask,
        model: str,
        healed_within_s: float,
        reports: list[str],
    ) -> None:
        killed: list[float] = []
        ready: list[float] = []
        with Load(triton.grpc_url, connect) as load:
            for _ in range(3):
                seen = len(load.calls)
                wait_until(lambda: any(not call.error for call in load.calls[seen:]), 10)  # noqa: B023
                killed.append(time.monotonic())
                os.kill(pid_of(triton, model), signal.SIGKILL)
                wait_until(lambda: supervisor.health().status == "healing", 2)
                wait_until(lambda: supervisor.health().status == "ready", healed_within_s)
                ready.append(time.monotonic())
                # A request that begins now is answered.
                assert ask(triton.grpc_url, b"after", timeout_s=DEADLINE_S) == b"after"
        # No request was held beyond its deadline (plus the time to be scheduled).
        assert max(call.end - call.begin for call in load.calls) < DEADLINE_S + 1
        # Requests failed only when they were in flight at, or began after, the death of the
        # process and before it was replaced. Triton itself crashes now and then when a process
        # dies under load; then all of it is replaced, and clients connect anew.
        connected_s = RECONNECT_S if any("Triton ended" in line for line in reports) else 0.2
        for call in load.calls:
            if call.error:
                assert any(
                    call.end >= death and call.begin <= healed + connected_s
                    for death, healed in zip(killed, ready, strict=True)
                ), call
        assert any(call.error for call in load.calls)
        assert any(not call.error for call in load.calls)

    def test_a_dead_server_comes_back_on_the_same_ports(
        self,
        triton: EmbeddedTriton,
        supervisor: Supervisor,
        connect: Connect,
        ask: Ask,
        reports: list[str],
        leftovers: Leftovers,
        healed_within_s: float,
    ) -> None:
        url, name = triton.grpc_url, triton._server.name  # type: ignore[union-attr]
        with Load(url, connect) as load:
            wait_until(lambda: len(load.calls) > 50, 10)
            os.kill(triton.pid, signal.SIGKILL)
            wait_until(lambda: supervisor.health().status != "ready", 2)
            wait_until(lambda: supervisor.health().status == "ready", 2 * healed_within_s)
            assert ask(triton.grpc_url, b"after", timeout_s=DEADLINE_S) == b"after"
        assert triton.grpc_url == url
        assert max(call.end - call.begin for call in load.calls) < DEADLINE_S + 1
        assert leftovers(name) == []
        assert any("Triton ended" in report for report in reports)

    def test_a_stopped_process_is_replaced(
        self, triton: EmbeddedTriton, supervisor: Supervisor, ask: Ask, healed_within_s: float
    ) -> None:
        os.kill(pid_of(triton, "second"), signal.SIGSTOP)
        wait_until(lambda: supervisor.health().status != "ready", 1)
        wait_until(lambda: supervisor.health().status == "ready", healed_within_s)
        assert ask(triton.grpc_url, b"after") == b"after"

    def test_a_crash_in_the_model_names_its_exit(
        self,
        triton: EmbeddedTriton,
        supervisor: Supervisor,
        ask: Ask,
        reports: list[str],
        healed_within_s: float,
    ) -> None:
        with pytest.raises(InferenceServerException, match="not healthy"):
            ask(triton.grpc_url, b"exit")
        wait_until(lambda: "ready" in reports[1:], healed_within_s)
        assert any("the process of first died (exit 3)" in report for report in reports)
        assert ask(triton.grpc_url, b"after") == b"after"

    def test_a_hanging_model_is_replaced(
        self, triton: EmbeddedTriton, ask: Ask, reports: list[str], healed_within_s: float
    ) -> None:
        with Supervisor(triton, reports.append, hang_timeout_s=2) as supervisor:
            with pytest.raises(InferenceServerException, match="Deadline"):
                ask(triton.grpc_url, b"hang", timeout_s=0.3)
            with pytest.raises(InferenceServerException, match=r"not healthy|Deadline"):
                ask(triton.grpc_url, b"waits behind it", timeout_s=6)
            wait_until(lambda: any(report.startswith("first hangs") for report in reports), 5)
            wait_until(lambda: reports[-1] == "ready", healed_within_s)
            assert supervisor.health().status == "ready"
            assert ask(triton.grpc_url, b"after") == b"after"

    def test_a_busy_model_is_left_alone(
        self, triton: EmbeddedTriton, connect: Connect, reports: list[str]
    ) -> None:
        before = pid_of(triton, "first"), pid_of(triton, "second")
        with (
            Supervisor(triton, reports.append, hang_timeout_s=2),
            Load(triton.grpc_url, connect, threads=16) as load,
        ):
            begin = time.monotonic()
            wait_until(lambda: time.monotonic() - begin > 5, 10)  # over twice the hang time-out
        assert (pid_of(triton, "first"), pid_of(triton, "second")) == before
        assert not [call for call in load.calls if call.error]
        assert reports == ["ready"]

    def test_a_model_that_can_no_longer_load_is_tried_ever_more_rarely_until_it_can(
        self, make_repository: MakeRepository, ask: Ask, reports: list[str], tmp_path: Path
    ) -> None:
        broken = tmp_path / "broken"
        statement = f"assert not os.path.exists({str(broken)!r}), 'no weights'"
        triton = EmbeddedTriton(make_repository({"first": statement}))
        with triton, Supervisor(triton, reports.append) as supervisor:
            broken.touch()
            os.kill(pid_of(triton, "first"), signal.SIGKILL)
            wait_until(lambda: supervisor.health().status == "down", 10)
            wait_until(lambda: "no weights" in supervisor.health().detail, 30)
            assert "model first did not load" in supervisor.health().detail
            broken.unlink()
            wait_until(lambda: supervisor.health().status == "ready", 30)
            assert ask(triton.grpc_url, b"after") == b"after"
            triton.stop(at_once=True)
        assert len(reports) < 12

    def test_the_end_comes_at_once_while_the_server_is_started_again(
        self, make_repository: MakeRepository, tmp_path: Path, leftovers: Leftovers
    ) -> None:
        slow = tmp_path / "slow"
        statement = f"os.path.exists({str(slow)!r}) and time.sleep(600)"
        triton = EmbeddedTriton(make_repository({"first": statement}))
        with triton, Supervisor(triton) as supervisor:
            slow.touch()
            os.kill(triton.pid, signal.SIGKILL)
            wait_until(lambda: supervisor.health().status == "down", 5)
            wait_until(lambda: triton.running, 5)
            begin = time.monotonic()
        assert time.monotonic() - begin < 12
        assert leftovers(triton._server.name) == []  # type: ignore[union-attr]


class TestBackoff:
    def test_grows_from_nothing_to_half_a_minute(self) -> None:
        backoff, now, delays = Backoff(), 100.0, []
        for _ in range(12):
            due = backoff.failed(now)
            delays.append(due - now)
            now = due + 0.5
        assert delays == [0, 0, 0, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]

    def test_begins_anew_after_it_has_held(self) -> None:
        backoff = Backoff()
        now = 0.0
        for _ in range(6):
            now = backoff.failed(now)
        assert backoff.failed(now + 11) == now + 11


class TestProgress:
    @staticmethod
    def metrics(*, success: int, backend_failures: int, rejected: int, pending: int) -> str:
        return f"""# HELP nv_inference_request_success Number of successful requests
nv_inference_request_success{{model="clf",version="1"}} {success}
nv_inference_request_failure{{model="clf",reason="BACKEND",version="1"}} {backend_failures}
nv_inference_request_failure{{model="clf",reason="REJECTED",version="1"}} {rejected}
nv_inference_pending_request_count{{model="clf",version="1"}} {pending}
nv_inference_pending_request_count{{model="clf2",version="1"}} 0
"""

    def test_hangs_when_requests_wait_and_none_was_executed(self) -> None:
        progress = _Progress()
        for now, rejected in ((0.0, 0), (5.0, 3), (10.0, 9)):
            text = self.metrics(success=7, backend_failures=1, rejected=rejected, pending=2)
            assert progress.hanging(text, {}, now, 10) == []
        text = self.metrics(success=7, backend_failures=1, rejected=11, pending=2)
        assert progress.hanging(text, {}, 10.5, 10) == [("clf", 10.5)]
        assert progress.hanging(text, {}, 11, 10) == []  # its process is being replaced

    def test_does_not_hang_while_it_computes_except_for_ever(self) -> None:
        progress = _Progress()
        text = self.metrics(success=7, backend_failures=0, rejected=0, pending=2)
        for now in range(0, 301, 20):
            # A tenth of a core: it has neighbours.
            assert progress.hanging(text, {"clf": 5 + now / 10}, now, 10) == []
        assert progress.hanging(text, {"clf": 50}, 301, 10) == [("clf", 301)]

    @pytest.mark.parametrize("what", ["success", "backend_failures"])
    def test_does_not_hang_when_any_was_executed(self, what: str) -> None:
        progress = _Progress()
        for now in range(0, 60, 4):
            counts = {"success": 7, "backend_failures": 1, what: 100 + now}
            text = self.metrics(rejected=0, pending=9, **counts)
            assert progress.hanging(text, {}, now, 10) == []

    def test_does_not_hang_when_nobody_waits(self) -> None:
        progress = _Progress()
        for now in range(0, 60, 4):
            text = self.metrics(success=7, backend_failures=0, rejected=0, pending=0)
            assert progress.hanging(text, {}, now, 10) == []


def get(url: str) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"{}")


class TestHealthServer:
    @pytest.mark.parametrize(
        ("health", "code"),
        [
            (Health("ready"), 200),
            (Health("starting", "the models are loading"), 503),
            (Health("healing", 'the process of "x" died'), 503),
            (Health("down", "Triton ended"), 503),
        ],
    )
    def test_says_what_it_is_told(self, health: Health, code: int) -> None:
        with HealthServer("127.0.0.1", 0, lambda: health) as endpoint:
            url = f"http://127.0.0.1:{endpoint.port}/healthz"
            assert get(url) == (code, {"status": health.status, "detail": health.detail})
            assert get(url + "?verbose=1")[0] == code

    def test_a_silent_client_holds_nobody_up(self) -> None:
        with (
            HealthServer("127.0.0.1", 0, lambda: Health("ready")) as endpoint,
            socket.create_connection(("127.0.0.1", endpoint.port)),
        ):
            assert get(f"http://127.0.0.1:{endpoint.port}/healthz")[0] == 200

    def test_other_paths_are_not_found(self) -> None:
        with (
            HealthServer("127.0.0.1", 0, lambda: Health("ready")) as endpoint,
            pytest.raises(urllib.error.HTTPError, match="404"),
        ):
            urllib.request.urlopen(f"http://127.0.0.1:{endpoint.port}/", timeout=5)

    def test_a_busy_port(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            pytest.raises(PortInUseError),
        ):
            HealthServer("127.0.0.1", listener.getsockname()[1], lambda: Health("ready"))

    @server
    def test_before_the_first_start_it_is_starting(self, toys: Path) -> None:
        assert Supervisor(EmbeddedTriton(toys)).health().status == "starting"


@server
class TestServe:
    CODE = """
import sys
from pointsman.errors import SetupError
from pointsman.supervisor import serve
ports = dict(zip(("grpc_port", "http_port", "metrics_port", "health_port"), map(int, sys.argv[2:])))
try:
    sys.exit(serve(model_repository=sys.argv[1], **ports))
except SetupError as error:
    print("refused:", error)
    sys.exit(5)
"""

    @pytest.fixture
    def ports(self) -> list[int]:
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(4)]
            for sock in sockets:
                sock.bind(("127.0.0.1", 0))
            return [sock.getsockname()[1] for sock in sockets]

    @contextlib.contextmanager
    def serving(self, repository: Path, ports: list[int]) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, "-c", self.CODE, str(repository), *map(str, ports)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    @staticmethod
    def first_line(process: subprocess.Popen[str], start: str) -> str:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(start):
                return line
        raise AssertionError(f"it ended without {start!r}")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_serves_until_it_is_told_to_end(
        self, toys: Path, ports: list[int], ask: Ask, leftovers: Leftovers, number: int
    ) -> None:
        with self.serving(toys, ports) as process:
            line = self.first_line(process, "pointsman: serving")
            for port in ports:
                assert f"127.0.0.1:{port}" in line
            health = f"http://127.0.0.1:{ports[3]}/healthz"
            assert get(health) == (200, {"status": "ready", "detail": ""})
            assert ask(f"127.0.0.1:{ports[0]}", b"hello") == b"hello"
            process.send_signal(number)
            output, log = process.communicate(timeout=15)
        assert process.returncode == 0
        assert output.splitlines()[-1] == "pointsman: stopped"
        assert "Started GRPCInferenceService" in log
        assert "Traceback" not in log
        name = log.split("shm-region-prefix-name")[1].split('"')[2]
        assert name.startswith("pointsman-")
        assert leftovers(name) == []

    def test_a_second_signal_ends_it_at_once(
        self, toys: Path, ports: list[int], ask: Ask, leftovers: Leftovers
    ) -> None:
        with self.serving(toys, ports) as process:
            self.first_line(process, "pointsman: serving")
            with pytest.raises(InferenceServerException, match="Deadline"):
                ask(f"127.0.0.1:{ports[0]}", b"hang", timeout_s=0.3)
            begin = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            for line in process.stderr:
                if "Signal (15) received" in line:
                    break
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=15)
            assert time.monotonic() - begin < 3
        assert process.returncode == 0

    def test_a_signal_while_it_starts(
        self, make_repository: MakeRepository, ports: list[int]
    ) -> None:
        repository = make_repository({"first": "time.sleep(600)"})
        with self.serving(repository, ports) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if "loading: first" in line:
                    break
            url = f"http://127.0.0.1:{ports[3]}/healthz"
            code, state = get(url)
            assert (code, state["status"]) == (503, "starting")
            process.send_signal(signal.SIGTERM)
            output, log = process.communicate(timeout=15)
        assert process.returncode == 0
        assert "Traceback" not in log
        assert output == "pointsman: stopped\n"

    @pytest.mark.parametrize("which", range(4))
    def test_a_busy_port_is_refused_in_one_line(
        self, toys: Path, ports: list[int], which: int
    ) -> None:
        with (
            socket.create_server(("127.0.0.1", ports[which])),
            self.serving(toys, ports) as process,
        ):
            output, log = process.communicate(timeout=20)
        assert process.returncode == 5
        assert output.startswith(f"refused: port {ports[which]} on 127.0.0.1 is in use")
        assert log == ""
