"""Train the shared encoder and its three heads together.

``python -m training.multitask --data ../shared/data`` starts from ``build/training/encoder/
weights.pt`` (``training.adapt``) and writes ``build/training/multitask/weights.pt``. With
``--tasks safety`` (or two of them) the same recipe makes an independent model, to compare with.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from training.domain import data as domain_data
from training.model.batches import buckets, pad
from training.model.encoder import Encoder, load_tokenizer
from training.model.heads import DomainHead, SafetyHead, TokenHead, window_labels
from training.model.tagging import IGNORED, tag
from training.pii import data as pii_data
from training.safety import data as safety_data

ROOT = Path(__file__).resolve().parents[1]
SEED = 13
EPOCHS = 4
BATCH_TOKENS = 2048
MAX_ROWS = 32
LEARNING_RATE = 3e-4
HEAD_LEARNING_RATE = 1.5e-3
WARMUP = 0.05
LABEL_SMOOTHING = 0.05
WINDOW_LOSS = 0.5
"""Weight of the loss over single safety windows, where the place of the attack is known."""
BENIGN_WEIGHT = 1.5
"""Factor of a benign text's loss: a false positive costs more than a miss."""
BENIGN_ELSEWHERE = 0.3
"""Weight of the safety loss over the texts of the other tasks, which are all benign. Their hidden
states are there already, so it costs next to nothing."""
TASKS = ("safety", "domain", "pii")


@dataclass(frozen=True, slots=True)
class Example:
    """One text of one task.

    Attributes:
        task: a member of TASKS.
        ids: token ids with [CLS] and [SEP].
        label: class of the text (safety, domain) or of each token (pii).
        attack: first and last token (exclusive) of the unsafe passage, where known.
        harmless: of a text of another task, that safety may learn it as benign.
    """

    task: str
    ids: Sequence[int]
    label: int | Sequence[int]
    attack: tuple[int, int] | None = None
    harmless: bool = False


