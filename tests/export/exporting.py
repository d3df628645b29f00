"""Small encoders with random weights, exported as a user of `transformers` exports them."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn

VOCABULARY = 211
SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 2,
    "initializer_range": 0.2,
    "pad_token_id": 0,
}


@dataclass(frozen=True)
class Export:
    """One way to make a model.onnx."""

    family: str
    dynamo: bool
    attention: str
    dtype: torch.dtype = torch.float32
    head_size: int = 32
    task: str = "SequenceClassification"

    def __str__(self) -> str:
        exporter = "dynamo" if self.dynamo else "torchscript"
        kind = str(self.dtype).removeprefix("torch.")
        return f"{self.family}-{exporter}-{self.attention}-{kind}-{self.head_size}-{self.task}"

    @property
    def layers(self) -> int:
        """Few where the exporter takes seconds for each."""
        return 2 if self.dynamo or self.family != "modernbert" else 3


def config(family: str, head_size: int, layers: int) -> Any:
    sizes = SIZES | {"hidden_size": 2 * head_size, "num_hidden_layers": layers}
    if family == "bert":
        return transformers.BertConfig(**sizes, max_position_embeddings=96, num_labels=5)
    if family == "roberta":
        return transformers.RobertaConfig(**sizes, max_position_embeddings=96, num_labels=5)
    if family == "distilbert":
        return transformers.DistilBertConfig(
            vocab_size=VOCABULARY,
            dim=2 * head_size,
            hidden_dim=96,
            n_heads=2,
            n_layers=layers,
            max_position_embeddings=96,
            initializer_range=0.2,
            num_labels=5,
        )
    if family == "modernbert":
        return transformers.ModernBertConfig(
            **sizes,
            global_attn_every_n_layers=3,
            local_attention=24,
            max_position_embeddings=512,
            cls_token_id=1,
            sep_token_id=2,
            bos_token_id=1,
            eos_token_id=2,
            num_labels=5,
        )
    if family == "electra":
        return transformers.ElectraConfig(**sizes, embedding_size=24, num_labels=5)
    if family == "nomic":
        return transformers.NomicBertConfig(**sizes, num_labels=5)
    if family == "mpnet":
        return transformers.MPNetConfig(**sizes, num_labels=5)
    if family == "t5":
        return transformers.T5Config(
            vocab_size=VOCABULARY, d_model=64, d_kv=head_size, num_heads=2, num_layers=1, d_ff=96
        )
    raise ValueError(family)


class Logits(nn.Module):
    """The model as it is served: two tensors in, one out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask)[0]
        return out


def build(how: Export) -> nn.Module:
    torch.manual_seed(7)
    wanted = config(how.family, how.head_size, how.layers)
    if how.task == "Encoder":
        wanted._attn_implementation = how.attention
        model = transformers.T5EncoderModel(wanted)
    else:
        automatic = getattr(transformers, f"AutoModelFor{how.task}")
        model = automatic.from_config(wanted, attn_implementation=how.attention)
    return Logits(model.to(how.dtype).eval()).eval()


def logits(model: nn.Module, ids: Any, mask: Any) -> Any:
    """What PyTorch computes: a float32 array [B, labels] or [B, S, labels]."""
    with torch.no_grad():
        return model(torch.from_numpy(ids), torch.from_numpy(mask)).float().numpy()


def export(how: Export, path: Path, *, padded: bool = True, opset: int | None = None) -> nn.Module:
    """Write `path`; inputs and output are named as in the model repository. Return the model."""
    model = build(how)
    ids = torch.randint(3, VOCABULARY, (2, 41))
    mask = torch.ones_like(ids)
    if padded:
        mask[1, 30:] = 0
    axes = {0: "batch", 1: "tokens"}
    options: dict[str, Any]
    if how.dynamo:
        batch, tokens = torch.export.Dim.DYNAMIC, torch.export.Dim.DYNAMIC
        options = {"dynamic_shapes": ({0: batch, 1: tokens}, {0: batch, 1: tokens})}
    else:
        token_level = how.task != "SequenceClassification"
        options = {
            "dynamic_axes": {
                "input_ids": axes,
                "attention_mask": axes,
                "logits": axes if token_level else {0: "batch"},
            },
        }
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (ids, mask),
            str(path),
            dynamo=how.dynamo,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            external_data=False,
            opset_version=opset or (None if how.dynamo else 17),
            **options,
        )
    return model
