"""What the external processor adds to a request through Envoy.

The decision is the double of perf/gateway.py, in the processor's own process, that always says
"route": the ensemble is measured elsewhere (perf/overhead.py). All else is real: the processor, an
Envoy for each way to send bodies to it, one without it, and a model's server in a process of its
own. Calls through all of them follow each other in turn, over one connection each.

Usage: ``python perf/extproc.py [--calls 500] [--streams 200 --seconds 60] [--output FILE.json]``
"""

from __future__ import annotations

import asyncio
import copy
import json
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import machine
import psutil
import typer
from gateway import (
    EXEMPT,
    POLICIES,
    SIZES,
    WARM_UP,
    Connection,
    DecisionDouble,
    request,
    streams,
)
from rich.console import Console
from rich.table import Table

from pointsman.extproc.server import serve
from tests import upstream
from tests.envoy import Config, configuration, manager, running_envoy, started

RESULTS = Path(__file__).parent / "results"
MODES = ("FULL_DUPLEX_STREAMED", "BUFFERED", "STREAMED+")
DIRECT = "Envoy alone"


def prepared(processor_port: int, model_port: int, mode: str) -> Config:
    """The shipped configuration, with the models of the double; DIRECT: without the filter."""
    names = ("qwen3-8b", "qwen3-coder", "qwen3-math", "medgemma")
    config = configuration(
        processor_port=processor_port,
        model_ports=dict.fromkeys(names, model_port),
        mode="FULL_DUPLEX_STREAMED" if mode == DIRECT else mode,
    )
    clusters = config["static_resources"]["clusters"]
    for name in ("model", EXEMPT):
        clusters.append(json.loads(json.dumps(clusters[-1]).replace(clusters[-1]["name"], name)))
    if mode == DIRECT:
        options = manager(config)
        del options["http_filters"][0]
        routes = options["route_config"]["virtual_hosts"][0]["routes"]
        routes[:] = [{"match": {"prefix": "/"}, "route": {"cluster": "model", "timeout": "0s"}}]
    return copy.deepcopy(config)


def measured(ports: dict[str, int], body: bytes, calls: int) -> dict[str, list[float]]:
    """Milliseconds of whole calls, in turn, for each way."""
    lines = {name: Connection(port) for name, port in ports.items()}
    times: dict[str, list[float]] = {name: [] for name in ports}
    for number in range(calls + WARM_UP):
        for name, line in lines.items():
            _, whole = line.call(body, b"0\r\n\r\n")
            if number >= WARM_UP:
                times[name].append(whole)
    for line in lines.values():
        line.close()
    return times


def rows(ports: dict[str, int], calls: int) -> list[dict[str, Any]]:
    """A row for each kind of request, size and way."""
    found = []
    for what, model in (("judged", "auto"), ("exempt", EXEMPT)):
        for size_name, size in SIZES.items():
            body = request(size, model=model, stream=False)
            times = measured(ports, body, calls if size <= 65_536 else calls // 5)
            alone = statistics.median(times[DIRECT])
            for name, values in times.items():
                p50 = statistics.median(values)
                row = {"what": what, "size": size_name, "bytes": len(body), "way": name}
                row |= {"calls": len(values), "p50_ms": p50, "added_p50_ms": p50 - alone}
                found.append(row | {"ms": [round(value, 4) for value in values]})
    return found


def show(found: list[dict[str, Any]]) -> None:
    """Print the table of the guide: milliseconds added, p50."""
    table = Table("Request", "Body", f"{DIRECT}, p50 ms", *(f"{mode}, added" for mode in MODES))
    cells = {(row["what"], row["size"], row["way"]): row for row in found}
    for what, size in dict.fromkeys((row["what"], row["size"]) for row in found):
        added = (f"{cells[what, size, mode]['added_p50_ms']:.2f}" for mode in MODES)
        table.add_row(what, size, f"{cells[what, size, DIRECT]['p50_ms']:.2f}", *added)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def main(
    calls: Annotated[int, typer.Option(help="Calls of each kind; a fifth of 1 MB.")] = 500,
    streams_: Annotated[int, typer.Option("--streams", help="Streams at once; 0: none.")] = 0,
    seconds: Annotated[float, typer.Option(help="How long they go on.")] = 60,
    output: Annotated[Path, typer.Option(help="Raw results.")] = RESULTS / "extproc.json",
    serve_double: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure; print the table and write the raw results."""
    if serve_double is not None:
        router = DecisionDouble("127.0.0.1:1")
        asyncio.run(serve(router, POLICIES, None, host="127.0.0.1", port=serve_double))
        return
    with ExitStack() as stack:
        models = stack.enter_context(upstream.running())
        command = [sys.executable, __file__, "--serve-double"]
        processor = stack.enter_context(started(command))
        ports = {}
        for mode in (DIRECT, *MODES):
            envoy = stack.enter_context(running_envoy(prepared(processor.port, models.port, mode)))
            ports[mode] = int(envoy.url.rpartition(":")[2])
        found = rows(ports, calls)
        document = {"machine": machine.describe(), "decision": "double", "calls": found}
        if streams_:
            process = psutil.Process(processor.process.pid)
            run = asyncio.run(streams(ports[MODES[0]], process, streams_, seconds))
            document["streams"] = run
            Console().print({key: run[key] for key in ("read", "left", "failed", "after")})
            Console().print(run["samples"][:: max(1, len(run["samples"]) // 6)])
    show(found)
    output.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
