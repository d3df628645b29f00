"""Plain text to adapt the encoder on: varied, unlabelled, and apart from every measured set.

Half is what the packages of ``training/requirements-data.txt`` carry (encyclopaedia, web, chat
prompts, examination questions, code), half the kinds of text that the classifiers are trained on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from training.dedupe import bucket, without_overlap
from training.domain import data as domain_data
from training.jsonl import read_jsonl
from training.pii import data as pii_data
from training.safety import data as safety_data
from training.safety import sources as safety_sources


def _packaged(data: Path, rng: random.Random) -> list[str]:
    exam = domain_data.exam_questions(data)
    files = safety_sources.training_code()
    code = [safety_sources.code_excerpt(files, rng)[1] for _ in range(4000)]
    return [
        *safety_sources.wikipedia("en-us"),
        *rng.sample(safety_sources.wikipedia("fr-fr"), 500),
        *rng.sample(safety_sources.wikipedia("es-es"), 500),
        *safety_sources.web_texts(),
        *safety_sources.real_requests(),
        *safety_sources.evals_prompts(rng, per_set=40),
        *(text for text in safety_sources.forge_prompts() if bucket(text, 10)),
        *(domain_data.with_options(row) for row in exam),
        *(text for text, _ in domain_data.training_pairs(data, 0)),
        *code,
    ]


def _generated(data: Path, count: int) -> list[str]:
    share = count / 20_000
    attacks = safety_data.training_samples(data, 0, share)
    personal = pii_data.training_samples(data, 0, share)
    return [*(sample.text for sample in attacks), *(sample.text for sample in personal)]


def held_out(data: Path) -> list[str]:
    """Every text that is measured and that a package or data file holds."""
    files = [*(data / "domain").glob("*_dev.jsonl"), *(data / "pii").glob("*.jsonl")]
    texts = [row["text"] for file in files for row in read_jsonl(file)]
    texts += [text for pairs in domain_data.held_out_chat().values() for text, _ in pairs]
    texts += safety_data.measured_texts(data)
    return texts


def documents(data: Path, seed: int, generated: int = 12_000) -> list[str]:
    """Shuffled texts, none of which shares a run of eight words with a measured one.

    Args:
        data: folder of the shared data files.
        seed: of the choice and the order.
        generated: samples of the safety and of the PII generators, each.
    """
    rng = random.Random(seed)
    texts = [*_packaged(data, rng), *_generated(data, generated)]
    texts = [texts[i] for i in without_overlap(texts, held_out(data))]
    rng.shuffle(texts)
    return texts


def rows(
    texts: Sequence[str], tokenizer: Tokenizer, rng: random.Random, batch_tokens: int
) -> Iterator[list[list[int]]]:
    """Endless batches of token ids, all rows of a batch of one length, ``[CLS] ... [SEP]``.

    A row is a stretch of one text, filled up with others where the text is shorter. Lengths are
    mixed: mostly 128 and 256, one batch in sixteen 1,024 to 4,096.
    """
    encoded = [e.ids for e in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
    encoded = [ids for ids in encoded if ids]
    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    while True:
        length = rng.choice(
            (64, 128, 128, 128, 128, 256, 256, 256, 256, 256, 512, 512, 512, 512, 512)
        )
        if rng.random() < 1 / 16:
            length = rng.choice((1024, 2048, 4096))
        batch = []
        for _ in range(max(1, batch_tokens // length)):
            row: list[int] = []
            while len(row) < length - 2:
                ids = rng.choice(encoded)
                first = rng.randrange(len(ids)) if rng.random() < 0.3 else 0
                row += ids[first : first + length - 2 - len(row)]
            batch.append([start, *row, end])
        yield batch
