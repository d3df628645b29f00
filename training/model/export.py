"""Export of the shared encoder and of the heads that read its hidden states.

Four Triton models come of it: ``encoder`` (``input_ids``, ``attention_mask`` int64 [B, S] to
``hidden_states`` float32 [B, S, WIDTH]) and one for each head (``hidden_states``,
``attention_mask`` to ``logits`` float32). Each is written in fp32, compared with PyTorch, and
quantised to int8.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from training.model.encoder import CONTEXT, WIDTH, Encoder, load_tokenizer
from training.model.graph import ENCODER, OPSET, encoder_graph
from training.model.session import open_session

TOLERANCE = 2e-3
"""Largest difference allowed between PyTorch's outputs and those of the fp32 ONNX model."""

_CHECKED = ((1, 1), (1, 17), (3, 17), (2, 512), (1, 3000), (2, 700))
"""(rows, tokens) that ONNX and PyTorch are compared on; rows after the first are padded."""

Feed = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Exported:
    """Where the two files of one export lie: fp32 and int8."""

    fp32: Path
    int8: Path


def export_encoder(encoder: Encoder, folder: Path) -> Exported:
    """Write ``fp32.onnx`` and ``int8.onnx`` of the encoder, and check the former.

    Args:
        encoder: a trained encoder.
        folder: created when absent; a build folder, not the model repository.

    Raises:
        RuntimeError: the hidden states differ from PyTorch's by more than TOLERANCE, for 1 to
            3,000 tokens, padded or not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = Exported(folder / "fp32.onnx", folder / "int8.onnx")
    onnx.save(encoder_graph(encoder.eval()), str(done.fp32))
    _strip(done.fp32)
    rng = np.random.default_rng(0)
    feeds = []
    for mask in _masks():
        ids = rng.integers(0, encoder.embedding.num_embeddings, mask.shape)
        feeds.append({"input_ids": ids, "attention_mask": mask})
    _check(encoder, done.fp32, "hidden_states", feeds)
    _quantise(done.fp32, done.int8)
    return done


def export_head(head: nn.Module, folder: Path) -> Exported:
    """Write ``fp32.onnx`` and ``int8.onnx`` of a head, and check the former.

    Args:
        head: ``forward(hidden_states, attention_mask)`` gives logits [B, labels] or
            [B, S, labels], from hidden states float32 [B, S, WIDTH] and a mask int64 [B, S]. It is
            traced, so its shapes must not be read as Python numbers.
        folder: created when absent; a build folder, not the model repository.

    Raises:
        RuntimeError: the logits differ from PyTorch's by more than TOLERANCE, for 1 to 3,000
            tokens, padded or not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = Exported(folder / "fp32.onnx", folder / "int8.onnx")
    head.eval()
    states = torch.randn(2, 200, WIDTH)
    mask = torch.ones(2, 200, dtype=torch.int64)
    mask[1, 150:] = 0
    axes = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        by_token = head(states, mask).ndim == 3
        torch.onnx.export(
            head,
            (states, mask),
            str(done.fp32),
            dynamo=False,
            opset_version=OPSET,
            input_names=["hidden_states", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={
                "hidden_states": axes,
                "attention_mask": axes,
                "logits": axes if by_token else {0: "batch"},
            },
        )
    _keep_mask(done.fp32)
    _strip(done.fp32)
    rng = np.random.default_rng(0)
    feeds = []
    for rows in _masks():
        vectors = rng.standard_normal((*rows.shape, WIDTH)).astype(np.float32)
        feeds.append({"hidden_states": vectors, "attention_mask": rows})
    _check(head, done.fp32, "logits", feeds)
    _quantise(done.fp32, done.int8)
    return done


def _keep_mask(path: Path) -> None:
    """Give the model its input ``attention_mask`` back, which a head may not look at."""
    proto = onnx.load(str(path))
    if all(value.name != "attention_mask" for value in proto.graph.input):
        axes = ["batch", "tokens"]
        mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, axes)
        proto.graph.input.append(mask)
        onnx.save(proto, str(path))


def _masks() -> Iterator[npt.NDArray[np.int64]]:
    for rows, tokens in _CHECKED:
        mask = np.ones((rows, tokens), np.int64)
        for row in range(1, rows):
            mask[row, tokens // (row + 1) :] = 0
        yield mask


def _check(model: nn.Module, path: Path, output: str, feeds: Sequence[Feed]) -> None:
    """Compare PyTorch and ONNX Runtime where there are tokens."""
    run = open_session(path)
    for feed in feeds:
        with torch.no_grad():
            wanted = model(*(torch.from_numpy(array) for array in feed.values())).numpy()
        (got,) = run.run([output], feed)
        mask = feed["attention_mask"]
        if wanted.shape[:2] == mask.shape:
            wanted, got = wanted[mask > 0], got[mask > 0]
        worst = float(np.abs(wanted - got).max()) if wanted.shape == got.shape else np.inf
        if not worst <= TOLERANCE:  # so that NaN fails
            rows, tokens = mask.shape
            raise RuntimeError(
                f"{path}: {output} of {rows} rows of {tokens} tokens differ from PyTorch's by "
                f"{worst:.2g} (> {TOLERANCE})"
            )


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


def _quantise(source: Path, target: Path) -> None:
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
        # The second for what follows an op that is not ONNX's own: its type is not inferred.
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    _strip(target)


def publish_encoder(onnx_file: Path, model_folder: Path) -> None:
    """Write ``1/model.onnx`` and ``1/tokenizer.json`` of the served encoder.

    Args:
        onnx_file: the file to ship.
        model_folder: ``model_repository/encoder``.
    """
    version = _publish(onnx_file, model_folder)
    tokenizer = load_tokenizer().to_str(pretty=False)
    (version / "tokenizer.json").write_text(tokenizer, encoding="utf-8")


def publish_head(onnx_file: Path, labels: Sequence[str], model_folder: Path) -> None:
    """Write ``1/model.onnx`` and ``1/labels.json`` of a served head.

    Args:
        onnx_file: the file to ship.
        labels: label of each logit, in order.
        model_folder: for example ``model_repository/domain_classifier``.
    """
    version = _publish(onnx_file, model_folder)
    document = {"labels": list(labels), "max_tokens": CONTEXT, "encoder": ENCODER}
    (version / "labels.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    # A classifier that was here before may have read token ids.
    (version / "tokenizer.json").unlink(missing_ok=True)


def _publish(onnx_file: Path, model_folder: Path) -> Path:
    version = model_folder / "1"
    version.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(onnx_file, version / "model.onnx")
    return version
