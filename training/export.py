"""Export of a fine-tuned classifier to ONNX, int8 quantisation, and inference to measure it.

The files written are all that the server needs: ``model.onnx`` (inputs ``input_ids`` and
``attention_mask`` int64 [B, S], both dimensions dynamic; output ``logits`` float32; its attention
is the op of ``kernels/ck_flash_attention``), ``labels.json`` and ``tokenizer.json``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from training.batches import buckets, pad
from training.finetune import MAX_TOKENS, Trunk, load_tokenizer, predict

ROOT = Path(__file__).parents[1]
OP_LIBRARY = ROOT / "build" / "kernels" / "libck_flash_attention.so"
OPSET = 17
TOLERANCE = 2e-3
"""Largest difference allowed between PyTorch's logits and those of the fp32 ONNX model."""


class OnnxModel:
    """A model.onnx on the CPU, run as the server runs it: ids in, logits out."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.register_custom_ops_library(str(OP_LIBRARY))
        self._session = ort.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def predict(
        self, ids: Sequence[Sequence[int]], batch_tokens: int = 512
    ) -> list[npt.NDArray[np.float32]]:
        """Logits of each row, in order: [labels], or [tokens, labels] with padding cut off.

        Dynamic quantisation takes one activation range over a whole batch, so a row's logits
        depend, slightly, on its neighbours. ``batch_tokens=1`` runs every row alone, as the
        server does for a single request.
        """
        out: list[npt.NDArray[np.float32]] = [np.empty(0, np.float32)] * len(ids)
        for indices in buckets([len(row) for row in ids], batch_tokens, 64, None):
            batch = [ids[i] for i in indices]
            feed = {
                "input_ids": pad(batch, 0),
                "attention_mask": pad([[1] * len(row) for row in batch], 0),
            }
            (logits,) = self._session.run(["logits"], feed)
            for index, row in zip(indices, logits, strict=True):
                out[index] = row[: len(ids[index])] if row.ndim == 2 else row
        return out


def _export_fp32(model: nn.Module, path: Path) -> None:
    """Write the traced model, free of stack traces and machine paths."""
    model.eval()
    for module in model.modules():
        if isinstance(module, Trunk):  # eager attention exports as MatMul, Add, Softmax, MatMul
            module.bert.set_attn_implementation("eager")
    ids = torch.randint(1000, 2000, (2, 9))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (ids, mask),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            do_constant_folding=True,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={
                "input_ids": {0: "batch", 1: "tokens"},
                "attention_mask": {0: "batch", 1: "tokens"},
                "logits": {0: "batch", 1: "tokens"} if model(ids, mask).ndim == 3 else {0: "batch"},
            },
        )
    _strip(path)


def _strip(path: Path) -> None:
    """Remove what names the machine or the run: doc strings and metadata, everywhere."""
    proto = onnx.load(str(path))
    proto.ClearField("doc_string")
    proto.ClearField("metadata_props")
    proto.graph.ClearField("doc_string")
    proto.graph.ClearField("metadata_props")
    for part in (
        *proto.graph.node,
        *proto.graph.initializer,
        *proto.graph.input,
        *proto.graph.output,
        *proto.graph.value_info,
    ):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    for node in proto.graph.node:
        for attribute in node.attribute:
            attribute.ClearField("doc_string")
    onnx.checker.check_model(proto)
    onnx.save(proto, str(path))


def _quantise(source: Path, target: Path, fp32_nodes: Sequence[str]) -> None:
    """Dynamic int8 of the weight MatMuls (per channel) and of the embedding tables.

    ``reduce_range`` keeps weights in 7 bits: CPUs without VNNI add pairs of u8 x s8 products
    in 16 bits and would saturate.
    """
    quantize_dynamic(
        str(source),
        str(target),
        op_types_to_quantize=["MatMul", "Gather"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=list(fp32_nodes),
        # The second for what follows an op that is not ONNX's own: its type is not inferred.
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    _strip(target)


def _fuse_attention(path: Path) -> None:
    """Put the flash-attention op into the model, as users do, in the environment that has it."""
    command = [ROOT / ".venv" / "bin" / "pointsman", "rewrite", path, path]
    subprocess.run(command, check=True)  # noqa: S603 - our own command


@dataclass(frozen=True, slots=True)
class Exported:
    """Where the two files of one export lie: fp32 (for comparison) and int8 (to ship).

    The attention of the latter alone is the op.
    """

    fp32: Path
    int8: Path


def export(
    model: nn.Module,
    folder: Path,
    sample: Sequence[Sequence[int]],
    fp32_nodes: Sequence[str] = (),
) -> Exported:
    """Write ``fp32.onnx`` and ``int8.onnx`` into ``folder`` and check the former.

    Args:
        model: a trained classifier (its attention is switched to the eager form).
        folder: created when absent; a build folder, not the model repository.
        sample: token ids of a few texts of different lengths to compare logits on.
        fp32_nodes: names of MatMul/Gather nodes to leave in fp32.

    Raises:
        RuntimeError: the ONNX model's logits differ from PyTorch's by more than TOLERANCE.
        subprocess.CalledProcessError: ``pointsman rewrite`` refused the int8 model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = Exported(folder / "fp32.onnx", folder / "int8.onnx")
    _export_fp32(model, done.fp32)
    wanted = predict(model, sample)
    got = OnnxModel(done.fp32).predict(sample, batch_tokens=1)
    worst = max(float(np.abs(a - b).max()) for a, b in zip(wanted, got, strict=True))
    if worst > TOLERANCE:
        raise RuntimeError(f"ONNX logits differ from PyTorch's by {worst:.2g} (> {TOLERANCE})")
    _quantise(done.fp32, done.int8, fp32_nodes)
    _fuse_attention(done.int8)
    return done


def publish(onnx_file: Path, labels: Sequence[str], model_folder: Path) -> None:
    """Write ``1/model.onnx``, ``1/labels.json`` and ``1/tokenizer.json`` of a served model.

    Args:
        onnx_file: the file to ship.
        labels: label of each logit, in order.
        model_folder: for example ``model_repository/domain_classifier``.
    """
    version = model_folder / "1"
    version.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(onnx_file, version / "model.onnx")
    text = json.dumps({"labels": list(labels), "max_tokens": MAX_TOKENS}, indent=2)
    (version / "labels.json").write_text(text + "\n", encoding="utf-8")
    (version / "tokenizer.json").write_text(load_tokenizer().to_str(pretty=False), encoding="utf-8")
