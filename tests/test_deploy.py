"""The container files: what can be held against the checkout without a container engine."""

import ast
import fnmatch
import re
import shlex
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import psutil
import pytest

from pointsman.embedded import EmbeddedTriton

ROOT = Path(__file__).parents[1]
# Modules that an image has from elsewhere, and distributions that stand in for another.
GIVEN = {"pointsman_backends", "triton_python_backend_utils"}
STAND_IN = {"onnxruntime": "onnxruntime-rocm"}


def copied_sources() -> list[str]:
    instructions = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    sources = []
    for line in instructions:
        if line.startswith("COPY ") and "--from=" not in line:
            sources += shlex.split(line)[1:-1]
    return sources


def ignored_by_docker(path: str) -> bool:
    """Whether .dockerignore keeps the path out: the last pattern that matches decides."""
    ignored = False
    for pattern in (ROOT / ".dockerignore").read_text().splitlines():
        if not pattern or pattern.startswith("#"):
            continue
        wanted = pattern.startswith("!")
        bare = pattern.removeprefix("!").removeprefix("**/")
        parts = Path(path).parts
        prefixes = ["/".join(parts[: i + 1]) for i in range(len(parts))]
        names = [*prefixes, *parts] if "**/" in pattern else prefixes
        if any(fnmatch.fnmatch(name, bare) for name in names):
            ignored = not wanted
    return ignored


def test_everything_copied_exists_and_reaches_the_build_context() -> None:
    sources = copied_sources()
    assert "model_repository" in sources
    for source in sources:
        if source == ".":
            continue
        assert (ROOT / source).exists(), source
        assert not ignored_by_docker(source), source


@pytest.mark.parametrize(
    "path", [".git/config", ".venv/bin/python", "tests/test_deploy.py", "client/x/__pycache__"]
)
def test_the_build_context_holds_nothing_else(path: str) -> None:
    assert ignored_by_docker(path)


def test_the_rocm_image_has_every_package_that_the_backends_import() -> None:
    modules = set()
    backends = ROOT / "python_backends"
    adapters = (ROOT / "model_repository").glob("*/1/model.py")
    for path in [*backends.rglob("*.py"), *adapters]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.split(".")[0])
    third_party = modules - set(sys.stdlib_module_names) - GIVEN
    assert "numpy" in third_party

    locked = set(re.findall(r"^([\w.-]+)==", rocm_lock(), re.M))
    distributions = packages_distributions()
    for module in sorted(third_party):
        names = {name.lower().replace("_", "-") for name in distributions[module]}
        names = {STAND_IN.get(name, name) for name in names}
        assert names & locked, f"{module} is imported but deploy/rocm-requirements.lock lacks it"


def test_the_two_images_carry_the_same_versions() -> None:
    shared = {}
    for name, version in re.findall(
        r"^([\w.-]+)==([^\s;]+)[^\n]*$", (ROOT / "requirements.lock").read_text(), re.M
    ):
        shared.setdefault(name, set()).add(version)
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", rocm_lock(), re.M):
        if name in shared:
            assert version in shared[name], name


def test_gpu_instances_can_be_turned_on_where_the_dockerfile_does_it() -> None:
    names = ("encoder", "*_classifier")
    configs = [c for n in names for c in (ROOT / "model_repository").glob(f"{n}/config.pbtxt")]
    assert len(configs) == 4
    for config in configs:
        assert config.read_text().count("KIND_CPU") == 1, config


def rocm_lock() -> str:
    return (ROOT / "deploy" / "rocm-requirements.lock").read_text()


STAND_IN_ENSEMBLE = """
import json
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            text = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy()[0, 0]
            errors = {errors}
            decision = json.dumps({{"action": "route", "length": len(text), "errors": errors}})
            tensor = pb_utils.Tensor("DECISION", np.array([[decision.encode()]], dtype=object))
            responses.append(pb_utils.InferenceResponse([tensor]))
        return responses
"""
STAND_IN_CONFIG = """
backend: "python"
max_batch_size: 1
input [ { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "DECISION" data_type: TYPE_STRING dims: [ 1 ] } ]
"""


def repository(folder: Path, errors: list[str]) -> Path:
    """A real Triton repository whose one model has the tensors that the check uses."""
    version = folder / "chat_router" / "1"
    version.mkdir(parents=True)
    (version / "model.py").write_text(STAND_IN_ENSEMBLE.format(errors=errors))
    (version.parent / "config.pbtxt").write_text(STAND_IN_CONFIG)
    return folder


def health_check(address: str) -> tuple[int, str]:
    command = [sys.executable, "-I", str(ROOT / "deploy" / "healthcheck.py"), address]
    # A proxy that is not there: the check must not ask one for 127.0.0.1.
    environment = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.strip()


@pytest.mark.server
def test_the_health_check_tells_a_server_that_routes_from_one_whose_model_died(
    tmp_path: Path,
) -> None:
    with EmbeddedTriton(repository(tmp_path, errors=[])) as triton:
        assert health_check(triton.http_url) == (0, "")
        stubs = [
            process
            for process in psutil.Process(triton.pid).children(recursive=True)
            if "chat_router" in " ".join(process.cmdline())
        ]
        assert len(stubs) == 1
        stubs[0].kill()
        status, reason = health_check(triton.http_url)
        assert status == 1
        assert "\n" not in reason
        # Triton would wait for the dead model until its grace is over.
        psutil.Process(triton.pid).kill()
    status, reason = health_check(triton.http_url)
    assert status == 1
    assert reason.startswith("no answer from")


@pytest.mark.server
def test_the_health_check_refuses_a_decision_whose_checks_did_not_run(tmp_path: Path) -> None:
    with EmbeddedTriton(repository(tmp_path, errors=["safety_classifier"])) as triton:
        assert health_check(triton.http_url) == (1, "checks did not run: safety_classifier")