class MultiTask(nn.Module):
    """The encoder and the heads of some tasks."""

    def __init__(self, tasks: Sequence[str] = TASKS) -> None:
        super().__init__()
        self.encoder = Encoder()
        makers: dict[str, Callable[[], nn.Module]] = {
            "safety": lambda: SafetyHead(len(safety_data.LABELS)),
            "domain": lambda: DomainHead(len(domain_data.LABELS)),
            "pii": lambda: TokenHead(len(pii_data.LABELS)),
        }
        self.heads = nn.ModuleDict({task: makers[task]() for task in tasks})

    def forward(self, task: str, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits of one task."""
        logits: Tensor = self.heads[task](self.encoder(input_ids, attention_mask), attention_mask)
        return logits


def draw(task: str, data: Path, epoch: int, scale: float) -> list[Example]:
    """One epoch's examples of one task."""
    tokenizer = load_tokenizer()
    if task == "domain":
        pairs = domain_data.training_pairs(data, epoch)
        pairs = pairs[: round(scale * len(pairs))]
        texts = [text for text, _ in pairs]
        harmless = set(safety_data.harmless_elsewhere(texts, data))
        return [
            Example(task, e.ids, domain_data.LABELS.index(label), harmless=i in harmless)
            for i, (e, (_, label)) in enumerate(
                zip(tokenizer.encode_batch(texts), pairs, strict=True)
            )
        ]
    if task == "pii":
        personal = pii_data.training_samples(data, epoch, scale)
        texts = [sample.text for sample in personal]
        harmless = set(safety_data.harmless_elsewhere(texts, data))
        return [
            Example(task, e.ids, tag(e.offsets, _spans(s), pii_data.LABELS), harmless=i in harmless)
            for i, (e, s) in enumerate(zip(tokenizer.encode_batch(texts), personal, strict=True))
        ]
    samples = safety_data.training_samples(data, epoch, scale)
    encodings = tokenizer.encode_batch([sample.text for sample in samples])
    return [
        Example(task, e.ids, safety_data.LABELS.index(s.label), _tokens(e.offsets, s.attack))
        for e, s in zip(encodings, samples, strict=True)
    ]


def _spans(sample: pii_data.Sample) -> list[tuple[str, int, int]]:
    return [(span.label, span.start, span.end) for span in sample.spans]


def _tokens(
    offsets: Sequence[tuple[int, int]], attack: tuple[int, int] | None
) -> tuple[int, int] | None:
    """First and last token (exclusive) that lie in a stretch of characters."""
    if attack is None:
        return None
    inside = [n for n, (a, b) in enumerate(offsets) if b > a and b > attack[0] and a < attack[1]]
    return (inside[0], inside[-1] + 1) if inside else None


def safety_loss(head: SafetyHead, states: Tensor, mask: Tensor, batch: Sequence[Example]) -> Tensor:
    """Cross entropy of whole texts and, where the place of the attack is known, of windows."""
    margins, real = head.windows(states, mask)
    gold = torch.tensor([e.label for e in batch])
    weights = torch.where(gold == 0, BENIGN_WEIGHT, 1.0)
    texts = nn.functional.cross_entropy(
        head.pool(margins, real), gold, reduction="none", label_smoothing=LABEL_SMOOTHING
    )
    loss = (texts * weights).sum() / weights.sum()
    labels = torch.tensor(
        [
            window_labels(int(k), e.attack, margins.shape[1])
            for k, e in zip(gold, batch, strict=True)
        ]
    ).masked_fill(~real, IGNORED)
    scores = torch.cat((torch.zeros_like(margins[..., :1]), margins), dim=-1)
    each = nn.functional.cross_entropy(
        scores.transpose(1, 2), labels, ignore_index=IGNORED, reduction="none"
    )
    counted = (labels != IGNORED).to(each.dtype)
    per_text = (each * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1.0)
    return loss + WINDOW_LOSS * per_text.mean()


def loss_of(model: MultiTask, batch: Sequence[Example]) -> Tensor:
    """Loss of a batch of one task."""
    ids = torch.from_numpy(pad([e.ids for e in batch], 0))
    mask = torch.from_numpy(pad([[1] * len(e.ids) for e in batch], 0))
    task = batch[0].task
    states = model.encoder(ids, mask)
    head = model.heads[task]
    if isinstance(head, SafetyHead):
        return safety_loss(head, states, mask, batch)
    logits = head(states, mask)
    if task == "domain":
        gold = torch.tensor([e.label for e in batch])
        loss = nn.functional.cross_entropy(logits, gold, label_smoothing=LABEL_SMOOTHING)
    else:
        tags = [e.label for e in batch if not isinstance(e.label, int)]
        gold = torch.from_numpy(pad(tags, IGNORED))
        loss = nn.functional.cross_entropy(logits.transpose(1, 2), gold, ignore_index=IGNORED)
    rows = [row for row, e in enumerate(batch) if e.harmless]
    benign = [Example("safety", batch[row].ids, label=0) for row in rows]
    for safety in model.heads.values():
        if rows and isinstance(safety, SafetyHead):
            loss += BENIGN_ELSEWHERE * safety_loss(safety, states[rows], mask[rows], benign)
    return loss


def _batches(examples: Sequence[Example], rng: random.Random) -> list[list[Example]]:
    """Batches of one task each, shuffled over the tasks."""
    out: list[list[Example]] = []
    for task in TASKS:
        rows = [e for e in examples if e.task == task]
        for indices in buckets([len(e.ids) for e in rows], BATCH_TOKENS, MAX_ROWS, rng):
            out.append([rows[i] for i in indices])
    rng.shuffle(out)
    return out


def _epochs(
    data: Path, tasks: Sequence[str], first: int, epochs: int, scale: float
) -> Iterator[list[Example]]:
    """The examples of each epoch, drawn by another process while the one before is trained on."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:

        def start(epoch: int) -> list[Future[list[Example]]]:
            return [pool.submit(draw, task, data, first + epoch, scale) for task in tasks]

        coming = start(0)
        for epoch in range(epochs):
            examples = [e for future in coming for e in future.result()]
            if epoch + 1 < epochs:
                coming = start(epoch + 1)
            yield examples


def train(
    model: MultiTask,
    data: Path,
    first: int,
    epochs: int,
    scale: float,
    rate: float,
    save: Callable[[], None],
) -> dict[str, float]:
    """Train in place; ``save`` is called after every epoch.

    Args:
        model: what to train.
        data: folder of the shared data files.
        first: number of the first epoch, which chooses its samples.
        epochs: how many.
        scale: share of an epoch's samples.
        rate: highest learning rate of the encoder.
        save: saves the model.

    Returns:
        Tokens seen, minutes and the last mean loss of each task.
    """
    rng = random.Random(SEED)
    tasks = tuple(model.heads)
    trunk = [p for p in model.encoder.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in trunk if p.ndim > 1], "lr": rate, "weight_decay": 0.01},
            {"params": [p for p in trunk if p.ndim == 1], "lr": rate, "weight_decay": 0.0},
            {"params": list(model.heads.parameters()), "lr": HEAD_LEARNING_RATE},
        ],
        fused=True,
    )
    rates = [group["lr"] for group in optimizer.param_groups]
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    tokens, started = 0, time.monotonic()
    losses: dict[str, list[float]] = {task: [] for task in tasks}
    for epoch, examples in enumerate(_epochs(data, tasks, first, epochs, scale)):
        model.train()
        plan = _batches(examples, rng)
        progress = tqdm(plan, desc=f"epoch {epoch + 1}/{epochs}", mininterval=10.0)
        for number, batch in enumerate(progress):
            done = (epoch + number / len(plan)) / epochs
            factor = min(1.0, (done + 1e-3) / WARMUP, (1 - done) / (1 - WARMUP))
            for group, highest in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = highest * factor
            loss = loss_of(model, batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            losses[batch[0].task].append(loss.item())
            tokens += sum(len(e.ids) for e in batch)
            progress.set_postfix(
                {task: f"{np.mean(rows[-60:]):.3f}" for task, rows in losses.items() if rows},
                refresh=False,
            )
        model.eval()
        save()
    return {
        "tokens": tokens,
        "minutes": round((time.monotonic() - started) / 60, 1),
        **{f"{task}_loss": round(float(np.mean(rows[-200:])), 4) for task, rows in losses.items()},
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--encoder", type=Path, default=ROOT / "build/training/encoder/weights.pt")
    parser.add_argument("--out", type=Path, default=ROOT / "build/training/multitask/weights.pt")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--start", type=Path, help="multi-task weights to go on from")
    parser.add_argument("--first-epoch", type=int, default=0, help="chooses the samples")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--scale", type=float, default=1.0, help="share of an epoch's samples")
    parser.add_argument("--learning-rate", type=float, default=LEARNING_RATE)
    arguments = parser.parse_args()
    torch.manual_seed(SEED)
    model = MultiTask(arguments.tasks)
    if arguments.start:
        model.load_state_dict(torch.load(arguments.start, weights_only=True))
    else:
        model.encoder.load_state_dict(torch.load(arguments.encoder, weights_only=True))
    out: Path = arguments.out
    out.parent.mkdir(parents=True, exist_ok=True)
    note = train(
        model,
        arguments.data,
        arguments.first_epoch,
        arguments.epochs,
        arguments.scale,
        arguments.learning_rate,
        partial(lambda: torch.save(model.state_dict(), out)),
    )
    out.with_suffix(".json").write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(note))


if __name__ == "__main__":
    main()
