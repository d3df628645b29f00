"""Does system shared memory carry a large text to Triton faster than the gRPC message does?

Each text is sent both ways in turn, to a Python model that only reads it (what the way costs), and
to the shipped ensemble with constants for its models (what a caller would notice). It is the best
case for shared memory: one region, registered beforehand and used again by every call. Timed is the
whole call, from the encoded text on, with its copy into region or message. Answers are checked.

Usage: ``python perf/shared_memory.py [--output FILE.json]``
"""

from __future__ import annotations

import json
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import grpc
import machine
import numpy as np
import overhead
import typer
from prose import Prose
from rich.console import Console
from rich.table import Table
from tritonclient.grpc import service_pb2 as protocol
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub
from tritonclient.utils import shared_memory

from pointsman.embedded import EmbeddedTriton

SIZES = (64 * 2**10, 256 * 2**10, 2**20, 4 * 2**20)
WAYS = ("message", "shared memory")
REGION = "pointsman-perf-text"
LENGTH_BYTES = 4  # before the text, in a BYTES tensor
WARM_UP = 4
SEED = 21
# Tokens; this Python has not many more paragraphs.
LONGEST_DRAW = 100_000
TIMEOUT_S = 60
RESULTS = Path(__file__).parent / "results"

READER = "reader"
CONFIG = """
backend: "python"
max_batch_size: 1
input [ { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "CHECKSUM" data_type: TYPE_INT64 dims: [ 1 ] } ]
instance_group [ { kind: KIND_CPU count: 1 } ]
"""
MODEL = """
import zlib
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        texts = [pb_utils.get_input_tensor_by_name(r, "TEXT").as_numpy()[0, 0] for r in requests]
        sums = [np.array([[zlib.crc32(text)]], np.int64) for text in texts]
        return [pb_utils.InferenceResponse([pb_utils.Tensor("CHECKSUM", s)]) for s in sums]
"""


def reads(utf8: bytes, output: bytes) -> None:
    """Raise RuntimeError unless the reader has read this text."""
    if int.from_bytes(output, "little") != zlib.crc32(utf8):
        raise RuntimeError("the reader read another text")


def decides(utf8: bytes, output: bytes) -> None:
    """Raise RuntimeError unless the ensemble has read this text and decided."""
    decision = json.loads(output[LENGTH_BYTES:])
    characters = decision["coverage"]["scanned_characters"]
    if decision["errors"] or characters != len(utf8.decode()):
        raise RuntimeError(f"{characters} characters were scanned: {decision['errors']}")


TARGETS: dict[str, tuple[str, Callable[[bytes, bytes], None]]] = {
    READER: ("CHECKSUM", reads),
    "chat_router": ("DECISION", decides),
}


@contextmanager
def repository() -> Iterator[Path]:
    """Yield the shipped model repository with constants for its models, and the reader."""
    with overhead.without_classifiers() as copy:
        (copy / READER / "1").mkdir(parents=True)
        (copy / READER / "config.pbtxt").write_text(CONFIG)
        (copy / READER / "1" / "model.py").write_text(MODEL)
        yield copy


