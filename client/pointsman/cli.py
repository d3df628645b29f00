"""The `pointsman` command: serve, gateway, route, explain, doctor, rewrite.

Exit codes: 0 done, 1 something is missing (doctor), 2 bad usage or a bad request,
3 the server cannot be reached, is overloaded or too slow, 4 a check could not run,
5 the server, or what a command needs, is not installed or cannot be set up,
6 a model was not rewritten.
"""

import io
import math
import sys
import time
from enum import Enum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from pointsman import render
from pointsman.chat import ChatText, parse_chat, plain_text
from pointsman.errors import (
    CheckFailedError,
    PackageNotFoundError,
    PointsmanError,
    ProtocolError,
    RequestError,
    RewriteError,
    ServerError,
    SetupError,
)
from pointsman.router import Router

app = typer.Typer(
    help="Decides for every chat request which model answers it, whether it is safe, "
    "and whether it carries personal data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Url = Annotated[str, typer.Option("--url", help="Triton's gRPC endpoint, HOST:PORT.")]
ModelRepository = Annotated[
    Path | None, typer.Option(help="Another model repository than the shipped one.")
]
PolicyName = Annotated[
    str | None, typer.Option(help="A policy of policy.yaml.", show_default="its default")
]
DEFAULT_URL = "127.0.0.1:8001"
_TIMEOUT_S = 5.0
# With --budget full: 32,768 tokens take many seconds on two cores.
_FULL_TIMEOUT_S = 60.0


class ComputeType(str, Enum):
    """Operands of the attention op's matrix products; sums are float32 with either."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address every port binds to.")] = "127.0.0.1",
    http_port: Annotated[int, typer.Option(help="Triton's HTTP port.")] = 8000,
    grpc_port: Annotated[int, typer.Option(help="Triton's gRPC port.")] = 8001,
    metrics_port: Annotated[int, typer.Option(help="Triton's Prometheus metrics.")] = 8002,
    health_port: Annotated[int, typer.Option(help="/healthz: ready only when it is.")] = 8003,
    model_repository: ModelRepository = None,
) -> None:
    """Start the embedded Triton in the foreground and keep it healthy until SIGINT or SIGTERM."""
    # Imported here: `route` must not need the server's packages.
    from pointsman.supervisor import serve as serve_until_signalled

    raise typer.Exit(
        serve_until_signalled(
            host=host,
            http_port=http_port,
            grpc_port=grpc_port,
            metrics_port=metrics_port,
            health_port=health_port,
            model_repository=model_repository,
        )
    )


@app.command()
def gateway(
    port: Annotated[int, typer.Option(help="Port to listen on.")],
    host: Annotated[str, typer.Option(help="Address to bind to.")] = "127.0.0.1",
    triton: Annotated[
        str | None,
        typer.Option(
            help="gRPC endpoint of a running server, HOST:PORT.", show_default="starts one"
        ),
    ] = None,
    upstream: Annotated[
        str | None,
        typer.Option(
            help="Base URL to ask every model at.", show_default="each model's of policy.yaml"
        ),
    ] = None,
    policy: PolicyName = None,
    model_repository: ModelRepository = None,
    max_body_mib: Annotated[int, typer.Option(min=1, help="Largest request body.")] = 16,
    max_in_flight: Annotated[int, typer.Option(min=1, help="Requests at once.")] = 1000,
    body_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds for a request's body.")
    ] = 30,
    reply_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds until a model begins to reply.")
    ] = 600,
    idle_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds between two pieces of a reply.")
    ] = 120,
) -> None:
    """Answer OpenAI's API: check every request, then pass it on to its model."""
    try:
        from pointsman.gateway.exchange import Limits
        from pointsman.gateway.serve import serve as serve_gateway
    except ModuleNotFoundError as error:
        raise PackageNotFoundError(error.name or "", "gateway") from None

    limits = Limits(
        body_bytes=max_body_mib * 2**20,
        body_s=body_timeout,
        reply_s=reply_timeout,
        idle_s=idle_timeout,
        in_flight=max_in_flight,
    )
    serve_gateway(
        host=host,
        port=port,
        triton=triton,
        upstream=upstream,
        policy=policy,
        model_repository=model_repository,
        limits=limits,
    )


@app.command()
def extproc(
    port: Annotated[int, typer.Option(help="Port to listen on.")],
    triton: Annotated[str, typer.Option(help="gRPC endpoint of a running server, HOST:PORT.")],
    host: Annotated[str, typer.Option(help="Address to bind to.")] = "127.0.0.1",
    policy: PolicyName = None,
    model_repository: ModelRepository = None,
) -> None:
    """Check requests on their way through Envoy, as its external processor (gRPC)."""
    from pointsman.extproc import command

    command.run(
        host=host, port=port, triton=triton, policy=policy, model_repository=model_repository
    )


@app.command()
def route(
    file: Annotated[
        str | None, typer.Argument(help="A chat-completions request body; - is standard input.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Judge this text instead of a request.")] = None,
    url: Url = DEFAULT_URL,
    budget: Annotated[
        str | None,
        typer.Option(help="Tokens the classifiers may read, or `full` for no compression."),
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="A policy of the server's policy.yaml.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            help="Seconds to wait for the decision.",
            show_default=f"{_TIMEOUT_S:g}, with --budget full {_FULL_TIMEOUT_S:g}",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the decision as JSON.")] = False,
) -> None:
    """Print the decision on one chat request."""
    _check_source(file, text)
    body = _read_body(file) if file is not None else b""
    tokens = _parse_budget(budget)
    seconds = _check_timeout(timeout, tokens)
    started = time.perf_counter()
    with Router(url, timeout_s=seconds) as router:
        if text is not None:
            decision = router.route_text(text, budget=tokens, policy=policy)
        else:
            decision = router.route(body, budget=tokens, policy=policy)
    elapsed_ms = (time.perf_counter() - started) * 1e3
    if as_json:
        sys.stdout.write(decision.model_dump_json() + "\n")
    else:
        Console().print(render.decision_table(decision, elapsed_ms))


@app.command()
def explain(
    file: Annotated[
        str | None, typer.Argument(help="A chat-completions request body; - is standard input.")
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="Explain this text instead of a request.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="Tokens the classifiers may read, or `full` for no compression."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Weights of the signals; default: those of config.pbtxt.")
    ] = None,
    model_repository: ModelRepository = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Print every sentence that is dropped.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a heat map to this file instead of the sentences.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show which sentences of a prompt the classifiers read, and why. Needs no server."""
    from pointsman import explain as explaining
    from pointsman.explain_page import page

    chat = _read_chat(file, text)
    tokens = _parse_budget(budget)
    explained = explaining.explain(
        explaining.load_compressor(model_repository, profile), chat, tokens
    )
    if html is not None:
        try:
            html.write_text(page(explained, chat.text), "utf-8", newline="\n")
        except OSError as error:
            raise typer.BadParameter(f"cannot write {html}: {error.strerror}") from None
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(explaining.as_json(explained, chat)) + b"\n")
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the prompt may have any character
    console = Console()
    if html is None:
        explaining.show(console, explained, chat.text, everything=everything)
    explaining.show_summary(console, explained)


@app.command()
def doctor(
    url: Annotated[
        str | None, typer.Option(help="Also ask this running server (gRPC, HOST:PORT).")
    ] = None,
    model_repository: ModelRepository = None,
) -> None:
    """Say what this machine has, what is missing, and how to mend it."""
    from pointsman.doctor import diagnose

    checks = diagnose(model_repository=model_repository, url=url)
    Console().print(render.checks_table(checks))
    raise typer.Exit(0 if all(check.ok for check in checks) else 1)


@app.command()
def rewrite(
    model: Annotated[Path, typer.Argument(help="An encoder, as exported to ONNX.")],
    out: Annotated[Path, typer.Argument(help="File to write; MODEL itself is replaced in place.")],
    library: Annotated[
        Path | None, typer.Option(help="Another op library than the one built here.")
    ] = None,
    compute_type: Annotated[
        ComputeType, typer.Option(help="Of the op's matrix products.")
    ] = ComputeType.FLOAT32,
) -> None:
    """Replace a model's attention by the flash-attention op, and prove that it computes the same.

    Nothing is written when a node is not known, or the two models differ.
    """
    from pointsman.rewrite import command

    Console().print(command.run(model, out, library=library, compute_type=compute_type.value))


def _read_chat(file: str | None, text: str | None) -> ChatText:
    _check_source(file, text)
    return plain_text(text) if text is not None else parse_chat(_read_body(file or "-"))


def _check_source(file: str | None, text: str | None) -> None:
    if (file is None) == (text is None):
        raise typer.BadParameter("give either FILE (or - for standard input) or --text, not both")


def _read_body(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"cannot read {file}: {error.strerror}") from None


def _parse_budget(budget: str | None) -> int | None:
    if budget is None:
        return None
    if budget == "full":
        return -1
    if not budget.isascii() or not budget.isdigit() or int(budget) == 0:
        raise typer.BadParameter(f"--budget is a positive number of tokens or `full`, not {budget}")
    return int(budget)


def _check_timeout(timeout: float | None, tokens: int | None) -> float:
    if timeout is None:
        return _FULL_TIMEOUT_S if tokens == -1 else _TIMEOUT_S
    if not 0 < timeout < math.inf:
        raise typer.BadParameter(f"--timeout is a positive number of seconds, not {timeout:g}")
    return timeout


def _exit_code(error: PointsmanError) -> int:
    match error:
        case RequestError():
            return 2
        case CheckFailedError() | ProtocolError():
            return 4
        case ServerError():
            return 3
        case SetupError():
            return 5
        case RewriteError():
            return 6
    return 4


def main() -> None:
    """Run the command; every foreseen failure is one line on standard error and an exit code."""
    try:
        app()
    except PointsmanError as error:
        sys.stderr.write(f"pointsman: {error}\n")
        sys.exit(_exit_code(error))
    except BrokenPipeError:
        # The reader of our output has gone (`pointsman route ... | head`).
        sys.stderr.close()
        sys.exit(0)
