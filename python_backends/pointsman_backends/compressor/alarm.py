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


def is_surely_attack(risk: npt.NDArray[np.float64], sentences: Sentences) -> bool:
    """Whether different sentences of a text, and enough of them, are as risky as hardly any other.

    Args:
        risk: Of each sentence, float64 [S].
        sentences: S sentences.
    """
    wanted = max(SURE_SENTENCES, SURE_SHARE * len(risk))
    risky = np.flatnonzero(risk >= SURE_RISK)
    if len(risky) < wanted:
        return False
    terms = sentences.terms[risky]
    words = terms.sum(axis=1) / (sentences.end_words - sentences.first_words)[risky]
    counted = 0
    known = np.zeros(terms.shape[1], np.bool_)
    for nth in np.flatnonzero(
        (np.diff(terms.indptr) >= _FEWEST_WORDS) & (words >= _SHARE_OF_WORDS)
    ):
        own = terms.indices[terms.indptr[nth] : terms.indptr[nth + 1]]
        if np.mean(~known[own]) >= _SHARE_NEW:
            known[own] = True
            counted += 1
            if counted >= wanted:
                return True
    return False
