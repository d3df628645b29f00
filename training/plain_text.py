"""Plain text to adapt the encoder on: varied, unlabelled, and apart from every measured set.

Half is what the packages of ``training/requirements-data.txt`` carry (encyclopaedia, web, chat
prompts, examination questions, code), half the kinds of text that the classifiers are trained on.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from training import domain, pii, pii_data, safety, safety_data
from training.dedupe import without_overlap


def _packaged(data: Path, rng: random.Random) -> list[str]:
    exam = domain.exam_questions(data)
    chat = domain.chat_pairs(exam, 0)
    code = [safety_data.code_excerpt(safety_data.training_code(), rng)[1] for _ in range(4000)]
    return [
        *safety_data.wikipedia("en-us"),
        *rng.sample(safety_data.wikipedia("fr-fr"), 500),
        *rng.sample(safety_data.wikipedia("es-es"), 500),
        *safety_data.web_texts(),
        *safety_data.real_requests(),
        *safety_data.evals_prompts(rng, per_set=40),
        *(text for text in safety_data.forge_prompts() if safety_data.bucket(text, 10)),
        *(domain.with_options(row) for row in exam),
        *(text for pairs in chat.values() for text, _ in pairs),
        *code,
    ]


def _generated(data: Path, count: int) -> list[str]:
    attacks = [s.text for s in safety.training_samples(data, 0, count / 26_000)]
    personal = pii_data.generate(pii.training_sources(data), 0, count // 2, 0, count // 2)
    return [*attacks, *(sample.text for sample in personal)]


def held_out(data: Path) -> list[str]:
    """Every text that is measured and that a package or data file holds."""
    files = [*(data / "domain").glob("*_dev.jsonl"), *(data / "pii").glob("*.jsonl")]
    files += (data / "safety").glob("*.jsonl")
    texts = [json.loads(line)["text"] for f in files for line in f.read_text("utf-8").splitlines()]
    texts += [row.text for row in safety_data.bastion()]
    texts += safety_data.in_the_wild_split()[1]
    texts += [text for pairs in domain.held_out_chat().values() for text, _ in pairs]
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
