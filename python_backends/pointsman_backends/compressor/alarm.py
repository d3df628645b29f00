"""When the risk of a text's sentences alone is enough to call it an attack."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor.prepare import Sentences

__all__ = ["SURE_RISK", "SURE_SENTENCES", "SURE_SHARE", "is_surely_attack"]

# Measured, not derived: docs/policy.md says on what. One sentence may be like an attack by chance,
# and in a long text so may a few; an attack is risky in several places close together.
SURE_RISK = 0.99
SURE_SENTENCES = 2
SURE_SHARE = 0.05
# Ruled lines and ASCII art look risky, too; an order has words.
_FEWEST_WORDS = 4
_SHARE_OF_WORDS = 0.5
_SHARE_NEW = 0.5  # of the words of one that counts: it says no more of what others said


def is_surely_attack(
    risk: npt.NDArray[np.float64], sentences: Sentences, texts: npt.NDArray[np.int64]
) -> bool:
    """Whether different sentences of one text, and enough of them, are as risky as hardly any.

    Args:
        risk: Of each sentence, float64 [S].
        sentences: S sentences.
        texts: Which text each is of, int64 [S], ascending.
    """
    wanted = np.maximum(SURE_SENTENCES, SURE_SHARE * np.bincount(texts))
    risky = np.flatnonzero(risk >= SURE_RISK)
    found = np.bincount(texts[risky], minlength=len(wanted))
    risky = risky[(found >= wanted)[texts[risky]]]
    terms = sentences.terms
    different = np.diff(terms.indptr)[risky]
    words = terms.sum(axis=1)[risky] / (sentences.end_words - sentences.first_words)[risky]
    text, counted, known = -1, 0, set[int]()
    for nth in risky[(different >= _FEWEST_WORDS) & (words >= _SHARE_OF_WORDS)].tolist():
        if texts[nth] != text:
            text, counted, known = int(texts[nth]), 0, set()
        own = set(terms.indices[terms.indptr[nth] : terms.indptr[nth + 1]].tolist())
        if len(own - known) >= _SHARE_NEW * len(own):
            known |= own
            counted += 1
            if counted >= wanted[text]:
                return True
    return False
