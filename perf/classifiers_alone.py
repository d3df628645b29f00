"""How many texts a second the classifiers can read when nothing else runs: the ceiling.

Encoder and heads run in this process, in ONNX Runtime with the settings of their ``config.pbtxt``,
on the token ids that the compressor gives. As in the server, the heads read one text while the
encoder reads the next.
"""

from __future__ import annotations

import itertools
import json
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from independent import HEADS, config_of
from shared_encoder import Inputs, session

from pointsman.chat import ChatText
from pointsman.explain import load_compressor

Floats = npt.NDArray[np.float32]
_DOMAIN = "domain_classifier"
AHEAD = 2
"""Texts that the encoder may be ahead of the heads."""


def token_ids(repository: Path, chats: Sequence[ChatText]) -> list[Inputs]:
    """Return for each text what the classifiers get to read: INT64 [1, S], twice."""
    compressor = load_compressor(repository)
    inputs = []
    for chat in chats:
        ids = compressor.compress(chat.utf8, chat.message_offsets).input_ids[None]
        inputs.append({"input_ids": ids, "attention_mask": np.ones_like(ids)})
    return inputs


class Classifiers:
    """The encoder and the heads; each head has a thread of its own.

    Args:
        repository: the models' folder.
    """

    def __init__(self, repository: Path) -> None:
        self._encoder, *self._heads = (
            session(repository / name / "1" / "model.onnx", threads(repository / name))
            for name in ("encoder", *HEADS)
        )
        self._pools = [ThreadPoolExecutor(1) for _ in self._heads]
        labels = json.loads((repository / _DOMAIN / "1" / "labels.json").read_bytes())
        self._domains: list[str] = labels["labels"]

    def read(self, inputs: Inputs) -> list[Future[Floats]]:
        """Return the logits of each head, to come; the encoder has read the text by then."""
        (states,) = self._encoder.run(None, inputs)
        asked = {"hidden_states": states, "attention_mask": inputs["attention_mask"]}
        return [
            pool.submit(lambda head=head: head.run(None, asked)[0])
            for pool, head in zip(self._pools, self._heads, strict=True)
        ]

    def turn(self, inputs: Sequence[Inputs], seconds: float) -> tuple[float, float]:
        """Read texts in turn for some seconds.

        Returns:
            Texts a second, and the processor time of one in milliseconds.
        """
        behind: deque[list[Future[Floats]]] = deque()
        texts = itertools.cycle(inputs)
        count = 0
        begin, cpu = time.perf_counter(), time.process_time()
        while time.perf_counter() - begin < seconds:
            behind.append(self.read(next(texts)))
            if len(behind) > AHEAD:
                finish(behind.popleft())
            count += 1
        while behind:
            finish(behind.popleft())
        took, used = time.perf_counter() - begin, time.process_time() - cpu
        return count / took, 1e3 * used / count

    def domain(self, inputs: Inputs) -> str:
        """Return the likeliest domain of one text."""
        logits = self.read(inputs)[HEADS.index(_DOMAIN)].result()
        return self._domains[int(logits.argmax())]

    def __enter__(self) -> Classifiers:
        return self

    def __exit__(self, *failure: object) -> None:
        for pool in self._pools:
            pool.shutdown()


def finish(logits: list[Future[Floats]]) -> None:
    """Wait for all heads; RuntimeError unless they answered with numbers."""
    if not all(np.isfinite(each.result()).all() for each in logits):
        raise RuntimeError("a head gave what is no number")


def threads(model: Path) -> int:
    """Return the threads that a model's ``config.pbtxt`` gives it."""
    return int(config_of(model).parameters["intra_op_thread_count"].string_value)
