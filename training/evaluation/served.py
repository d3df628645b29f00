"""Runs the classifiers of a model repository as the server does, without Triton.

Two layouts are known: independent classifiers (inputs ``input_ids`` and ``attention_mask``), and
heads (inputs ``hidden_states`` and ``attention_mask``) on the states that the model ``encoder``
of the same repository gives. One text a run, as a single request is served.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer
from tqdm import tqdm

from pointsman_backends.patterns import scan
from pointsman_backends.repository import read_classifier, version_folder
from pointsman_backends.router.policy import Labels, Policy, load_policy_file
from pointsman_backends.router.spans import Span, decode_spans, merge
from training.metrics import Scores, softmax
from training.model.session import open_session

ROOT = Path(__file__).resolve().parents[2]
TASKS = ("safety", "domain", "pii")
Floats = npt.NDArray[np.float32]
Offsets = npt.NDArray[np.int32]


class Reading(NamedTuple):
    """What the models say of one text.

    Attributes:
        tokens: tokens of the whole text, [CLS] and [SEP] included.
        offsets: int32 [read, 2], code points of each token that was read; (-1, -1) for [CLS] and
            [SEP].
        logits: by task, float32 [labels] (safety, domain) or [read, labels] (pii).
    """

    tokens: int
    offsets: Offsets
    logits: dict[str, Floats]


def cut(ids: Sequence[int], offsets: Offsets, limit: int) -> tuple[list[int], Offsets]:
    """The first ``limit`` tokens; the last of them stays [SEP]."""
    if len(ids) <= limit:
        return list(ids), offsets
    return [*ids[: limit - 1], ids[-1]], np.concatenate([offsets[: limit - 1], offsets[-1:]])


class Served:
    """The classifiers of one repository.

    Args:
        repository: folder of model folders.
        threads: of each ONNX Runtime session.

    Raises:
        RepositoryError: a model or its labels.json is missing or wrong.
        FileNotFoundError: the op library was not built.
    """

    def __init__(self, repository: Path, threads: int = 2) -> None:
        self.repository = repository
        self._info = {task: read_classifier(repository, f"{task}_classifier") for task in TASKS}
        self.labels = {task: info.labels for task, info in self._info.items()}
        self._sessions = {
            task: open_session(info.folder / "model.onnx", threads)
            for task, info in self._info.items()
        }
        names = {node.name for node in self._sessions[TASKS[0]].get_inputs()}
        self.shared = "hidden_states" in names
        folder = self._info[TASKS[0]].folder
        if self.shared:
            folder = version_folder(repository / "encoder")
            self._encoder = open_session(folder / "model.onnx", threads)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.policy = self._policy()
        self._known: dict[tuple[str, str], Floats] = {}

    def _policy(self) -> Policy:
        file = load_policy_file(
            version_folder(self.repository / "router") / "policy.yaml",
            Labels(**{task: self.labels[task] for task in TASKS}),
        )
        return file.policies[file.default_policy]

    @property
    def max_tokens(self) -> int:
        """Tokens of the longest text that every classifier reads whole."""
        return min(info.max_tokens for info in self._info.values())

    def sizes(self) -> dict[str, int]:
        """Bytes of each model.onnx by the name of its model."""
        files = sorted(self.repository.glob("*/[1-9]*/model.onnx"))
        return {path.parents[1].name: path.stat().st_size for path in files}

    def tokenise(self, text: str) -> tuple[list[int], Offsets]:
        """Ids with [CLS] and [SEP], and their offsets int32 [tokens, 2]."""
        encoding = self._tokenizer.encode(text)
        offsets = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
        offsets[[0, -1]] = -1
        return list(encoding.ids), offsets

    def count(self, text: str) -> int:
        """Tokens of a text without [CLS] and [SEP]."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def read(self, text: str, tasks: Iterable[str] = TASKS) -> Reading:
        """Logits of the given tasks for one text; with heads, the encoder runs once."""
        ids, offsets = self.tokenise(text)
        tokens = len(ids)
        ids, offsets = cut(ids, offsets, self.max_tokens)
        return Reading(tokens, offsets, self.logits(ids, tasks))

    def logits(self, ids: Sequence[int], tasks: Iterable[str] = TASKS) -> dict[str, Floats]:
        """Logits of the given tasks for token ids; with heads, the encoder runs once."""
        feed = {
            "input_ids": np.array([ids], dtype=np.int64),
            "attention_mask": np.ones((1, len(ids)), dtype=np.int64),
        }
        if self.shared:
            (states,) = self._encoder.run(["hidden_states"], feed)
            feed = {"hidden_states": states, "attention_mask": feed["attention_mask"]}
        return {task: self._sessions[task].run(["logits"], feed)[0][0] for task in tasks}

    def probabilities(self, task: str, texts: Sequence[str], note: str = "") -> Scores:
        """Class probabilities float64 [texts, labels] of ``safety`` or ``domain``.

        A text is read once; later calls remember its logits.
        """
        for text in progress([t for t in texts if (task, t) not in self._known], note or task):
            self._known[task, text] = self.read(text, [task]).logits[task]
        if not texts:
            return np.empty((0, len(self.labels[task])))
        return softmax(np.stack([self._known[task, text] for text in texts]))

    def spans(self, text: str, reading: Reading, threshold: float) -> list[Span]:
        """Personal data as the router reports it: the model's spans and the pattern scan's."""
        return merge(scanned(text), self.model_spans(reading, threshold))

    def model_spans(self, reading: Reading, threshold: float) -> list[Span]:
        """Spans of the model alone."""
        return decode_spans(reading.logits["pii"], reading.offsets, self.labels["pii"], threshold)


def scanned(text: str) -> list[Span]:
    """Spans of the pattern scan alone."""
    hits = scan(text.encode("utf-8", "surrogatepass"))
    return [Span(hit.type, hit.start, hit.end, hit.score, "pattern") for hit in hits]


def progress(texts: Sequence[str], note: str) -> Iterable[str]:
    """The texts, with a progress bar on stderr."""
    bar: Iterable[str] = tqdm(texts, desc=note, unit="text", leave=False, mininterval=1.0)
    return bar
