"""The command as a user meets it: a real process, its exit code, its one line of complaint."""

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pointsman import paths
from pointsman.embedded import EmbeddedTriton
from tests.ports import unused_port

COMMAND = Path(sys.executable).with_name("pointsman")
CHAT = {"model": "auto", "messages": [{"role": "user", "content": "Integrate x squared."}]}


def run(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([COMMAND, *args], input=stdin, capture_output=True, timeout=120)


def complaint(result: subprocess.CompletedProcess[bytes]) -> str:
    text = result.stderr.decode()
    assert "Traceback" not in text
    return text


def test_triton_not_running_is_exit_3_and_one_line_that_says_so() -> None:
    port = unused_port()
    result = run("route", "--text", "hello", "--url", f"127.0.0.1:{port}")
    assert result.returncode == 3
    assert result.stdout == b""
    lines = complaint(result).strip().splitlines()
    assert len(lines) == 1
    assert f"127.0.0.1:{port}" in lines[0]
    assert "pointsman serve" in lines[0]


def test_a_time_out_is_exit_3_and_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"127.0.0.1:{silent.getsockname()[1]}"
        result = run("route", "--text", "x", "--budget", "full", "--timeout", "0.2", "--url", url)
    assert result.returncode == 3
    assert "within 0.2 s" in complaint(result)
    assert "--timeout" in complaint(result)


@pytest.mark.parametrize(
    ("stdin", "word"),
    [
        (b"not json", "JSON"),
        (b"[1, 2]", "object"),
        (b"{}", "messages"),
        (b'{"messages": []}', "messages"),
        (b'{"messages": [{"role": "user", "content": "  "}]}', "empty"),
        (b'{"messages": [{"role": "user", "content": "\\ud800"}]}', "surrogate"),
        (b'{"messages": [{"role": "user", "content": "\xff"}]}', "UTF-8"),
    ],
)
def test_a_bad_body_is_exit_2_and_one_line(stdin: bytes, word: str) -> None:
    result = run("route", "-", "--url", "127.0.0.1:9", stdin=stdin)
    assert result.returncode == 2
    lines = complaint(result).strip().splitlines()
    assert len(lines) == 1
    assert word.lower() in lines[0].lower()


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("-", "--text", "both"),
        ("/nonexistent/request.json",),
        ("--text", "x", "--budget", "-5"),
        ("--text", "x", "--budget", "0"),
        ("--text", "x", "--budget", "some"),
        ("--text", "x", "--timeout", "0"),
        ("--text", "x", "--timeout", "nan"),
        ("--text", "x", "--timeout", "inf"),
        ("--text", "x", "--no-such-option"),
    ],
)
def test_bad_usage_is_exit_2(args: tuple[str, ...]) -> None:
    result = run("route", *args, "--url", "127.0.0.1:9")
    assert result.returncode == 2
    assert complaint(result)


def test_serve_on_a_busy_port_is_exit_5_and_names_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("serve", "--grpc-port", str(port))
    assert result.returncode == 5
    assert str(port) in complaint(result)


def test_doctor_finds_this_checkout_in_order() -> None:
    result = run("doctor")
    assert result.returncode == 0, result.stdout.decode()
    text = result.stdout.decode()
    for name in ("Triton", "ONNX Runtime", "safety_classifier", "sha256", "policy"):
        assert name in text


def test_doctor_names_a_missing_model_and_a_bad_policy(tmp_path: Path) -> None:
    repository = tmp_path / "model_repository"
    shutil.copytree(paths.model_repository(), repository)
    (repository / "domain_classifier" / "1" / "model.onnx").unlink()
    (repository / "router" / "1" / "policy.yaml").write_text("version: [\n")
    result = run("doctor", "--model-repository", str(repository))
    assert result.returncode == 1
    text = complaint(result) + result.stdout.decode()
    assert "domain_classifier" in text
    assert "policy.yaml" in text


@pytest.mark.server
def test_route_prints_the_decision_as_json(triton: EmbeddedTriton) -> None:
    result = run("route", "-", "--json", "--url", triton.grpc_url, stdin=json.dumps(CHAT).encode())
    assert result.returncode == 0, complaint(result)
    decision = json.loads(result.stdout)
    assert decision["action"] == "route"
    assert decision["domain"]["label"] == "math"


@pytest.mark.server
def test_route_prints_the_decision_for_people(triton: EmbeddedTriton, tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(CHAT))
    result = run("route", str(path), "--budget", "full", "--url", triton.grpc_url)
    assert result.returncode == 0, complaint(result)
    assert "math" in result.stdout.decode()


@pytest.mark.server
def test_an_unknown_policy_is_exit_2_and_names_it(triton: EmbeddedTriton) -> None:
    result = run("route", "--text", "hello", "--policy", "no-such", "--url", triton.grpc_url)
    assert result.returncode == 2
    assert "no-such" in complaint(result)


@pytest.mark.server
def test_doctor_asks_a_running_server(triton: EmbeddedTriton) -> None:
    result = run("doctor", "--url", triton.grpc_url)
    assert result.returncode == 0, result.stdout.decode()
    assert "server: decision" in result.stdout.decode()
