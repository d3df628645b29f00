"""The embedded Triton: it starts, says why it does not, and leaves nothing behind."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.utils import InferenceServerException

from pointsman import _guardian, embedded, paths
from pointsman.embedded import EmbeddedTriton, load_failures
from pointsman.errors import (
    ModelLoadError,
    ModelRepositoryNotFoundError,
    PortInUseError,
    PythonLibraryNotFoundError,
    ServerStartError,
    SetupError,
    TritonNotFoundError,
)
from pointsman.processes import pss_bytes

Ask = Callable[..., bytes]
MakeRepository = Callable[..., Path]
Leftovers = Callable[[str], list[str]]

server = pytest.mark.server
pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def log() -> list[str]:
    return []


@pytest.fixture(scope="module")
def running(toys: Path, log: list[str]) -> Iterator[EmbeddedTriton]:
    environment = {"POINTSMAN_TEST": "set", "OMP_NUM_THREADS": "3"}
    with EmbeddedTriton(toys, log=log.append, env=environment) as triton:
        yield triton
        triton.stop(at_once=True)


def name_of(triton: EmbeddedTriton) -> str:
    assert triton._server is not None
    return triton._server.name


@server
class TestRunning:
    def test_answers_through_the_ensemble_as_soon_as_it_is_ready(
        self, running: EmbeddedTriton, ask: Ask
    ) -> None:
        assert ask(running.grpc_url, "Grüße 👋".encode()) == "Grüße 👋".encode()
        assert running.running
        assert running.trouble() == ""

    def test_listens_on_three_different_ports_of_the_loopback_interface_only(
        self, running: EmbeddedTriton
    ) -> None:
        ports = {running.grpc_port, running.http_port, running.metrics_port}
        assert len(ports) == 3
        listening = set()
        for line in Path(f"/proc/{running.pid}/net/tcp").read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            if state == "0A" and int(address.split(":")[1], 16) in ports:
                listening.add(address.split(":")[0])
        assert listening == {"0100007F"}
        body = urllib.request.urlopen(running.metrics_url, timeout=5).read()
        assert b"nv_inference_request_success" in body

    @pytest.mark.parametrize("size", [0, 1, 65_536, 4 * 2**20])
    def test_passes_texts_up_to_4_mib(self, running: EmbeddedTriton, ask: Ask, size: int) -> None:
        text = np.random.default_rng(size).integers(1, 127, size, dtype=np.uint8).tobytes()
        assert ask(running.grpc_url, text) == text

    def test_models_see_the_packages_of_this_interpreter_and_no_gpu(
        self, running: EmbeddedTriton, ask: Ask
    ) -> None:
        facts = json.loads(ask(running.grpc_url, b"environment"))
        assert facts["numpy"] == np.__file__
        assert facts["version"].split()[0].rpartition(".")[0] == (
            f"{sys.version_info.major}.{sys.version_info.minor}"
        )
        variables = facts["variables"]
        assert variables["CUDA_VISIBLE_DEVICES"] == ""
        assert variables["POINTSMAN_TEST"] == "set"
        assert facts["encoding"] == "UTF-8"
        assert variables["OMP_NUM_THREADS"] == "3"
        assert variables["MALLOC_ARENA_MAX"] == "2"

    def test_forwards_its_log_and_keeps_the_end_of_it(
        self, running: EmbeddedTriton, log: list[str]
    ) -> None:
        assert any("Started GRPCInferenceService" in line for line in log)
        assert "second says: grüß" in log
        assert running.log_tail() == log[-len(running.log_tail()) :]

    def test_an_empty_server_with_two_models_is_small(self, running: EmbeddedTriton) -> None:
        everything = running.pss_bytes()
        assert everything > pss_bytes(running.pid) > 10e6
        assert everything < 250e6

    def test_memory_of_a_process_that_is_gone_is_nothing(self) -> None:
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait()
        assert pss_bytes(process.pid) == 0

    def test_a_second_server_may_run_beside_it(
        self, running: EmbeddedTriton, toys: Path, ask: Ask
    ) -> None:
        with EmbeddedTriton(toys, models=["first"]) as other:
            assert ask(other.grpc_url, b"there", model="first") == b"there"
            with pytest.raises(InferenceServerException, match="unknown model"):
                ask(other.grpc_url, b"there", model="second")
            assert ask(running.grpc_url, b"here") == b"here"
            other.stop(at_once=True)


@server
class TestEnd:
    def test_nothing_is_left_and_it_starts_again_on_the_same_ports(
        self, toys: Path, ask: Ask, leftovers: Leftovers
    ) -> None:
        triton = EmbeddedTriton(toys)
        with triton:
            urls = (triton.grpc_url, triton.http_url, triton.metrics_url)
            ask(triton.grpc_url, b"before")
            first = name_of(triton)
            assert leftovers(first)
        assert not triton.running
        assert triton.pid == 0
        assert triton.trouble() == "Triton does not run"
        assert leftovers(first) == []
        triton.stop()  # once more does no harm
        with triton:
            assert (triton.grpc_url, triton.http_url, triton.metrics_url) == urls
            assert ask(triton.grpc_url, b"after") == b"after"
        assert leftovers(name_of(triton)) == []

    def test_a_hanging_model_does_not_delay_the_end_for_long(
        self, toys: Path, ask: Ask, leftovers: Leftovers
    ) -> None:
        with EmbeddedTriton(toys) as triton:
            with pytest.raises(InferenceServerException, match="Deadline"):
                ask(triton.grpc_url, b"hang", timeout_s=0.5)
            begin = time.monotonic()
        assert time.monotonic() - begin < 9
        assert leftovers(name_of(triton)) == []

    def test_at_once_means_at_once(self, toys: Path, ask: Ask, leftovers: Leftovers) -> None:
        triton = EmbeddedTriton(toys)
        triton.start()
        begin = time.monotonic()
        triton.stop(at_once=True)
        assert time.monotonic() - begin < 2
        assert leftovers(name_of(triton)) == []

    def test_it_outlives_the_thread_that_started_it(self, toys: Path, ask: Ask) -> None:
        triton = EmbeddedTriton(toys)
        thread = threading.Thread(target=triton.start)
        thread.start()
        thread.join()
        try:
            # The death signal of a dead parent thread would come at once.
            assert not triton._server.ended.wait(0.5)  # type: ignore[union-attr]
            assert ask(triton.grpc_url, b"alive") == b"alive"
        finally:
            triton.stop(at_once=True)

    def test_it_ends_when_its_owner_is_killed(self, toys: Path, leftovers: Leftovers) -> None:
        owner = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys, threading\n"
                "from pointsman.embedded import EmbeddedTriton\n"
                "with EmbeddedTriton(sys.argv[1]) as triton:\n"
                "    print(triton._server.name, triton._server.pid, flush=True)\n"
                "    threading.Event().wait()\n",
                str(toys),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        with owner:
            assert owner.stdout is not None
            name, guardian = owner.stdout.readline().split()
            watch = os.pidfd_open(int(guardian))
            assert leftovers(name)
            owner.kill()
        wait_for_end(watch, 15)
        assert leftovers(name) == []

    @pytest.mark.parametrize("victim", ["guardian", "tritonserver"])
    def test_nothing_is_left_when_a_process_of_it_is_killed(
        self, toys: Path, leftovers: Leftovers, victim: str
    ) -> None:
        triton = EmbeddedTriton(toys)
        triton.start()
        assert triton._server is not None
        pids = {"guardian": triton._server.pid, "tritonserver": triton.pid}
        os.kill(pids[victim], signal.SIGKILL)
        assert triton._server.ended.wait(5)
        assert not triton.running
        assert leftovers(name_of(triton)) == []
        triton.stop()


def wait_for_end(pidfd: int, timeout_s: float) -> None:
    """Wait for a process that is not a child of this one."""
    import select

    try:
        assert select.select([pidfd], [], [], timeout_s)[0], "it still runs"
    finally:
        os.close(pidfd)


class TestPorts:
    @pytest.fixture
    def taken(self) -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            yield int(listener.getsockname()[1])

    @pytest.mark.parametrize("which", ["grpc_port", "http_port", "metrics_port"])
    def test_a_busy_port_is_named_before_anything_starts(
        self, toys: Path, taken: int, which: str
    ) -> None:
        triton = EmbeddedTriton(toys, **{which: taken})  # type: ignore[arg-type]
        with pytest.raises(PortInUseError, match=str(taken)) as caught:
            triton.start()
        assert caught.value.port == taken
        assert triton._server is None

    def test_one_port_for_two_endpoints_is_refused(self, toys: Path) -> None:
        with pytest.raises(SetupError, match="18001 was given twice"):
            EmbeddedTriton(toys, grpc_port=18001, http_port=18001).start()

    def test_an_address_of_another_machine_is_refused(self, toys: Path) -> None:
        with pytest.raises(SetupError, match=r"cannot listen on 203\.0\.113\.7"):
            EmbeddedTriton(toys, host="203.0.113.7").start()

    @server
    @pytest.mark.parametrize("asked", [False, True])
    def test_a_port_lost_between_look_and_bind(
        self,
        toys: Path,
        ask: Ask,
        monkeypatch: pytest.MonkeyPatch,
        leftovers: Leftovers,
        asked: bool,
    ) -> None:
        with contextlib.ExitStack() as thieves:
            look = embedded.check_port
            stolen: list[int] = []

            def look_then_lose(host: str, port: int) -> None:
                look(host, port)
                if not stolen:
                    thieves.enter_context(socket.create_server((host, port)))
                    stolen.append(port)

            monkeypatch.setattr(embedded, "check_port", look_then_lose)
            port = embedded._free_ports("127.0.0.1", 1)[0] if asked else None
            triton = EmbeddedTriton(toys, grpc_port=port, models=["first"])
            if asked:
                with pytest.raises(PortInUseError, match=f"port {port} "):
                    triton.start()
            else:
                with triton:
                    assert triton.grpc_port not in stolen
                    assert ask(triton.grpc_url, b"retried", model="first") == b"retried"
                    triton.stop(at_once=True)
        assert stolen
        assert leftovers(name_of(triton)) == []


@server
class TestModelsThatDoNotLoad:
    def fail(self, repository: Path, **options: float) -> SetupError:
        begin = time.monotonic()
        triton = EmbeddedTriton(repository, **options)  # type: ignore[arg-type]
        with pytest.raises(SetupError) as caught, triton:
            pass
        assert time.monotonic() - begin < 15
        assert "\n" not in str(caught.value)
        return caught.value

    @pytest.mark.parametrize(
        ("statement", "reason"),
        [
            (
                "raise ValueError('policy.yaml, line 3: unknown action \"alow\"\\n  action: alow')",
                'ValueError: policy.yaml, line 3: unknown action "alow" action: alow',
            ),
            ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
            (
                "raise pb_utils.TritonModelException('libops.so: cannot open shared object file')",
                "libops.so: cannot open shared object file",
            ),
        ],
    )
    def test_the_models_own_error_is_shown(
        self, make_repository: MakeRepository, leftovers: Leftovers, statement: str, reason: str
    ) -> None:
        error = self.fail(make_repository({"second": statement}))
        assert isinstance(error, ModelLoadError)
        assert error.model == "second"
        assert error.reason.endswith(reason)
        assert error.others == ("pair",)
        assert str(error).startswith("model second did not load: ")

    def test_a_model_that_crashes_while_it_loads(self, make_repository: MakeRepository) -> None:
        error = self.fail(make_repository({"first": "os.write(2, b'going down\\n'); os._exit(1)"}))
        assert isinstance(error, ModelLoadError)
        assert error.model == "first"
        assert error.reason.startswith("its process died")
        assert "going down" in error.reason

    def test_a_configuration_that_the_model_completes(
        self, make_repository: MakeRepository, ask: Ask
    ) -> None:
        repository = make_repository()
        config, code = repository / "first" / "config.pbtxt", repository / "first/1/model.py"
        config.write_text('backend: "python"\nmax_batch_size: 1\n')
        code.write_text(
            code.read_text()
            + """
    @staticmethod
    def auto_complete_config(config):
        config.add_input({"name": "TEXT", "data_type": "TYPE_STRING", "dims": [1]})
        config.add_output({"name": "MIDDLE", "data_type": "TYPE_STRING", "dims": [1]})
        return config
