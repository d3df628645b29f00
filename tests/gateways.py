"""Starts `pointsman gateway` as users do: as a process."""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openai
import psutil

ROUTER = Path(__file__).parents[1] / "model_repository" / "router"


def repository_with(directory: Path, policy: str, *, beside: Path | None = None) -> Path:
    """Write a model repository with a policy file and, if need be, another's models; its path."""
    for model in beside.iterdir() if beside else ():
        if model.name != "router":
            (directory / model.name).symlink_to(model)
    version = directory / "router" / "1"
    version.mkdir(parents=True)
    shutil.copy(ROUTER / "config.pbtxt", version.parent)
    (version / "policy.yaml").write_text(policy)
    return directory


@dataclass(frozen=True)
class Gateway:
    """A running gateway.

    Attributes:
        port: TCP port on loopback.
        process: The process.
        log: What it wrote, line by line.
    """

    port: int
    process: psutil.Process
    log: list[str]

    @property
    def url(self) -> str:
        """Without ``/v1``."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", path)
            reply = connection.getresponse()
            return reply.status, reply.read()

    def client(self, **options: object) -> openai.OpenAI:
        """The real client, without retries of its own."""
        options = {"max_retries": 0, "timeout": 20} | options
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key="secret", **options)  # type: ignore[arg-type]


@contextlib.contextmanager
def running(*arguments: str | Path, timeout_s: float = 30) -> Iterator[Gateway]:
    """Run ``pointsman gateway`` with these arguments on a free port."""
    command = [Path(sys.executable).with_name("pointsman"), "gateway", "--port", "0", *arguments]
    process = psutil.Popen(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    log: list[str] = []
    ports: list[int] = []
    started = threading.Event()

    def read() -> None:
        for line in process.stdout:
            log.append(line.rstrip("\n"))
            if match := re.search(r"gateway on http://\S+:(\d+)/v1", line):
                ports.append(int(match[1]))
                started.set()
        started.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert started.wait(timeout_s), f"it did not start: {log}"
        assert ports, f"it did not start: {log}"
        yield Gateway(ports[0], process, log)
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):  # a test may have ended it
            process.terminate()
        try:
            process.wait(40)
        except psutil.TimeoutExpired:
            process.kill()
            raise
        finally:
            reader.join()
            process.stdout.close()
