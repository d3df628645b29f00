"""How much memory ``pointsman serve`` takes, with everything that it starts.

The measure is the proportional set size (PSS): pages that processes share count once. It is read
when the server has become ready, and again after requests of mixed lengths.

Usage: ``python perf/memory.py [--output FILE.json]``
"""

from __future__ import annotations

import http.client
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated

import machine
import processes
import psutil
import typer
from prose import Prose
from rich.console import Console
from rich.table import Table

from pointsman import Router
from pointsman.processes import pss_bytes

SIZES = (30, 120, 512, 2048, 8192, 16384)
SEED = 21
START_S = 120.0
POLL_S = 0.1
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Server:
    """A ``pointsman serve`` that runs."""

    pid: int
    grpc_url: str


@contextmanager
def serving() -> Iterator[Server]:
    """Run ``pointsman serve`` on free ports, from the moment when it is healthy."""
    ports = dict(zip(("http", "grpc", "metrics", "health"), free_ports(4), strict=True))
    command = [str(Path(sys.executable).with_name("pointsman")), "serve"]
    for name, port in ports.items():
        command += [f"--{name}-port", str(port)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
        try:
            wait_until_healthy(process, ports["health"], log)
            yield Server(process.pid, f"127.0.0.1:{ports['grpc']}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    """Return when /healthz says ready; exit with the server's last words when it does not."""
    deadline = time.monotonic() + START_S
    while not healthy(port):
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            words = log.read().decode(errors="replace").splitlines()[-10:]
            sys.exit("\n".join(["memory: the server did not become healthy:", *words]))
        time.sleep(POLL_S)


def free_ports(count: int) -> list[int]:
    """Return TCP ports of the loopback interface that are free now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def healthy(port: int) -> bool:
    """Whether /healthz answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def pss_by_process(pid: int) -> dict[str, float]:
    """Return MiB for each process of a tree, by what it does, and their total."""
    sizes: dict[str, int] = {}
    for each, role in processes.tree(pid).items():
        below = sum(pss_bytes(child.pid) for child in psutil.Process(each).children())
        sizes[role] = sizes.get(role, 0) + pss_bytes(each) - below
    ordered = dict(sorted(sizes.items(), key=lambda item: -item[1]))
    ordered["total"] = pss_bytes(pid)
    return {role: round(size / 2**20, 1) for role, size in ordered.items()}


def main(
    output: Annotated[Path, typer.Option(help="Where the figures go.")] = RESULTS / "memory.json",
    requests: Annotated[int, typer.Option(min=1, help="Requests of mixed lengths.")] = 200,
) -> None:
    """Measure the memory of the running server, idle and after requests."""
    prose = Prose(SEED)
    sizes = random.Random(SEED).choices(SIZES, k=requests)  # noqa: S311 (repeatable)
    with serving() as server:
        idle = pss_by_process(server.pid)
        with Router(server.grpc_url, timeout_s=30) as router:
            for size in sizes:
                if errors := router.route_text(prose.draw(size)).errors:
                    raise RuntimeError(f"checks did not run: {', '.join(errors)}")
        used = pss_by_process(server.pid)
    output.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": machine.describe(),
        "seed": SEED,
        "sizes": list(SIZES),
        "requests": requests,
        "idle_mib": idle,
        "used_mib": used,
    }
    output.write_text(json.dumps(document, indent=1) + "\n")
    shown = Table(title="PSS in MiB")
    for column in ("process", "idle", f"after {requests} requests"):
        shown.add_column(column, justify="left" if column == "process" else "right")
    for name, mib in used.items():
        shown.add_row(name, f"{idle.get(name, 0):.0f}", f"{mib:.0f}")
    Console().print(shown)


if __name__ == "__main__":
    typer.run(main)
