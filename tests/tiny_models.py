"""A model repository whose encoder and classifiers are a few words' look-up: fast, and foreseeable.

The configurations, compressor and router are the shipped ones.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from perf.independent import connect, read_ids
from pointsman import paths
from pointsman_backends.router.policy import PII_TYPES

WIDTH = 384
SAFETY = ("benign", "jailbreak", "harmful")
DOMAINS = (
    "biology", "business", "chemistry", "computer science", "economics", "engineering", "health",
    "history", "law", "math", "other", "philosophy", "physics", "psychology",
)  # fmt: skip
PII = ("O", *itertools.chain.from_iterable((f"B-{t}", f"I-{t}") for t in PII_TYPES))

# model -> (labels, label of every other word, words that it knows)
CLASSIFIERS: dict[str, tuple[tuple[str, ...], str, dict[str, str]]] = {
    "safety_classifier": (SAFETY, "benign", {"ignore": "jailbreak", "bomb": "harmful"}),
    "domain_classifier": (
        DOMAINS,
        "other",
        {"integral": "math", "python": "computer science", "broken": "infinite"},
    ),
    "pii_classifier": (PII, "O", {"alice": "B-PERSON", "smith": "I-PERSON"}),
}
# What the encoder tells apart: place 0 is every other word.
WORDS = ("", *itertools.chain.from_iterable(words for _, _, words in CLASSIFIERS.values()))
# Its product with itself is infinite; with 0 it is 0.
HUGE = 1e30


def shipped_tokenizer() -> Path:
    """The tokenizer.json of the shipped models."""
    return paths.model_repository() / "encoder" / "1" / "tokenizer.json"


def write_repository(to: Path, *, reading_ids: Collection[str] = (), max_tokens: int = 512) -> Path:
    """Write a repository; return its path.

    Args:
        to: its directory, which must not exist.
        reading_ids: classifiers that read token ids; the others are heads on the encoder. All
            three: there is no encoder.
        max_tokens: of each classifier.
    """
    shutil.copytree(
        paths.model_repository(), to, ignore=shutil.ignore_patterns("model.onnx", "__pycache__")
    )
    tokenizer = Tokenizer.from_file(str(shipped_tokenizer()))
    if len(reading_ids) == len(CLASSIFIERS):
        shutil.rmtree(to / "encoder")
    else:
        onnx.save(encoder(tokenizer), to / "encoder" / "1" / "model.onnx")
    for name, (labels, *_) in CLASSIFIERS.items():
        version = to / name / "1"
        document: dict[str, Any] = {"labels": labels, "max_tokens": max_tokens}
        if name in reading_ids:
            onnx.save(classifier(name, tokenizer), version / "model.onnx")
            shutil.copyfile(shipped_tokenizer(), version / "tokenizer.json")
            read_ids(to / name)
        else:
            onnx.save(head(name), version / "model.onnx")
            document["encoder"] = "encoder"
        (version / "labels.json").write_text(json.dumps(document))
    connect(to, list(reading_ids))
    return to


def encoder(tokenizer: Tokenizer) -> onnx.ModelProto:
    """Hidden states that say which of WORDS a token is: one number of each is not 0."""
    table = np.zeros((tokenizer.get_vocab_size(), len(WORDS)), np.float32)
    table[:, 0] = 1
    for place, word in enumerate(WORDS[1:], 1):
        (token,) = tokenizer.encode(word, add_special_tokens=False).ids
        table[token] = 0
        table[token, place] = HUGE if word == "broken" else 1
    return _model(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["words"]),
            helper.make_node("MatMul", ["words", "widen"], ["states"]),
            *_times_mask("states", "hidden_states"),
        ],
        {"table": table, "widen": np.eye(len(WORDS), WIDTH, dtype=np.float32)},
        ids_as_input=True,
        output=("hidden_states", ["batch", "tokens", WIDTH]),
    )


def head(name: str) -> onnx.ModelProto:
    """A classifier that reads the hidden states of `encoder`."""
    weights = np.zeros((WIDTH, len(CLASSIFIERS[name][0])), np.float32)
    weights[: len(WORDS)] = [_logits(name, word) for word in WORDS]
    return _classifier(
        name,
        [helper.make_node("MatMul", ["hidden_states", "weights"], ["rows"])],
        {"weights": weights},
        ids_as_input=False,
    )


def classifier(name: str, tokenizer: Tokenizer) -> onnx.ModelProto:
    """A classifier that reads token ids."""
    table = np.tile(_logits(name, ""), (tokenizer.get_vocab_size(), 1))
    for word in CLASSIFIERS[name][2]:
        (token,) = tokenizer.encode(word, add_special_tokens=False).ids
        row = _logits(name, word)
        table[token] = np.where(row < HUGE, row, np.inf)
    return _classifier(
        name,
        [helper.make_node("Gather", ["table", "input_ids"], ["rows"])],
        {"table": table},
        ids_as_input=True,
    )


def _logits(name: str, word: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """What one word says to a classifier, a number for each label."""
    labels, default, words = CLASSIFIERS[name]
    label = words.get(word, default)
    row = np.zeros(len(labels), np.float32)
    if label == "infinite":
        row[:] = HUGE
    else:
        row[labels.index(label)] = 20 if word in words else 10
    return row


def _classifier(
    name: str, nodes: list[onnx.NodeProto], constants: dict[str, Any], *, ids_as_input: bool
) -> onnx.ModelProto:
    """Score of a label: how strongly any token of the text, or each token, speaks for it."""
    labels = CLASSIFIERS[name][0]
    if name == "pii_classifier":
        nodes += _times_mask("rows", "logits")
        shape: list[str | int] = ["batch", "tokens", len(labels)]
    else:
        nodes += _times_mask("rows", "seen")
        nodes.append(helper.make_node("ReduceMax", ["seen"], ["logits"], axes=[1], keepdims=0))
        shape = ["batch", len(labels)]
    return _model(nodes, constants, ids_as_input=ids_as_input, output=("logits", shape))


def _times_mask(value: str, output: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", [value, "column"], [output]),
    ]


def _model(
    nodes: list[onnx.NodeProto],
    constants: dict[str, Any],
    *,
    ids_as_input: bool,
    output: tuple[str, list[str | int]],
) -> onnx.ModelProto:
    value = helper.make_tensor_value_info
    tokens = ["batch", "tokens"]
    if ids_as_input:
        first = value("input_ids", TensorProto.INT64, tokens)
    else:
        first = value("hidden_states", TensorProto.FLOAT, [*tokens, WIDTH])
    constants = {**constants, "last": np.array([2], np.int64)}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [first, value("attention_mask", TensorProto.INT64, tokens)],
        [value(output[0], TensorProto.FLOAT, output[1])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
