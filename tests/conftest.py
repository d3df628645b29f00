"""Hypothesis' settings, and fixtures that start real Triton servers."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput

from pointsman.embedded import EmbeddedTriton

# Speed is measured in perf/, not here. CI draws the same examples each time; elsewhere new ones.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def triton() -> Iterator[EmbeddedTriton]:
    """The real model repository in a real Triton, started when the first test asks for it."""
    with EmbeddedTriton() as server:
        yield server


@pytest.fixture(scope="module")
def perf_scripts() -> Iterator[None]:
    """The measurements in perf/ can be imported by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1] / "perf")
        yield


_TOY_CONFIG = """
backend: "python"
max_batch_size: 1
input [ {{ name: "{source}" data_type: TYPE_STRING dims: [ 1 ] }} ]
output [ {{ name: "{target}" data_type: TYPE_STRING dims: [ 1 ] }} ]
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
"""

_TOY_ENSEMBLE = """
platform: "ensemble"
max_batch_size: 1
input [ { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "ANSWER" data_type: TYPE_STRING dims: [ 1 ] } ]
ensemble_scheduling { step [
  { model_name: "first" model_version: -1
    input_map { key: "TEXT" value: "TEXT" } output_map { key: "MIDDLE" value: "MIDDLE" } },
  { model_name: "second" model_version: -1
    input_map { key: "MIDDLE" value: "MIDDLE" } output_map { key: "ANSWER" value: "ANSWER" } }
] }
"""

_TOY_MODEL = """
import json, locale, os, sys, time
import numpy as np
import triton_python_backend_utils as pb_utils


def answer(text):
    if text == b"hang":
        while True:
            time.sleep(1)
    if text == b"exit":
        os._exit(3)
    if text == b"environment":
        return json.dumps({
            "variables": dict(os.environ),
            "numpy": np.__file__,
            "version": sys.version,
            "encoding": locale.getpreferredencoding(False),
        }).encode()
    return text


class TritonPythonModel:
    def initialize(self, args):
        if args["model_name"] == "second":
            print("second says: grüß")
        pass

    def execute(self, requests):
        responses = []
        for request in requests:
            texts = pb_utils.get_input_tensor_by_name(request, "@SOURCE@").as_numpy()
            answers = np.array([[answer(texts[0, 0])]], dtype=np.object_)
            responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("@TARGET@", answers)]))
        return responses
"""

MakeRepository = Callable[..., Path]


@pytest.fixture(scope="session")
def make_repository(tmp_path_factory: pytest.TempPathFactory) -> MakeRepository:
    """Write a repository of two Python models and their ensemble `pair`; return its path.

    `initialize` maps a model's name to the body of its ``initialize``, one indented statement.
    """

    def make(initialize: Mapping[str, str] | None = None) -> Path:
        repository = tmp_path_factory.mktemp("toys") / "model repository"
        for name, source, target in (("first", "TEXT", "MIDDLE"), ("second", "MIDDLE", "ANSWER")):
            version = repository / name / "1"
            version.mkdir(parents=True)
            config = _TOY_CONFIG.format(source=source, target=target)
            (repository / name / "config.pbtxt").write_text(config)
            code = _TOY_MODEL.replace("@SOURCE@", source).replace("@TARGET@", target)
            code = code.replace("pass", (initialize or {}).get(name, "pass"))
            (version / "model.py").write_text(code)
        (repository / "pair" / "1").mkdir(parents=True)
        (repository / "pair" / "config.pbtxt").write_text(_TOY_ENSEMBLE)
        return repository

    return make


@pytest.fixture(scope="session")
def toys(make_repository: MakeRepository) -> Path:
    """A repository of toy models that work; do not change it."""
    return make_repository()


class ToyClient:
    """A connection of its own to toy models; call it with a text to get the answer."""

    def __init__(self, url: str, *, model: str = "pair") -> None:
        names = {
            "pair": ("TEXT", "ANSWER"),
            "first": ("TEXT", "MIDDLE"),
            "second": ("MIDDLE", "ANSWER"),
        }
        self._model, (self._source, self._target) = model, names[model]
        options = [
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 500),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
        ]
        self._client = InferenceServerClient(url, channel_args=options)

    def __enter__(self) -> "ToyClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def __call__(self, text: bytes, *, timeout_s: float = 10.0) -> bytes:
        tensor = InferInput(self._source, [1, 1], "BYTES")
        tensor.set_data_from_numpy(np.array([[text]], dtype=np.object_))
        result = self._client.infer(self._model, [tensor], client_timeout=timeout_s)
        return bytes(result.as_numpy(self._target)[0, 0])


@pytest.fixture(scope="session")
def connect() -> type[ToyClient]:
    return ToyClient


Ask = Callable[..., bytes]


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Send one text to a toy model, the ensemble by default, over a connection of its own."""

    def send(url: str, text: bytes, *, model: str = "pair", timeout_s: float = 10.0) -> bytes:
        with ToyClient(url, model=model) as client:
            return client(text, timeout_s=timeout_s)

    return send


@pytest.fixture(scope="session")
def leftovers() -> Callable[[str], list[str]]:
    """List what is left of a server: processes, shared memory and scratch files with its name."""

    def look(name: str) -> list[str]:
        found = [str(region) for region in Path("/dev/shm").glob(f"{name}*")]
        for command in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                arguments = command.read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            # The name is an argument of the guardian and of the server, and begins others.
            if any(argument.removeprefix("--id=").startswith(name) for argument in arguments):
                found.append(f"{command.parent.name}: {' '.join(arguments)[:200]}")
        return found

    return look
