"""Step 4, apply: assemble what is kept, in its order, as token ids with their places.

It runs where the text is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor.placement import CPU, namespace
from pointsman_backends.compressor.tokenizer import TokenizedText, Tokenizer

__all__ = ["ModelInput", "apply"]


@dataclass(frozen=True)
class ModelInput:
    """What the classifiers read, on the host.

    Attributes:
        input_ids: Token ids with the special tokens at both ends, int64 [N].
        token_offsets: [start, end) of each token in code points of the original text; (-1, -1)
            for special tokens. int32 [N, 2].
        kept: [start, end) of the stretches of the original that were read, ascending, disjoint;
            int32 [K, 2].
        cut: Whether tokens were cut off to fit the room.
    """

    input_ids: npt.NDArray[np.int64]
    token_offsets: npt.NDArray[np.int32]
    kept: npt.NDArray[np.int32]
    cut: bool


def apply(
    tokenizer: Tokenizer, text: TokenizedText, chosen: npt.NDArray[np.int64], room: int
) -> ModelInput:
    """Encode the words kept, at most ``room`` tokens of them.

    Args:
        tokenizer: Gives the special tokens.
        text: The text.
        chosen: Indices of the words kept, at least one, ascending; int64 [W], where the text is.
        room: Tokens without special ones; what is beyond is cut off.
    """
    xp = namespace(text.counts)
    counts = text.counts[chosen]
    chosen = chosen[counts.cumsum() - counts < room]
    cut = len(chosen) < len(counts)
    ids, offsets = text.encode(chosen)
    if len(ids) > room:
        cut = True
        ids, offsets = ids[:room], offsets[:room]
    (edges,) = (chosen[1:] - chosen[:-1] > 1).nonzero()
    firsts = xp.concatenate([chosen[:1], chosen[edges + 1]])
    lasts = xp.concatenate([chosen[edges], chosen[-1:]])
    ids, offsets, kept = CPU.put((ids, offsets, text.words.spans(firsts, lasts)))
    if cut:
        end = int(offsets[-1, 1])
        kept = kept[kept[:, 0] < end]
        kept[-1, 1] = end
    special = len(tokenizer.prefix), len(tokenizer.suffix)
    places = np.full((len(ids) + sum(special), 2), -1, np.int32)
    places[special[0] : special[0] + len(ids)] = offsets
    return ModelInput(np.concatenate([tokenizer.prefix, ids, tokenizer.suffix]), places, kept, cut)
