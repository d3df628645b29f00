"""Starts the Triton Inference Server that the ``nvidia-pytriton`` wheel carries.

Only binaries of the wheel are used; PyTriton itself is never imported. The one public way in is
`EmbeddedTriton`, a context manager that tests, the demo and ``pointsman serve`` share.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import site
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from pointsman import _guardian, paths
from pointsman.errors import (
    ModelLoadError,
    PortInUseError,
    PythonLibraryNotFoundError,
    ServerStartError,
    SetupError,
    TritonNotFoundError,
)
from pointsman.processes import Process, dead_children, pss_bytes, stubs

LogSink = Callable[[str], None] | IO[str]

_SYSTEM_LIBRARY_DIRS = (
    f"/usr/lib/{platform.machine()}-linux-gnu",
    "/usr/local/lib",
    "/usr/lib64",
    "/usr/lib",
)
_STUB = "triton_python_backend_stub"
_POLL_S = 0.05
_PROBE_TIMEOUT_S = 2.0
# How long Triton gets to notice itself that a model's process has died.
_CRASH_PATIENCE_S = 1.5
_LOG_TAIL_LINES = 400
_PORT_ATTEMPTS = 5
_CRASH_ATTEMPTS = 6
# Seconds in which Triton finishes requests and unloads models before all of it is killed. (A model
# whose process crashed never finishes unloading: Triton waits for an answer of the dead.)
_STOP_GRACE_S = 6
# Every process of the server runs one model instance: threads and malloc arenas beyond that cost
# memory and the cores of its neighbours. A value already in the environment wins.
_FRUGAL = {
    "MALLOC_ARENA_MAX": "2",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def find_tritonserver() -> Path:
    """Return the path of the ``tritonserver`` binary inside ``nvidia-pytriton``.

    Raises:
        TritonNotFoundError: the wheel is not installed, or is not complete.
    """
    spec = importlib.util.find_spec("pytriton")
    if spec is None or not spec.submodule_search_locations:
        raise TritonNotFoundError("nvidia-pytriton is not installed")
    binary = Path(spec.submodule_search_locations[0]) / "tritonserver" / "bin" / "tritonserver"
    if not binary.is_file():
        raise TritonNotFoundError(f"nvidia-pytriton is incomplete: there is no {binary}")
    return binary


def find_libpython() -> Path:
    """Return the shared Python library that the Python backend's processes link.

    The interpreter's own one is preferred, then a distribution's of the same minor version.

    Raises:
        PythonLibraryNotFoundError: there is none on this machine; the message names the mend.
    """
    name = f"libpython{sys.version_info.major}.{sys.version_info.minor}.so.1.0"
    for directory in (*_interpreter_library_dirs(), *_SYSTEM_LIBRARY_DIRS):
        library = Path(directory) / name
        if library.is_file():
            return library
    raise PythonLibraryNotFoundError(name)


def _interpreter_library_dirs() -> list[str]:
    # A relocated interpreter (python-build-standalone) reports the LIBDIR it was built with.
    return [sysconfig.get_config_var("LIBDIR") or "", str(Path(sys.base_prefix) / "lib")]


def check_port(host: str, port: int) -> None:
    """Raise `PortInUseError` unless a server could listen on the TCP port now.

    Raises:
        PortInUseError: something listens there.
        SetupError: this machine has no such address, or the port is not allowed.
    """
    with _bound(host, port):
        pass


def _free_ports(host: str, count: int) -> list[int]:
    """Return TCP ports that are free now and differ from each other."""
    with contextlib.ExitStack() as held:
        bound = [held.enter_context(_bound(host, 0)) for _ in range(count)]
        return [int(sock.getsockname()[1]) for sock in bound]


def _bound(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # As servers do: connections of an earlier server in TIME_WAIT are no obstacle.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        # Two sockets with SO_REUSEADDR may share a bound port; only one may listen.
        sock.listen(1)
    except (OSError, OverflowError) as error:
        sock.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise PortInUseError(host, port) from None
        raise SetupError(f"cannot listen on {host}:{port}: {error}") from None
    return sock


class EmbeddedTriton:
    """A Triton Inference Server that runs as long as the ``with`` block.

    Models are loaded in explicit control mode, so they can be unloaded and loaded again. All
    processes of the server end with the block, and also when this process is killed.

    Args:
        model_repository: directory of models; default: see `paths.model_repository`.
        host: IPv4 address that the three ports bind to.
        grpc_port: TCP port, or None for a free one. So are `http_port` and `metrics_port`.
        models: names of the models to load; None loads every model of the repository.
        log: gets every line the server writes: a callable, or a text file. None drops them.
        startup_timeout_s: how long loading may take, in seconds.
        env: variables for the server's processes. They override this process's environment;
            ``LD_LIBRARY_PATH`` is searched before our own entries.
    """

    def __init__(
        self,
        model_repository: str | Path | None = None,
        *,
        host: str = "127.0.0.1",
        grpc_port: int | None = None,
        http_port: int | None = None,
        metrics_port: int | None = None,
        models: Sequence[str] | None = None,
        log: LogSink | None = None,
        startup_timeout_s: float = 60.0,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.model_repository = paths.model_repository(model_repository)
        self.host = host
        self.grpc_port = grpc_port or 0
        self.http_port = http_port or 0
        self.metrics_port = metrics_port or 0
        self._any_ports = [
            name for name in ("grpc_port", "http_port", "metrics_port") if getattr(self, name) == 0
        ]
        known = paths.model_names(self.model_repository)
        self.models = sorted(models) if models is not None else known
        if unknown := sorted(set(self.models) - set(known)):
            raise ModelLoadError(unknown[0], f"there is no such model in {self.model_repository}")
        self.configs = {model: _read_config(self.model_repository, model) for model in known}
        self._log = log
        self._startup_timeout_s = startup_timeout_s
        self._env = dict(env or {})
        self._server: _Server | None = None

    @property
    def grpc_url(self) -> str:
        """HOST:PORT of the gRPC endpoint, as ``tritonclient.grpc`` takes it."""
        return f"{self._reachable_host}:{self.grpc_port}"

    @property
    def http_url(self) -> str:
        """HOST:PORT of the HTTP endpoint, as ``tritonclient.http`` takes it."""
        return f"{self._reachable_host}:{self.http_port}"

    @property
    def metrics_url(self) -> str:
        """URL of the Prometheus metrics."""
        return f"http://{self._reachable_host}:{self.metrics_port}/metrics"

    @property
    def _reachable_host(self) -> str:
        return "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104

    @property
    def pid(self) -> int:
        """Process id of ``tritonserver``, or 0 when it does not run."""
        if self._server is None:
            return 0
        return next(iter(_guardian.children(self._server.pid)), 0)

    @property
    def running(self) -> bool:
        """Whether the server's process runs; it may have trouble nevertheless."""
        return self._server is not None and not self._server.ended.is_set()

    def trouble(self) -> str:
        """Return why a request would fail, one line, or an empty string: what Triton itself knows.

        It does not know when a model's process has died; the supervisor does.
        """
        if not self.running:
            return "Triton does not run"
        try:
            index = json.loads(self._http("POST", "/v2/repository/index")[1])
            states = {model["name"]: model.get("state") for model in index}
            if missing := [model for model in self.models if states.get(model) != "READY"]:
                return f"not loaded: {', '.join(missing)}"
            ready = self._http("GET", "/v2/health/ready")[0] == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            return f"Triton does not answer: {error or type(error).__name__}"
        return "" if ready else "Triton says that it is not ready"

    def metrics(self) -> str:
        """Return Triton's metrics in Prometheus' text format.

        Raises:
            OSError: the server did not answer in time.
        """
        try:
            return self._http("GET", "/metrics", self.metrics_port)[1].decode()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{self.metrics_url}: {error!r}") from error

    def pss_bytes(self) -> int:
        """Return the memory of all processes of the server: see `processes.pss_bytes`."""
        return pss_bytes(self._server.pid) if self._server is not None else 0

    def log_tail(self) -> list[str]:
        """Return the last lines that the server wrote."""
        return list(self._server.tail) if self._server is not None else []

    def __enter__(self) -> EmbeddedTriton:
        """Start the server: see `start`."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()

    def start(self) -> None:
        """Start the server and return when every model is ready.

        After a `stop`, the server starts again on the same ports.

        Raises:
            TritonNotFoundError: ``nvidia-pytriton`` is missing.
            PythonLibraryNotFoundError: the machine lacks the shared Python library.
            PortInUseError: a port that was asked for is taken.
            ModelLoadError: a model did not load; its own error is in the message.
            ServerStartError: Triton ended or was not ready in time.
        """
        self._check_files()
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._choose_ports()
            try:
                self._start_once()
            except PortInUseError:
                # Someone took a port between our look and Triton's bind.
                if not self._any_ports or attempt == _PORT_ATTEMPTS:
                    raise
            except _TritonCrashedError:
                # Triton 2.51 sometimes crashes while a model fails beside others that load, before
                # it says which: asked again, it says so.
                if attempt >= _CRASH_ATTEMPTS:
                    raise
            else:
                # They stay the same from now on: clients know them.
                self._any_ports = []
                return

    def stop(self, *, at_once: bool = False) -> None:
        """End the server and all its processes. Safe to call twice, and while it starts.

        Args:
            at_once: kill it. Otherwise requests in flight and the unloading of models get 6 s.
        """
        if self._server is not None:
            self._server.stop(at_once=at_once)

    def kill(self) -> None:
        """Make a `stop` in progress kill the server at once. Safe to call in a signal handler."""
        if self._server is not None:
            self._server.ask_to_end()

    def _choose_ports(self) -> None:
        free = _free_ports(self.host, len(self._any_ports))
        for name, port in zip(self._any_ports, free, strict=True):
            setattr(self, name, port)
        ports = [self.grpc_port, self.http_port, self.metrics_port]
        for index, port in enumerate(ports):
            if port in ports[:index]:
                raise SetupError(f"port {port} was given twice: each endpoint needs its own")
            check_port(self.host, port)

    def _check_files(self) -> None:
        """Raise `ModelLoadError` for a model without its files: Triton would say less, or hang."""
        library_path = self._variables().get("LD_LIBRARY_PATH", "")
        for model in self.models:
            folder, config = self.model_repository / model, self.configs[model]
            for library in config.op_libraries:
                try:
                    paths.op_library(library, folder, library_path)
                except SetupError as error:
                    raise ModelLoadError(model, str(error)) from None
            if config.file is None:
                continue
            for version in folder.glob("[0-9]*"):
                if not (version / config.file).exists():
                    raise ModelLoadError(model, f"there is no {version / config.file}")

    def _start_once(self) -> None:
        self._server = server = _Server(self._command, self._environment, self._log)
        try:
            self._wait_until_ready(server)
        except BaseException:
            server.stop()
            raise

    def _wait_until_ready(self, server: _Server) -> None:
        deadline = time.monotonic() + self._startup_timeout_s
        crashes = _Crashes(self)
        while not self._answers_ready(server.name):
            if server.ended.wait(_POLL_S):
                raise self._failure(server)
            if crash := crashes.unnoticed(time.monotonic()):
                raise self._crash(server, crash)
            if time.monotonic() > deadline:
                raise ServerStartError(
                    f"Triton was not ready within {self._startup_timeout_s:g} s; its last words: "
                    f"{_last_words(server.tail)}"
                )

    def _command(self, name: str, scratch: Path) -> list[str]:
        """Lay out what tritonserver reads in the scratch directory; return its command line.

        `name` identifies this server and is the prefix of its shared memory regions.
        """
        repository = self.model_repository
        if len(str(repository).split()) > 1:
            # Triton hands the path of a model to its process without quotes.
            repository = scratch / "models"
            repository.symlink_to(self.model_repository)
        command = [
            str(find_tritonserver()),
            f"--id={name}",
            f"--model-repository={repository}",
            f"--backend-directory={_lay_out_backends(scratch / 'backends')}",
            f"--backend-config=python,shm-region-prefix-name={name}",
            "--model-control-mode=explicit",
            "--exit-on-error=true",
            "--strict-readiness=true",
            # No CUDA is used; these would hold memory on machines that have it.
            "--pinned-memory-pool-byte-size=0",
            "--allow-gpu-metrics=false",
            f"--exit-timeout-secs={_STOP_GRACE_S - 1}",
            f"--model-load-thread-count={min(8, max(4, len(self.models)))}",
        ]
        if all(config.complete for config in self.configs.values()):
            # Nothing to complete: without this, Triton starts and ends a process for each model
            # first, 1.5 s that would also lengthen every outage of a model.
            command.append("--disable-auto-complete-config")
        for service in ("http", "grpc", "metrics"):
            command += [
                f"--{service}-address={self.host}",
                f"--{service}-port={getattr(self, f'{service}_port')}",
            ]
        return command + [f"--load-model={model}" for model in self.models]

    def _variables(self) -> dict[str, str]:
        """Return the variables of the server's processes, before we add our own directories."""
        return _FRUGAL | dict(os.environ) | {"CUDA_VISIBLE_DEVICES": ""} | self._env

    def _environment(self, scratch: Path) -> dict[str, str]:
        wheel_libraries = find_tritonserver().parents[3] / "nvidia_pytriton.libs"
        environment = self._variables()
        environment["PATH"] = _joined(
            str(_lay_out_python(scratch / "python")), environment.get("PATH", os.defpath)
        )
        environment["LD_LIBRARY_PATH"] = _joined(
            environment.get("LD_LIBRARY_PATH", ""),
            str(paths.kernels()),
            str(wheel_libraries),
            str(find_libpython().parent),
        )
        return environment

    def _answers_ready(self, name: str) -> bool:
        """Whether the server on our ports is ours, and all its models are ready."""
        try:
            if self._http("GET", "/v2/health/ready")[0] != http.HTTPStatus.OK:
                return False
            if json.loads(self._http("GET", "/v2")[1]).get("name") != name:
                return False
            # The last endpoint that Triton opens.
            return self._http("GET", "/metrics", self.metrics_port)[0] == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException, ValueError):
            return False

    def _http(self, method: str, path: str, port: int | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(
            self._reachable_host, port or self.http_port, timeout=_PROBE_TIMEOUT_S
        )
        with contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read()

    def _crash(self, server: _Server, process: Process) -> ModelLoadError:
        """Return the error for a model whose process died while it loaded."""
        served = {directory.name for _, directory in stubs(self.pid)}
        started = [model for model in self.models if not self.configs[model].parts]
        culprits = [model for model in started if model not in served] or started
        return ModelLoadError(
            " or ".join(culprits), f"its process died: {process.fate()}{_said(server.tail)}"
        )

    def _failure(self, server: _Server) -> SetupError:
        """Return the error that says why a server ended while it started."""
        for line in server.tail:
            if taken := _PORT_TAKEN.search(line):
                return PortInUseError(self.host, int(taken["port"]))
        failures = load_failures(server.tail)
        if failures:
            (model, reason), *others = failures.items()
            if "is not healthy" in reason:
                reason = f"its process died{_said(server.tail)}"
            return ModelLoadError(model, reason, others=[name for name, _ in others])
        crashed = server.status in (128 + signal.SIGSEGV, 128 + signal.SIGABRT)
        return (_TritonCrashedError if crashed else ServerStartError)(
            f"Triton ended with status {server.status} while it started; its last words: "
            f"{_last_words(server.tail)}"
        )


class _TritonCrashedError(ServerStartError):
    """Triton itself crashed while it started."""


class _Crashes:
    """Finds processes of models that died while they loaded: Triton would wait for them forever."""

    def __init__(self, triton: EmbeddedTriton) -> None:
        self._triton = triton
        self._seen: dict[Process, float] = {}

    def unnoticed(self, now: float) -> Process | None:
        """Return a dead process that Triton has left uncollected for a while, if any."""
        dead = dead_children(self._triton.pid)
        self._seen = {process: self._seen.get(process, now) for process in dead}
        return next((p for p, since in self._seen.items() if now - since > _CRASH_PATIENCE_S), None)


class _Server:
    """One run of tritonserver under its guardian, with a thread that drains its log."""

    def __init__(
        self,
        command: Callable[[str, Path], list[str]],
        environment: Callable[[Path], dict[str, str]],
        log: LogSink | None,
    ) -> None:
        # Unique, and short: it is part of the names of shared memory regions.
        self.name = f"pointsman-{uuid.uuid4().hex[:12]}"
        self.tail: deque[str] = deque(maxlen=_LOG_TAIL_LINES)
        self.ended = threading.Event()
        self._sink = log
        self._scratch = _scratch_directory()
        try:
            scratch = Path(self._scratch)
            arguments = command(self.name, scratch)
            guardian = [sys.executable, "-I", "-S", str(Path(_guardian.__file__))]
            guardian += [str(os.getpid()), str(_STOP_GRACE_S), self.name, self._scratch, "--"]
            self._process = subprocess.Popen(  # noqa: S603 (no shell; arguments are ours)
                guardian + arguments,
                env={**environment(scratch), "POINTSMAN_SERVER_ID": self.name},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._scratch,
                # Ctrl-C in a terminal reaches this process alone, which then ends the server.
                start_new_session=True,
            )
        except BaseException:
            _guardian.clean(self.name, self._scratch)
            raise
        self.pid = self._process.pid
        self._drain = threading.Thread(target=self._read_log, name="triton-log", daemon=True)
        self._drain.start()
        self._wait = threading.Thread(target=self._wait_for_end, name="triton-wait", daemon=True)
        self._wait.start()

    @property
    def status(self) -> int | None:
        """Exit status, or None while the server runs."""
        return self._process.returncode

    def stop(self, *, at_once: bool = False) -> None:
        """End the server; kill it when it does not end, or at once."""
        if not self.ended.is_set():
            below = _guardian.descendants(self.pid)
            self.ask_to_end()
            if at_once and not self.ended.wait(_POLL_S):
                self.ask_to_end()
            if not self.ended.wait(_STOP_GRACE_S + 5):
                # The guardian itself hangs: do its work.
                for pid in (self.pid, *below):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        self._wait.join()

    def ask_to_end(self) -> None:
        """Tell the guardian to end the server; told twice, it does so at once."""
        self._process.terminate()

    def _read_log(self) -> None:
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 (for the type checker: it is a pipe)
        with stream:
            for raw in stream:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                self.tail.append(line)
                self._emit(line)

    def _wait_for_end(self) -> None:
        """Wait for the guardian, and finish its work in case it was killed."""
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        # Not collected yet, so the id of its process group cannot be another's.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._drain.join()
        _guardian.clean(self.name, self._scratch)
        self.ended.set()

    def _emit(self, line: str) -> None:
        if self._sink is None:
            return
        try:
            if callable(self._sink):
                self._sink(line)
            else:
                self._sink.write(line + "\n")
        except Exception as error:  # noqa: BLE001 (a full pipe would block Triton)
            self._sink = None
            print(f"pointsman: log sink failed, log dropped: {error!r}", file=sys.stderr)


# What the backends here read when ``default_model_filename`` says nothing else.
_MODEL_FILES = {"python": "model.py", "onnxruntime": "model.onnx"}


@dataclass(frozen=True)
class ModelConfig:
    """What matters here of a model's ``config.pbtxt``.

    Attributes:
        complete: it names the model's inputs and outputs.
        file: name of the file in each version's directory that the backend reads, if known.
        parts: names of the models that it is an ensemble of; empty for other models.
        op_libraries: libraries of custom operators that it loads.
    """

    complete: bool
    file: str | None
    parts: tuple[str, ...]
    op_libraries: tuple[str, ...] = ()


def _read_config(repository: Path, model: str) -> ModelConfig:
    """Read a model's ``config.pbtxt``.

    Raises:
        ModelLoadError: the file is not one; the message has line and column.
    """
    path = repository / model / "config.pbtxt"
    try:
        config = text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ModelLoadError(model, f"{path}: {_one_line(str(error))}") from None
    return ModelConfig(
        complete=bool(config.input and config.output),
        file=config.default_model_filename or _MODEL_FILES.get(config.backend),
        parts=tuple(dict.fromkeys(step.model_name for step in config.ensemble_scheduling.step)),
        op_libraries=tuple(config.model_operations.op_library_filename),
    )


def _scratch_directory() -> str:
    scratch = tempfile.mkdtemp(prefix="pointsman-")
    if len(scratch.split()) > 1:
        Path(scratch).rmdir()
        raise SetupError(
            f"{tempfile.gettempdir()!r} holds a space: set TMPDIR to a directory "
            "whose path has none"
        )
    if os.statvfs(scratch).f_flag & os.ST_NOEXEC:
        Path(scratch).rmdir()
        raise SetupError(
            f"{tempfile.gettempdir()} is mounted noexec, and Triton's Python backend must run from "
            "there: set TMPDIR to a directory that allows it"
        )
    return scratch


def _lay_out_backends(directory: Path) -> Path:
    """Copy the backends into a directory as Triton wants them, 3 MB; return the directory.

    Triton refuses symbolic links here, and the kernel refuses hard links to others' files.
    """
    wheel = find_tritonserver().parents[1]
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = wheel / "python_backend_stubs" / minor / _STUB
    if not stub.is_file():
        raise TritonNotFoundError(f"nvidia-pytriton has no Python backend for Python {minor}")
    shutil.copytree(wheel / "backends" / "python", directory / "python")
    shutil.copy2(stub, directory / "python" / _STUB)
    shutil.copytree(
        paths.python_backends() / "onnxruntime",
        directory / "onnxruntime",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return directory


# An isolated interpreter ignores the locale: files and output would be ASCII.
_SITE_CUSTOMIZE = """\
import locale, sys
locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
for stream in (sys.stdout, sys.stderr):
    stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
"""


def _lay_out_python(directory: Path) -> Path:
    """Make a virtual environment that sees the running interpreter's packages; return its ``bin``.

    Triton's Python backend embeds an isolated interpreter: it ignores ``PYTHONPATH`` and
    ``PYTHONHOME``, and takes its packages from the ``python3`` that comes first on ``PATH``. This
    one makes that the same packages as here, whatever ``python3`` is otherwise.
    """
    libpython = find_libpython()
    if str(libpython.parent) in _interpreter_library_dirs():
        prefix = Path(sys.base_prefix)
    else:  # a distribution's: it goes with that distribution's standard library
        prefix = Path("/usr/local" if libpython.is_relative_to("/usr/local") else "/usr")
    minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    packages += site.getsitepackages()
    if site.ENABLE_USER_SITE:
        packages.append(site.getusersitepackages())
    # Last: `python_backends/onnxruntime` must not hide the real package.
    packages += [str(paths.python_backends()), str(Path(__file__).parents[1])]

    site_packages = directory / "lib" / minor / "site-packages"
    site_packages.mkdir(parents=True)
    (directory / "pyvenv.cfg").write_text(
        f"home = {prefix / 'bin'}\ninclude-system-site-packages = false\n"
    )
    (directory / "bin").mkdir()
    (directory / "bin" / "python3").symlink_to(prefix / "bin" / minor)
    (site_packages / "sitecustomize.py").write_text(_SITE_CUSTOMIZE)
    # With addsitedir, the .pth files there (editable installs) count too.
    lines = [f"import site; site.addsitedir({path!r})\n" for path in dict.fromkeys(packages)]
    (site_packages / "pointsman.pth").write_text("".join(lines))
    return directory / "bin"


def _joined(*entries: str) -> str:
    return os.pathsep.join(dict.fromkeys(entry for entry in entries if entry))


_LOG_LINE = re.compile(r"^[EWIF]\d{4} [\d:.]+ +\d+ \S+\]")
_PORT_TAKEN = re.compile(r"Socket '\S+:(?P<port>\d+)' already in use")
# Triton's last words when models do not load name them all; one reason may take many lines.
_LOAD_FAILURE = re.compile(
    r"load failed for model '(?P<model>[^']+)': (?P<reason>.*?)(?=\nload failed for model '|\Z)",
    re.DOTALL,
)
# A configuration that is none is not in them. The parser's own error may stand before.
_POLL_FAILURE = re.compile(
    r"(?:^\[libprotobuf ERROR [^\]]*\] (?P<detail>.*)\n)?"
    r"^E.*\] \"Poll failed for model directory '(?P<model>[^']+)': (?P<reason>.*)\"$",
    re.MULTILINE,
)
_TRITON_PREFIX = re.compile(
    r"^(?:version -?\d+ is at UNAVAILABLE state: )?"
    r"(?:(?:Internal|Invalid argument|Unavailable|Not found|Unsupported|Unknown): )?"
)


def load_failures(log: Sequence[str]) -> dict[str, str]:
    """Return the models that failed to load, and for each its own error in one line.

    A model that fails because another one did comes after that.

    Args:
        log: lines of Triton's log, started with ``--exit-on-error=true``.
    """
    text = "\n".join(log)
    found = {
        failure["model"]: ": ".join(filter(None, (failure["detail"], failure["reason"])))
        for failure in _POLL_FAILURE.finditer(text)
    }
    for failure in _LOAD_FAILURE.finditer(text.partition("error: creating server: ")[2]):
        reason = failure["reason"].rstrip().removesuffix(";").partition("\n\nAt:\n")[0]
        found[failure["model"]] = _TRITON_PREFIX.sub("", reason)
    return {
        model: _one_line(found[model])
        for model in sorted(found, key=lambda m: _DEPENDS in found[m])
    }


_DEPENDS = "which has no loaded version"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _said(log: Sequence[str]) -> str:
    """Return the end of what models' processes wrote themselves, as the end of a sentence."""
    end = next((n for n, line in enumerate(log) if "Waiting for in-flight" in line), len(log))
    words = [line.strip() for line in list(log)[:end] if not _LOG_LINE.match(line)]
    words = [line for line in words if line and line[0] not in "+|"]
    return f"; it said: {' '.join(words[-3:])}" if words else ""


def _last_words(log: Sequence[str]) -> str:
    said = [line.strip() for line in log if line.strip(" +-|=")]
    errors = [line for line in said if line[0] in "EF" or line.startswith("error")]
    return (errors or said or ["(it wrote nothing)"])[-1]