class Sender:
    """A connection to Triton, and a region that it knows."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        options = [
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
        ]
        self._stub = GRPCInferenceServiceStub(
            stack.enter_context(grpc.insecure_channel(url, options))
        )
        size = max(SIZES) + LENGTH_BYTES
        self._region = shared_memory.create_shared_memory_region(
            REGION, REGION, size, create_only=True
        )
        stack.callback(shared_memory.destroy_shared_memory_region, self._region)
        self._stub.SystemSharedMemoryRegister(
            protocol.SystemSharedMemoryRegisterRequest(name=REGION, key=REGION, byte_size=size)
        )

    def send(self, model: str, output: str, utf8: bytes, way: str) -> bytes:
        """Return the raw output of a model for a text."""
        request = protocol.ModelInferRequest(model_name=model)
        text = request.inputs.add(name="TEXT", datatype="BYTES", shape=(1, 1))
        element = len(utf8).to_bytes(LENGTH_BYTES, "little") + utf8
        if way == "message":
            request.raw_input_contents.append(element)
        else:
            values = np.array([element], dtype=np.object_)
            shared_memory.set_shared_memory_region(self._region, [values])
            text.parameters["shared_memory_region"].string_param = REGION
            text.parameters["shared_memory_byte_size"].int64_param = len(element)
        response = self._stub.ModelInfer(request, timeout=TIMEOUT_S)
        return next(
            content
            for tensor, content in zip(response.outputs, response.raw_output_contents, strict=True)
            if tensor.name == output
        )


def texts(size: int) -> Iterator[bytes]:
    """Yield texts of exactly `size` bytes, each another one."""
    prose = Prose(SEED)
    while True:
        text = b""
        while len(text) < size:
            text += prose.draw(min(size // 4, LONGEST_DRAW)).encode()
        whole_characters = text[:size].decode(errors="ignore").encode()
        yield whole_characters.ljust(size)


def measure(sender: Sender, model: str, size: int, calls: int) -> list[dict[str, object]]:
    """Send `calls` texts each way, in turn, and return the milliseconds of each call."""
    output, check = TARGETS[model]
    rows: list[dict[str, object]] = []
    for turn, text in zip(range(WARM_UP + calls), texts(size), strict=False):
        for way in WAYS if turn % 2 else WAYS[::-1]:
            cpu, began = time.process_time(), time.perf_counter()
            answer = sender.send(model, output, text, way)
            ended, cpu_ended = time.perf_counter(), time.process_time()
            check(text, answer)
            if turn >= WARM_UP:
                rows.append(
                    {
                        "model": model,
                        "bytes": size,
                        "way": way,
                        "ms": round((ended - began) * 1e3, 3),
                        "client_cpu_ms": round((cpu_ended - cpu) * 1e3, 3),
                    }
                )
    return rows


def summarise(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return median and quartiles for each model, size and way."""
    cells: dict[tuple[object, ...], list[dict[str, object]]] = {}
    for row in rows:
        cells.setdefault((row["model"], row["bytes"], row["way"]), []).append(row)
    summary = []
    for (model, size, way), members in cells.items():
        low, median, high = np.percentile([row["ms"] for row in members], (25, 50, 75))
        summary.append(
            {
                "model": model,
                "bytes": size,
                "way": way,
                "calls": len(members),
                "p25_ms": round(float(low), 3),
                "p50_ms": round(float(median), 3),
                "p75_ms": round(float(high), 3),
                "client_cpu_p50_ms": round(
                    float(np.median([row["client_cpu_ms"] for row in members])), 3
                ),
            }
        )
    return summary


def table(summary: list[dict[str, object]]) -> Table:
    """Return the summary for the terminal."""
    shown = Table(title="milliseconds for one call: median (quartiles)")
    for column in ("model", "KiB", *WAYS):
        shown.add_column(column, justify="right")
    cells = {(row["model"], row["bytes"], row["way"]): row for row in summary}
    for model in TARGETS:
        for size in SIZES:
            times = [cells[model, size, way] for way in WAYS]
            shown.add_row(
                model,
                f"{size // 2**10:,}",
                *(f"{t['p50_ms']:.2f} ({t['p25_ms']:.2f}-{t['p75_ms']:.2f})" for t in times),
            )
    return shown


def main(
    output: Annotated[Path, typer.Option(help="Where the figures go, raw ones too.")] = (
        RESULTS / "shared_memory.json"
    ),
    calls: Annotated[int, typer.Option(min=5, help="Texts of each size and model.")] = 60,
) -> None:
    """Measure both ways for every size."""
    head = machine.describe()
    rows: list[dict[str, object]] = []
    with ExitStack() as stack:
        triton = stack.enter_context(EmbeddedTriton(stack.enter_context(repository())))
        sender = Sender(triton.grpc_url, stack)
        for model in TARGETS:
            for size in SIZES:
                rows += measure(sender, model, size, calls)
    summary = summarise(rows)
    document = {"machine": head, "seed": SEED, "summary": summary, "calls": rows}
    output.write_text(json.dumps(document, indent=1) + "\n")
    Console(width=None if sys.stdout.isatty() else 120).print(table(summary))


if __name__ == "__main__":
    typer.run(main)
