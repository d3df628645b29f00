"""``pointsman serve`` as its users start it, for as long as it is measured, and checked answers."""

from __future__ import annotations

import http.client
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
from typing import IO

from pointsman import Decision, Router

BUDGET = 512
"""Tokens that the shipped configuration reads unless it is asked for more."""
START_S = 120.0
POLL_S = 0.1


@dataclass(frozen=True)
class Server:
    """A ``pointsman serve`` that runs."""

    pid: int
    grpc_url: str


@contextmanager
def serving(repository: Path | None = None) -> Iterator[Server]:
    """Run ``pointsman serve`` on free ports, from the moment when it is healthy.

    Args:
        repository: another model repository than the shipped one.
    """
    ports = dict(zip(("http", "grpc", "metrics", "health"), free_ports(4), strict=True))
    command = [str(Path(sys.executable).with_name("pointsman")), "serve"]
    for name, port in ports.items():
        command += [f"--{name}-port", str(port)]
    if repository is not None:
        command += ["--model-repository", str(repository)]
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
            sys.exit("\n".join(["the server did not become healthy:", *words]))
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


def ask(router: Router, text: str, *, whole: bool) -> tuple[Decision, float]:
    """Return the decision on a text, and its milliseconds.

    Args:
        router: of a server with the shipped configuration.
        text: bare text.
        whole: have all of it read; else what the server's default budget takes.

    Raises:
        RuntimeError: a check did not run, or not as much was read as should be.
    """
    begin = time.perf_counter()
    decision = router.route_text(text, budget=-1 if whole else None)
    ms = (time.perf_counter() - begin) * 1e3
    check(decision, whole=whole)
    return decision, ms


def check(decision: Decision, *, whole: bool) -> None:
    """Raise RuntimeError unless all checks ran, on as much of the text as they should."""
    if decision.errors:
        raise RuntimeError(f"checks did not run: {', '.join(decision.errors)}")
    read, tokens = decision.coverage.classified_tokens, decision.coverage.tokens
    if whole:
        plausible = read == tokens and not decision.coverage.truncated
    else:
        plausible = read <= min(tokens, BUDGET)
    if read <= 0 or not plausible:
        raise RuntimeError(f"{read} of {tokens} tokens were read")
