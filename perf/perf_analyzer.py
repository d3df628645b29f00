"""NVIDIA's perf_analyzer: its input, one run of it, and what it wrote of every request.

It goes on for as long as no request fails: one that is refused, as a server does that has as many
under way as it admits, ends the run, and nothing is reported of it.
"""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointsman.chat import ChatText

ENVIRONMENT = Path(__file__).parents[1] / "scripts" / "perf_analyzer_env"
WINDOWS = 3
"""A run ends after so many windows that are alike; of what is alike we judge ourselves."""
STRETCH = 1.22
"""It measures a window for so much longer than it is told to."""
PATIENCE_S = 60.0


class NotInstalledError(Exception):
    """There is no perf_analyzer on this machine; the message says why."""


class StoppedError(Exception):
    """It stopped before its time; the message is what it said."""


@dataclass(frozen=True)
class Answer:
    """One request that was answered.

    Attributes:
        begin_s, end_s: When it was sent and answered, in seconds since the run's first window.
        text: What it asked about.
        decision: The ensemble's DECISION, JSON.
    """

    begin_s: float
    end_s: float
    text: str
    decision: bytes


@dataclass(frozen=True)
class Run:
    """What was answered in one run, in the order of sending, and where its windows meet."""

    answers: list[Answer]
    boundaries_s: list[float]


def install() -> Path:
    """Return the path of perf_analyzer, installed if need be.

    Raises:
        NotInstalledError: It cannot be had here.
    """
    done = subprocess.run([str(ENVIRONMENT)], capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        said = " ".join(done.stderr.rpartition(f"{ENVIRONMENT.name}: ")[2].split())
        raise NotInstalledError(said or f"{ENVIRONMENT.name} ended with {done.returncode}")
    return Path(done.stdout.splitlines()[-1])


def input_data(chats: Sequence[ChatText]) -> dict[str, Any]:
    """Return what ``--input-data`` takes: the tensors that our client sends for each text.

    The other two inputs of the ensemble (TOKEN_BUDGET, POLICY) are optional, and a client that
    wants the defaults does not send them.
    """
    return {
        "data": [
            {
                "TEXT": [chat.utf8.decode()],
                "MESSAGE_OFFSETS": {
                    "content": chat.message_offsets.tolist(),
                    "shape": [len(chat.message_offsets)],
                },
            }
            for chat in chats
        ]
    }


def run_s(window_s: float) -> float:
    """Return how many seconds a run sends requests, at most about."""
    return WINDOWS * STRETCH * window_s


def intervals(moments: Sequence[float]) -> str:
    """Return what ``--request-intervals`` takes, microseconds, for moments in seconds, in order."""
    microseconds = [0, *(round(1e6 * moment) for moment in moments)]
    return "".join(f"{later - one}\n" for one, later in itertools.pairwise(microseconds))


def run(
    binary: Path, url: str, data: Path, folder: Path, load: Mapping[str, str], window_s: float
) -> Run:
    """Load the ensemble for ``WINDOWS`` windows.

    Args:
        binary: As of `install`.
        url: HOST:PORT of Triton's gRPC endpoint.
        data: Of `input_data`; its texts are sent in turn.
        folder: For what it writes.
        load: Options that say how much, for example ``{"--concurrency-range": "4"}``.
        window_s: Seconds of a window.

    Raises:
        StoppedError: It ended early, for one because a request was refused.
    """
    export = folder / "requests.json"
    export.unlink(missing_ok=True)
    command = [str(binary), "-m", "chat_router", "-u", url, "-i", "grpc", "--async"]
    command += ["--input-data", str(data), "--profile-export-file", str(export)]
    command += ["--measurement-interval", str(round(1e3 * window_s))]
    # Any three windows will do: without this it would go on until they are alike within 10 %.
    command += ["--max-trials", str(WINDOWS), "--stability-percentage", "100000"]
    for option, value in load.items():
        command += [option, value]
    limit_s = 2 * run_s(window_s) + PATIENCE_S
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=limit_s
        )
    except subprocess.TimeoutExpired:
        raise StoppedError(f"it did not end within {limit_s:.0f} s") from None
    if done.returncode or not export.is_file():
        raise StoppedError(last_words(done.stderr) or f"it ended with {done.returncode}")
    return parse(export.read_bytes())


def last_words(stderr: str) -> str:
    """Return the last line of what perf_analyzer complained of, without the thread's name."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1].partition("had error: ")[2] or lines[-1] if lines else ""


def parse(export: bytes) -> Run:
    """Read a file of ``--profile-export-file``, of one experiment.

    Tensors of numbers stand in its strings as the octets they are, so the file is not UTF-8.

    Raises:
        ValueError: It is another kind of file, or an answer has no decision.
    """
    try:
        (experiment,) = json.loads(export.decode("latin-1"))["experiments"]
        boundaries = experiment["window_boundaries"]
        zero = boundaries[0]
        answers = [
            Answer(
                (request["timestamp"] - zero) / 1e9,
                (request["response_timestamps"][-1] - zero) / 1e9,
                request["request_inputs"]["TEXT"].encode("latin-1").decode(),
                request["response_outputs"][-1]["DECISION"].encode("latin-1"),
            )
            for request in experiment["requests"]
        ]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"not what perf_analyzer 2.45 writes: {error!r}") from None
    answers.sort(key=lambda answer: answer.begin_s)
    return Run(answers, [(boundary - zero) / 1e9 for boundary in boundaries])
