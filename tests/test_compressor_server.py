"""The compressor inside a real Triton server: its tensors, its errors, its warm-up."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from pointsman.embedded import EmbeddedTriton
from pointsman.errors import ModelLoadError

SHIPPED = Path(__file__).parent.parent / "model_repository"
CLASSIFIERS = ["safety_classifier", "domain_classifier", "pii_classifier"]
OUTPUTS = ["INPUT_IDS", "ATTENTION_MASK", "TOKEN_OFFSETS", "FINDINGS"]

pytestmark = pytest.mark.server


def repository(folder: Path) -> Path:
    """The shipped compressor, and of the classifiers what it reads of them."""
    shutil.copytree(SHIPPED / "compressor", folder / "compressor")
    for name in CLASSIFIERS:
        version = folder / name / "1"
        version.mkdir(parents=True)
        shutil.copy(SHIPPED / "encoder" / "1" / "tokenizer.json", version)
        (version / "labels.json").write_text('{"labels": ["a"], "max_tokens": 512}')
    return folder


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[triton.InferenceServerClient]:
    folder = repository(tmp_path_factory.mktemp("repository"))
    with (
        EmbeddedTriton(folder, models=["compressor"]) as server,
        triton.InferenceServerClient(server.grpc_url) as connected,
    ):
        yield connected


def infer(
    client: triton.InferenceServerClient,
    text: bytes,
    offsets: list[int] | None = None,
    budget: int | None = None,
) -> dict[str, np.ndarray]:
    inputs = [triton.InferInput("TEXT", [1, 1], "BYTES")]
    inputs[0].set_data_from_numpy(np.array([[text]], np.object_))
    for name, values in (("MESSAGE_OFFSETS", offsets), ("TOKEN_BUDGET", budget)):
        if values is not None:
            array = np.atleast_2d(np.array(values, np.int32))
            inputs.append(triton.InferInput(name, list(array.shape), "INT32"))
            inputs[-1].set_data_from_numpy(array)
    result = client.infer("compressor", inputs)
    return {name: result.as_numpy(name) for name in OUTPUTS}


def test_tensors_of_a_short_text(client: triton.InferenceServerClient) -> None:
    got = infer(client, b"Hello, a@b.org!")
    assert got["INPUT_IDS"].tolist() == [[101, 7592, 1010, 1037, 1030, 1038, 1012, 8917, 999, 102]]
    assert got["INPUT_IDS"].dtype == np.int64
    assert got["ATTENTION_MASK"].tolist() == [[1] * 10]
    assert got["ATTENTION_MASK"].dtype == np.int64
    assert got["TOKEN_OFFSETS"].dtype == np.int32
    assert got["TOKEN_OFFSETS"][0, :3].tolist() == [[-1, -1], [0, 5], [5, 6]]
    assert got["FINDINGS"].shape == (1, 1)
    findings = json.loads(got["FINDINGS"][0, 0])
    assert [pattern["type"] for pattern in findings["patterns"]] == ["EMAIL_ADDRESS"]
    assert findings["coverage"]["kept"] == [[0, 15]]


def test_offsets_and_budget_reach_the_compressor(client: triton.InferenceServerClient) -> None:
    text = "Alpha beta gamma. " * 400 + "\nThe question begins. " + "Delta. " * 100
    got = infer(client, text.encode(), [0, 400 * 18 + 1], 64)
    findings = json.loads(got["FINDINGS"][0, 0])
    assert got["INPUT_IDS"].shape[1] <= 64
    read = "|".join(text[start:end] for start, end in findings["coverage"]["kept"])
    assert "The question begins." in read


@pytest.mark.parametrize(
    ("text", "offsets", "budget", "code"),
    [
        (b"", None, None, "invalid_text"),
        (b"\xff", None, None, "invalid_text"),
        (b"a", [1], None, "invalid_offsets"),
        (b"a", None, -2, "invalid_budget"),
        (b"a" * 5_000_000, None, None, "too_large"),
    ],
)
def test_a_bad_request_gets_its_code_and_the_next_one_an_answer(
    client: triton.InferenceServerClient,
    text: bytes,
    offsets: list[int] | None,
    budget: int | None,
    code: str,
) -> None:
    with pytest.raises(InferenceServerException, match=rf"\[pointsman:{code}\] \w"):
        infer(client, text, offsets, budget)
    assert infer(client, b"fine")["INPUT_IDS"].shape == (1, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: (r / "pii_classifier/1/tokenizer.json").write_text("{}"), "differs from"),
        (lambda r: (r / "pii_classifier/1/labels.json").unlink(), "cannot read"),
        # That a warm-up text which is not UTF-8 is noticed shows that the warm-up runs.
        (
            lambda r: (r / "compressor/warmup/long_text").write_bytes(b"\1\0\0\0\xff"),
            "failed to run warmup sample",
        ),
    ],
)
def test_a_broken_repository_stops_the_server(
    tmp_path: Path, change: Callable[[Path], object], message: str
) -> None:
    change(repository(tmp_path))
    with (
        pytest.raises(ModelLoadError, match=message),
        EmbeddedTriton(tmp_path, models=["compressor"]),
    ):
        pytest.fail("the server must not start")
