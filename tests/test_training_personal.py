"""Training of the signal of personal data: its sentences, its fit, and its ranks."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from pointsman_backends.compressor import Tokenizer
from pointsman_backends.compressor.risk import RiskModel
from training.pii.types import Sample, Span, fill
from training.safety.data import Sample as Harmless

pytest.importorskip("sklearn", reason="training needs scikit-learn")

from training.personal.__main__ import SIGNAL
from training.personal.measure import above, of_length, told
from training.personal.texts import HARMLESS, MODEL_TYPES, PERSONAL, sentences, split
from training.risk import signal
from training.risk.measure import Reader

ROOT = Path(__file__).parents[1]
tokenizer = Tokenizer(ROOT / "model_repository" / "encoder" / "1" / "tokenizer.json", seed=1)

VALUES = {"person": "Ada Quill", "city": "Norwick", "email": "ada@quill.example"}


def labelled(template: str) -> Sample:
    return fill(template, VALUES.__getitem__, "made up")


def test_sentences_join_to_the_text_and_know_what_is_in_them() -> None:
    text, spans = (
        (s := labelled("All is well. I am {{person}} of {{city}}!\nWrite: {{email}}\nBye.")).text,
        s.spans,
    )
    found = sentences(tokenizer, text, spans)
    assert "".join(sentence.text for sentence in found) == text
    assert [sentence.tells for sentence in found] == [False, True, False, False]
    assert [sentence.others for sentence in found] == [False, False, True, False]


def test_a_span_over_two_sentences_is_in_both_and_its_end_in_no_other() -> None:
    text = "One is here. Two is there. Three."
    found = sentences(tokenizer, text, [Span("STREET_ADDRESS", 8, 16)])
    assert [sentence.tells for sentence in found] == [True, True, False]
    found = sentences(tokenizer, text, [Span("STREET_ADDRESS", 0, 13)])
    assert [sentence.tells for sentence in found] == [True, False, False]


def test_a_text_without_words_has_no_sentences() -> None:
    assert sentences(tokenizer, " \n ", []) == []


def test_sentences_that_only_a_pattern_scan_finds_are_left_out_and_none_comes_twice() -> None:
    samples = [labelled("Hello. I am {{person}}. Write {{email}}.")] * 2
    found = [(s.text.strip(), s.label) for s in split(tokenizer, samples)]
    assert found == [("Hello.", HARMLESS), ("I am Ada Quill.", PERSONAL)]


def test_ranks_count_the_sentences_at_least_as_high() -> None:
    document = np.array([0.1, 0.9, 0.5, 0.5])
    assert above(np.array([0.95, 0.9, 0.6, 0.5, 0.0]), document).tolist() == [0, 1, 1, 3, 4]


def test_a_document_has_the_tokens_asked_for() -> None:
    paragraphs = (["one two", "three four five"] for _ in range(100))
    text = of_length(paragraphs, lambda part: len(part.split()), 12)
    assert 12 <= len(text.split()) <= 14


def texts() -> tuple[list[Harmless], list[Harmless]]:
    rng = random.Random(5)
    names = ["quill", "marlow", "tarn", "osgood", "pell", "winslade", "harrow", "thistle"]
    places = ["norwick", "eastmere", "kelby", "dunholm"]
    calm = ["The roses bloom.", "We walk to the river.", "Bread needs flour.", "Trains leave."]
    personal = [
        Harmless(
            f"{rng.choice(calm)[:-1]} and I am {rng.choice(names)} of {rng.choice(places)}.",
            PERSONAL,
            "made up",
        )
        for _ in range(60)
    ]
    plain = [Harmless(" ".join(rng.sample(calm, 3)), HARMLESS, "calm") for _ in range(90)]
    return [*personal, *plain[:60]], plain[60:]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_is_learnt_finds_a_name_in_a_new_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.risk.fit.HARD", 60)
    monkeypatch.setattr(signal, "BITS", 12)
    model = signal.train(*texts(), tokenizer, SIGNAL.recipe)
    reader = Reader(model, tokenizer)
    sample = labelled("Rivers are wide. I am {{person}} of {{city}}. Bread is good.")
    ((value,),) = told(reader, [sample])
    assert value == max(reader.read(sample.text).risk)
    assert model.threshold <= value


def test_types_that_are_measured_are_known_and_some_are_left_to_the_patterns() -> None:
    from pointsman_backends.router.policy import PII_TYPES

    assert set(PII_TYPES) > MODEL_TYPES
    assert "EMAIL_ADDRESS" not in MODEL_TYPES


def test_results_and_provenance_name_what_was_measured() -> None:
    results = json.loads(SIGNAL.results.read_text("utf-8"))
    stored = json.loads(RiskModel.load(SIGNAL.weights).provenance)
    assert stored["figures"]["personal data"] == results["personal data"]
    assert {row["licence"] for row in stored["sources"]}
    assert results["bytes"] == SIGNAL.weights.stat().st_size
