"""The three heads on the encoder's states: safety, domain and personal data.

Each is a module of its own that takes ``hidden_states`` float32 [B, S, WIDTH] and
``attention_mask`` int64 [B, S] and gives ``logits``; padding has no influence.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.model.encoder import WIDTH
from training.model.tagging import IGNORED

DROPOUT = 0.1
PROJECTION = 128
POOL = 32
"""Tokens of a safety window."""
STRIDE = 8
"""Tokens between the centres of neighbouring safety windows."""
EDGE = 64
"""Tokens over which the domain head's preference for either end of a text falls by 1/e."""
LEVEL = 256
"""Tokens of the longest text in which that preference is as learned; it grows with longer ones."""


class SafetyHead(nn.Module):
    """An unsafe passage anywhere makes the text unsafe.

    Overlapping windows of tokens are judged one by one, and the text gets the highest margin of
    each unsafe label over benign that any window has (multiple-instance learning with max
    pooling), so that harmless words around an attack cannot outvote it, however many they are.

    Args:
        labels: number of labels; the first is benign.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.project = nn.Linear(WIDTH, PROJECTION)
        self.dropout = nn.Dropout(DROPOUT)
        self.out = nn.Linear(PROJECTION, labels)

    def windows(self, hidden_states: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Margins of the unsafe labels over benign, by window.

        Returns:
            Margins float32 [B, W, labels - 1] and whether a window's centre lies in the text, bool
            [B, W]; window k is centred on token ``k * STRIDE``.
        """
        mask = attention_mask.to(hidden_states.dtype).unsqueeze(1)
        features = nn.functional.gelu(self.project(hidden_states)).transpose(1, 2) * mask
        pooled = nn.functional.avg_pool1d(features, POOL, STRIDE, padding=POOL // 2)
        filled = nn.functional.avg_pool1d(mask, POOL, STRIDE, padding=POOL // 2)
        pooled = (pooled / filled.clamp(min=1 / POOL)).transpose(1, 2)
        scores = self.out(self.dropout(pooled))
        centres = torch.arange(pooled.shape[1], device=pooled.device) * STRIDE
        real = centres <= attention_mask.sum(dim=1, keepdim=True)
        return scores[..., 1:] - scores[..., :1], real

    @staticmethod
    def pool(margins: Tensor, real: Tensor) -> Tensor:
        """Logits float32 [B, labels] of whole texts from the margins of their windows."""
        lowest = torch.finfo(margins.dtype).min
        highest = torch.where(real.unsqueeze(-1), margins, lowest).amax(dim=1)
        return torch.cat((torch.zeros_like(highest[:, :1]), highest), dim=1)

    def forward(self, hidden_states: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits float32 [B, labels]; that of benign is 0."""
        return self.pool(*self.windows(hidden_states, attention_mask))


def window_labels(label: int, attack: tuple[int, int] | None, windows: int) -> list[int]:
    """Class of each window of a text: known where all is harmless, or the attack's place is.

    Args:
        label: class of the text; 0 is benign.
        attack: first and last token (exclusive) of the unsafe passage, where known.
        windows: how many the text has.

    Returns:
        ``label`` for windows centred on the passage, 0 for those that share no token with it,
        IGNORED for the others.
    """
    if label == 0:
        return [0] * windows
    if attack is None:
        return [IGNORED] * windows
    first, last = attack
    labels = []
    for centre in range(0, windows * STRIDE, STRIDE):
        if first <= centre < last:
            labels.append(label)
        elif centre + POOL // 2 <= first or centre - POOL // 2 >= last:
            labels.append(0)
        else:
            labels.append(IGNORED)
    return labels


class DomainHead(nn.Module):
    """Attention pooling (each token weighs itself), then one linear layer.

    A learned preference for the start and the end of the text is added to the weights: a question
    about a document stands before or after it, and thousands of tokens must not outweigh it. So
    what the preference adds to a weight grows with the length: its share of the sum stays what it
    is in a text of ``LEVEL`` tokens, whether all of a document is read or a part.

    Args:
        labels: number of labels.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.project = nn.Linear(WIDTH, PROJECTION)
        self.weigh = nn.Linear(PROJECTION, 1)
        self.dropout = nn.Dropout(DROPOUT)
        self.out = nn.Linear(WIDTH, labels)
        nn.init.zeros_(self.weigh.weight)  # training starts from where a token stands alone
        self.edges = nn.Parameter(torch.tensor([1.0, 3.0]))  # start, end

    def forward(self, hidden_states: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits float32 [B, labels]."""
        salience = self.weigh(torch.tanh(self.project(hidden_states)))
        position = attention_mask.cumsum(dim=1) - 1
        tokens = attention_mask.sum(dim=1, keepdim=True)
        left = tokens - 1 - position
        ends = torch.stack((position, left), dim=-1).to(salience.dtype)
        preference = (torch.exp(-ends / EDGE) * self.edges).sum(dim=-1, keepdim=True).clamp(min=0.0)
        growth = (tokens / LEVEL).clamp(min=1.0).unsqueeze(-1)
        salience = salience + torch.log(1 + growth * (preference.exp() - 1))
        lowest = torch.finfo(salience.dtype).min
        salience = torch.where(attention_mask.unsqueeze(-1) > 0, salience, lowest)
        pooled = (hidden_states * salience.softmax(dim=1)).sum(dim=1)
        logits: Tensor = self.out(self.dropout(pooled))
        return logits


class TokenHead(nn.Module):
    """A label for each token, from its state and those of two tokens to either side.

    Args:
        labels: number of labels.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(WIDTH, PROJECTION, kernel_size=5, padding=2)
        self.dropout = nn.Dropout(DROPOUT)
        self.out = nn.Linear(WIDTH + PROJECTION, labels)

    def forward(self, hidden_states: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits float32 [B, S, labels]."""
        real = hidden_states * attention_mask.to(hidden_states.dtype).unsqueeze(-1)
        mixed = nn.functional.gelu(self.mix(real.transpose(1, 2))).transpose(1, 2)
        logits: Tensor = self.out(self.dropout(torch.cat((real, mixed), dim=-1)))
        return logits
