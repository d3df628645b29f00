"""Figures of the signal of personal data on texts that it is never trained on.

Two things count: how many sentences of a long document without planted data are above the
sentence that tells some, and how many of them are marked. The documents are the six kinds of
filler of ``perf/compression_fillers.py``. Some of them name people and places of their own; those
count as harmless here, so the figures for prose and legal texts are lower bounds.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from perf import compression_fillers as fillers
from training.evaluation import pii
from training.personal.texts import sentences
from training.pii.types import Sample
from training.risk.measure import Reader

SEED = 31
LENGTHS = (2048, 8192, 32768)
"""Tokens of the long documents."""
DOCUMENTS = 8
"""Documents of each kind and length in which every sentence is ranked."""
TOP = (3, 5, 10)


def planted(data: Path) -> dict[str, Sequence[Sample]]:
    """Texts with personal data that are never trained on, by source."""
    return {
        pii.DEV: pii.read_dev(data),
        "presidio templates, held-out locales": pii.all_templates(),
        "held-out templates and locales": pii.held_out_templates(),
    }


def of_length(documents: Iterable[Sequence[str]], count: Callable[[str], int], tokens: int) -> str:
    """Paragraphs of documents in order, until there are ``tokens`` tokens."""
    parts: list[str] = []
    for paragraph in (paragraph for document in documents for paragraph in document):
        parts.append(paragraph)
        tokens -= count(paragraph)
        if tokens <= 0:
            break
    return "\n\n".join(parts)


def fillers_read(reader: Reader, data: Path) -> dict[str, dict[int, list[npt.NDArray[np.float64]]]]:
    """The signal of each sentence of long documents, by their kind and length in tokens."""
    rng = random.Random(SEED)
    return {
        kind: {
            tokens: [
                reader.read(
                    of_length(fillers.documents(kind, data, rng), reader.count, tokens)
                ).risk
                for _ in range(DOCUMENTS)
            ]
            for tokens in LENGTHS
        }
        for kind in tqdm(fillers.KINDS, desc="documents", unit="kind")
    }


def told(reader: Reader, samples: Iterable[Sample]) -> list[npt.NDArray[np.float64]]:
    """The signal of the sentences that tell personal data, float64 [N] for each text with any."""
    found = []
    for sample in samples:
        tells = [s.tells for s in sentences(reader.tokenizer, sample.text, sample.spans)]
        if any(tells):
            found.append(reader.read(sample.text).risk[tells])
    return found


def above(
    values: npt.NDArray[np.float64], document: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """How many sentences of a document are at least as high as each of some values; int64 [N]."""
    ordered = np.sort(document)
    return len(ordered) - np.searchsorted(ordered, values, "left")


def _share(flags: npt.NDArray[np.bool_]) -> float:
    return round(float(flags.mean()), 4)


def measure(reader: Reader, data: Path) -> dict[str, Any]:
    """All figures.

    Args:
        reader: Of the weights to measure.
        data: Folder of the shared data files.
    """
    documents = fillers_read(reader, data)
    threshold = reader.model.threshold
    clean = {}
    for kind, lengths in documents.items():
        values = np.concatenate([value for group in lengths.values() for value in group])
        clean[kind] = {
            "sentences": len(values),
            "marked": _share(values >= threshold),
        }
    personal: dict[str, Any] = {}
    for source, samples in planted(data).items():
        texts = told(reader, samples)
        values = {"texts": np.array([text.max() for text in texts])}
        values["sentences"] = np.concatenate(texts)
        personal[source] = {
            **{what: len(each) for what, each in values.items()},
            **{f"{what} marked": _share(each >= threshold) for what, each in values.items()},
            **{
                kind: {
                    f"{what}, top {top} of {tokens} tokens": _share(
                        np.stack([above(each, document) for document in group]) < top
                    )
                    for what, each in values.items()
                    for tokens, group in lengths.items()
                    for top in TOP
                }
                for kind, lengths in documents.items()
            },
        }
    return {"personal data": personal, "filler sentences": clean}