"""
        )
        with EmbeddedTriton(repository) as triton:
            assert ask(triton.grpc_url, b"completed") == b"completed"
            triton.stop(at_once=True)

    def test_missing_code(self, make_repository: MakeRepository) -> None:
        repository = make_repository()
        (repository / "first" / "1" / "model.py").unlink()
        error = self.fail(repository)
        assert isinstance(error, ModelLoadError)
        assert error.model == "first"
        assert "model.py" in error.reason

    def test_missing_version(self, make_repository: MakeRepository) -> None:
        repository = make_repository()
        (repository / "first" / "1" / "model.py").unlink()
        (repository / "first" / "1").rmdir()
        error = self.fail(repository)
        assert isinstance(error, ModelLoadError)
        assert error.model == "first"
        assert "version" in error.reason

    def test_unknown_backend(self, make_repository: MakeRepository) -> None:
        repository = make_repository()
        config = repository / "first" / "config.pbtxt"
        config.write_text(config.read_text().replace('"python"', '"no_such"'))
        error = self.fail(repository)
        assert isinstance(error, ModelLoadError)
        assert error.model == "first"
        assert "no_such" in error.reason

    def test_an_ensemble_that_does_not_fit_its_parts(self, make_repository: MakeRepository) -> None:
        repository = make_repository()
        config = repository / "pair" / "config.pbtxt"
        config.write_text(config.read_text().replace('key: "MIDDLE"', 'key: "MUDDLE"'))
        error = self.fail(repository)
        assert isinstance(error, ModelLoadError)
        assert error.model == "pair"
        assert "MUDDLE" in error.reason

    def test_a_configuration_that_is_none_is_refused_with_its_line(
        self, make_repository: MakeRepository
    ) -> None:
        repository = make_repository()
        (repository / "second" / "config.pbtxt").write_text('backend: "python"\nnonsense { }\n')
        with pytest.raises(ModelLoadError, match=r"config\.pbtxt: 2:1 : .*nonsense") as caught:
            EmbeddedTriton(repository)
        assert caught.value.model == "second"

    def test_a_model_that_is_not_there(self, toys: Path) -> None:
        with pytest.raises(ModelLoadError, match="model third did not load: there is no such"):
            EmbeddedTriton(toys, models=["first", "third"])

    def test_a_model_that_takes_too_long(
        self, make_repository: MakeRepository, leftovers: Leftovers
    ) -> None:
        triton = EmbeddedTriton(
            make_repository({"first": "time.sleep(600)"}), startup_timeout_s=1.5
        )
        begin = time.monotonic()
        with pytest.raises(ServerStartError, match=r"not ready within 1\.5 s"):
            triton.start()
        assert time.monotonic() - begin < 12
        assert leftovers(name_of(triton)) == []


@server
class TestLog:
    def test_a_sink_that_fails_is_dropped_and_the_server_runs_on(
        self, toys: Path, ask: Ask, capfd: pytest.CaptureFixture[str]
    ) -> None:
        def full(line: str) -> None:
            raise OSError(28, "No space left on device")

        with EmbeddedTriton(toys, models=["first"], log=full) as triton:
            assert ask(triton.grpc_url, b"on", model="first") == b"on"
            assert len(triton.log_tail()) > 10
            triton.stop(at_once=True)
        assert capfd.readouterr().err.count("No space left") == 1

    def test_a_file_gets_every_line(self, toys: Path, tmp_path: Path) -> None:
        with (
            (tmp_path / "log").open("w+") as file,
            EmbeddedTriton(toys, models=["first"], log=file) as triton,
        ):
            triton.stop(at_once=True)
            file.seek(0)
            assert file.read().splitlines() == triton.log_tail()


class TestLoadFailures:
    def test_the_cause_comes_before_what_it_causes(self) -> None:
        log = [
            "I1121 03:08:24.451668 10030 model_lifecycle.cc:777] \"failed to load 'b'\"",
            "error: creating server: Invalid argument - load failed for model 'a': ensemble 'a' "
            "depends on 'b' which has no loaded version. Model 'b' loading failed with error: "
            "version 1 is at UNAVAILABLE state: Internal: ValueError: no",
            "",
            "At:",
            "  /m.py(5): initialize",
            ";",
            "load failed for model 'b': version 1 is at UNAVAILABLE state: Internal: ValueError: "
            '"x"',
            "  at 5",
            "",
            "At:",
            "  /m.py(5): initialize",
            ";",
        ]
        failures = load_failures(log)
        assert list(failures) == ["b", "a"]
        assert failures["b"] == 'ValueError: "x" at 5'

    def test_a_configuration_that_triton_cannot_read(self) -> None:
        log = [
            "[libprotobuf ERROR /x/text_format.cc:337] Error parsing text-format "
            "inference.ModelConfig: 1:9: no such field.",
            'E1121 03:08:21.580200 10030 model_repository_manager.cc:1460] "Poll failed for model '
            "directory 'c': failed to read text proto from /r/c/config.pbtxt\"",
            "error: creating server: Internal - failed to load all models",
        ]
        assert list(load_failures(log)) == ["c"]
        assert "1:9: no such field" in load_failures(log)["c"]

    def test_a_log_without_failures_has_none(self) -> None:
        assert load_failures(["Signal (15) received.", "", "+---+", "| first | 1 | READY |"]) == {}

    @given(st.lists(st.text()))
    def test_takes_any_text(self, log: list[str]) -> None:
        assert all("\n" not in reason for reason in load_failures(log).values())


class TestWhatIsMissing:
    def test_no_triton(self, monkeypatch: pytest.MonkeyPatch, toys: Path) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(TritonNotFoundError, match=r"pip install 'pointsman\[server\]'"):
            EmbeddedTriton(toys).start()

    def test_no_shared_python_library(self, monkeypatch: pytest.MonkeyPatch, toys: Path) -> None:
        monkeypatch.setattr(embedded, "_SYSTEM_LIBRARY_DIRS", ())
        monkeypatch.setattr(embedded, "_interpreter_library_dirs", lambda: ["/nowhere"])
        minor = f"{sys.version_info.major}.{sys.version_info.minor}"
        with pytest.raises(PythonLibraryNotFoundError, match=f"apt install libpython{minor}"):
            EmbeddedTriton(toys).start()

    def test_named_repository_without_models(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(ModelRepositoryNotFoundError, match=str(tmp_path)):
            EmbeddedTriton(tmp_path)
        monkeypatch.setenv(paths.MODEL_REPOSITORY_VARIABLE, str(tmp_path))
        with pytest.raises(ModelRepositoryNotFoundError, match=str(tmp_path)):
            EmbeddedTriton()

    def test_no_temporary_directory_is_left_when_nothing_was_started(
        self, monkeypatch: pytest.MonkeyPatch, toys: Path, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        monkeypatch.setattr(embedded, "_SYSTEM_LIBRARY_DIRS", ())
        monkeypatch.setattr(embedded, "_interpreter_library_dirs", list)
        with pytest.raises(PythonLibraryNotFoundError):
            EmbeddedTriton(toys).start()
        assert list(tmp_path.iterdir()) == []


class TestPaths:
    def test_the_argument_goes_before_the_variable_and_that_before_the_checkout(
        self, make_repository: MakeRepository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shipped = paths.model_repository()
        assert "chat_router" in paths.model_names(shipped)
        named, argument = make_repository(), make_repository()
        monkeypatch.setenv(paths.MODEL_REPOSITORY_VARIABLE, str(named))
        assert paths.model_repository() == named.resolve()
        assert paths.model_repository(argument) == argument.resolve()

    def test_the_installed_copy_serves_when_there_is_no_checkout(
        self, make_repository: MakeRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        installed = make_repository().rename(tmp_path / "model_repository").parent
        monkeypatch.setattr(paths, "_CHECKOUT", tmp_path / "gone")
        monkeypatch.setattr(paths, "_INSTALLED", installed)
        assert paths.model_repository() == installed / "model_repository"
        with pytest.raises(SetupError, match="reinstall"):
            paths.python_backends()


def test_descendants_of_a_process_tree() -> None:
    shell = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE)
    with shell:
        assert shell.stdout is not None
        sleeper = int(shell.stdout.readline())
        assert _guardian.descendants(shell.pid) == [sleeper]
        assert shell.pid in _guardian.children(os.getpid())
        os.kill(sleeper, signal.SIGTERM)


def test_a_triton_that_crashes_itself_while_it_starts_is_started_again(
    make_repository: MakeRepository, tmp_path: Path
) -> None:
    marker = str(tmp_path / "crashed")
    crash = f"open({marker!r}, 'w').close(), os.kill(os.getppid(), 11), time.sleep(30)"
    repository = make_repository({"first": f"os.path.exists({marker!r}) or ({crash})"})
    with EmbeddedTriton(repository) as server:
        assert Path(marker).exists()
        assert server.running
