"""The shared encoder's export, with weights drawn at random: no package of weights is needed."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

pytest.importorskip("tqdm", reason="training/requirements.txt is not installed")
from training.model import export as module
from training.model import graph
from training.model.encoder import CONTEXT, WIDTH, Encoder
from training.model.session import open_session


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> module.Exported:
    torch.manual_seed(3)
    # Four layers: local and wide ones, both more than once.
    return module.export_encoder(Encoder(4), tmp_path_factory.mktemp("encoder"))


def test_int8_stays_close_to_fp32(exported: module.Exported) -> None:
    ids = np.random.default_rng(4).integers(0, 30522, (1, 300))
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    fp32, int8 = (
        open_session(path).run(["hidden_states"], feed)[0][0]
        for path in (exported.fp32, exported.int8)
    )
    cosines = (fp32 * int8).sum(-1) / np.linalg.norm(fp32, axis=-1) / np.linalg.norm(int8, axis=-1)
    assert cosines.min() > 0.97
    assert exported.int8.stat().st_size < 0.3 * exported.fp32.stat().st_size


def test_windows_and_padding_hide_what_they_should(exported: module.Exported) -> None:
    run = open_session(exported.fp32)
    ids = np.random.default_rng(5).integers(0, 30522, (2, 200))
    mask = np.ones_like(ids)
    mask[:, 150:] = 0
    ids[1, :150] = ids[0, :150]  # they differ where there is padding alone
    (states,) = run.run(["hidden_states"], {"input_ids": ids, "attention_mask": mask})
    np.testing.assert_array_equal(states[0, :150], states[1, :150])


def test_a_graph_that_computes_something_else_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(graph, "LOCAL_BASE", 9_000.0)
    with pytest.raises(RuntimeError, match=r"hidden_states of .* differ from PyTorch's"):
        module.export_encoder(Encoder(2), tmp_path)


class Mean(nn.Module):
    """Logits of the mean state, or of each."""

    def __init__(self, by_token: bool) -> None:
        super().__init__()
        self.by_token = by_token
        self.linear = nn.Linear(WIDTH, 5)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        if self.by_token:
            return self.linear(states)
        weights = mask.to(states.dtype)[..., None]
        return self.linear((states * weights).sum(1) / weights.sum(1))


class Frozen(Mean):
    """Reads a shape as a number, which tracing makes a constant."""

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        return super().forward(states, mask) * int(states.shape[1])


@pytest.mark.parametrize("by_token", [False, True])
def test_a_head_is_published_with_its_labels(tmp_path: Path, by_token: bool) -> None:
    done = module.export_head(Mean(by_token), tmp_path / "build")
    folder = tmp_path / "safety_classifier"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "tokenizer.json").write_text("{}")  # of a classifier that was here before
    module.publish_head(done.fp32, list("abcde"), folder)
    assert sorted(p.name for p in (folder / "1").iterdir()) == ["labels.json", "model.onnx"]
    text = (folder / "1" / "labels.json").read_text()
    assert f'"max_tokens": {CONTEXT}' in text
    assert '"encoder": "encoder"' in text
    inputs = onnx.load(str(folder / "1" / "model.onnx")).graph.input
    assert [value.name for value in inputs] == ["hidden_states", "attention_mask"]


def test_a_head_whose_shape_is_frozen_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"logits of .* differ from PyTorch's"):
        module.export_head(Frozen(False), tmp_path)
