"""Classifiers that read token ids, in place of heads that read the shared encoder's states.

What docs/own_checkpoints.md says to do by hand, and one model file made of encoder and head.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
from google.protobuf import text_format
from onnx import compose
from tritonclient.grpc import model_config_pb2

HEADS = ("safety_classifier", "domain_classifier", "pii_classifier")


def config_of(model: Path) -> Any:  # noqa: ANN401 - protobuf's generated class
    """Read a model's config.pbtxt."""
    return text_format.Parse((model / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())


def write_config(model: Path, config: Any) -> None:  # noqa: ANN401 - as above
    """Write a model's config.pbtxt."""
    (model / "config.pbtxt").write_text(text_format.MessageToString(config))


def read_ids(model: Path) -> None:
    """Let a head's configuration take token ids, and load the attention op."""
    config = config_of(model)
    (states,) = [tensor for tensor in config.input if tensor.name == "hidden_states"]
    states.name, states.data_type = "input_ids", model_config_pb2.TYPE_INT64
    states.dims[:] = [-1]
    for warmup in config.model_warmup:
        ids = warmup.inputs["input_ids"]
        ids.CopyFrom(warmup.inputs["attention_mask"])
        del warmup.inputs["hidden_states"]
    config.model_operations.op_library_filename[:] = ["libck_flash_attention.so"]
    write_config(model, config)


def connect(repository: Path, reading_ids: Sequence[str]) -> None:
    """Let the ensemble give token ids to these classifiers, and hidden states to the others.

    Where no head is left, the encoder leaves the ensemble.
    """
    config = config_of(repository / "chat_router")
    steps = config.ensemble_scheduling.step
    for step in steps:
        if step.model_name in reading_ids:
            del step.input_map["hidden_states"]
            step.input_map["input_ids"] = "INPUT_IDS"
    if all("hidden_states" not in step.input_map for step in steps):
        kept = [step for step in steps if "hidden_states" not in step.output_map]
        del steps[:]
        steps.extend(kept)
    write_config(repository / "chat_router", config)


def merged(encoder: onnx.ModelProto, head: onnx.ModelProto) -> onnx.ModelProto:
    """Return one model, token ids to logits, of an encoder and a head."""
    prefix = "head/"
    ours = {f"{prefix}{name}": name for name in ("hidden_states", "attention_mask", "logits")}
    added = compose.add_prefix(head, prefix)
    model = onnx.ModelProto()
    model.CopyFrom(encoder)
    for node in added.graph.node:
        node.input[:] = [ours.get(name, name) for name in node.input]
        node.output[:] = [ours.get(name, name) for name in node.output]
    model.graph.node.extend(added.graph.node)
    model.graph.initializer.extend(added.graph.initializer)
    (logits,) = added.graph.output
    logits.name = ours[logits.name]
    del model.graph.output[:]
    model.graph.output.append(logits)
    known = {opset.domain for opset in model.opset_import}
    model.opset_import.extend(o for o in added.opset_import if o.domain not in known)
    onnx.checker.check_model(model)
    return model


def write_independent(shared: Path, to: Path) -> Path:
    """Copy a repository, each of its heads replaced by encoder and head in one; return the copy."""
    shutil.copytree(shared, to)
    encoder = onnx.load(str(shared / "encoder" / "1" / "model.onnx"))
    for name in HEADS:
        version = to / name / "1"
        onnx.save(
            merged(encoder, onnx.load(str(version / "model.onnx"))), str(version / "model.onnx")
        )
        shutil.copyfile(to / "encoder" / "1" / "tokenizer.json", version / "tokenizer.json")
        labels = json.loads((version / "labels.json").read_text())
        del labels["encoder"]
        (version / "labels.json").write_text(json.dumps(labels))
        read_ids(to / name)
    connect(to, HEADS)
    shutil.rmtree(to / "encoder")
    return to
