"""The domain data: seeded, true to its labels, apart from held-out texts, never empty."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.dedupe import overlaps
from training.domain import chat, data, documents, noise, requests, topics, wiki

Noise = Callable[[str, random.Random], str]

NOISES: tuple[Noise, ...] = (
    noise.perturb,
    noise.drop_sentences,
    lambda text, rng: noise.drop_words(text, rng, 0.5),
    lambda text, rng: noise.drop_words(text, rng, 1.0),
    lambda text, rng: noise.misspell(text, rng, 5),
)
few = settings(max_examples=40, deadline=None)
visible = st.text(min_size=1, max_size=300).filter(str.strip)
seeds = st.integers(0, 10_000)


def row(number: int, label: str) -> dict[str, Any]:
    return {
        "text": f"Question number n{number} about the {label} of thing t{number * 7}? It is hard.",
        "options": [f"first {label} answer {number}", f"second one {number}", str(number)],
        "label": label,
    }


QUESTIONS = [row(number, data.LABELS[number % 14]) for number in range(280)]
BY_LABEL = {
    label: [str(r["text"]) for r in QUESTIONS if r["label"] == label] for label in data.LABELS
}


@pytest.mark.parametrize("noise", NOISES)
@few
@given(text=visible, seed=seeds)
def test_noise_keeps_some_text_and_follows_its_seed(noise: Noise, text: str, seed: int) -> None:
    found = noise(text, random.Random(seed))
    assert found.strip()
    assert found == noise(text, random.Random(seed))


@few
@given(text=visible, seed=seeds, rate=st.floats(0, 1))
def test_dropped_words_leave_a_subsequence(text: str, seed: int, rate: float) -> None:
    left = iter(text.split(" "))
    kept = noise.drop_words(text, random.Random(seed), rate).split(" ")
    assert all(word in left for word in kept)


@few
@given(st.lists(st.sampled_from(("One.", "Two!", "Three?", "Four.")), min_size=2, max_size=9))
def test_half_of_the_sentences_stay_in_order(sentences: list[str]) -> None:
    kept = noise.drop_sentences(" ".join(sentences), random.Random(1)).split(" ")
    assert len(kept) == (len(sentences) + 1) // 2
    left = iter(sentences)
    assert all(sentence in left for sentence in kept)


@few
@given(text=visible, seed=seeds, count=st.integers(0, 10))
def test_slips_change_few_letters(text: str, seed: int, count: int) -> None:
    found = noise.misspell(text, random.Random(seed), count)
    assert abs(len(found) - len(text)) <= count
    assert [c for c in found if not c.isalpha()] == [c for c in text if not c.isalpha()]


def test_an_epoch_shows_every_question_once_with_its_label() -> None:
    pairs = data.exam_pairs(QUESTIONS, 3)
    assert len(pairs) == len(QUESTIONS)
    unspoilt = {n: label for text, label in pairs for n in re.findall(r"number n(\d+) about", text)}
    assert len(unspoilt) > 0.8 * len(QUESTIONS)
    assert all(label == QUESTIONS[int(n)]["label"] for n, label in unspoilt.items())


def test_parts_of_questions_come_from_a_question_of_their_label() -> None:
    by_label = {
        label: " ".join(
            " ".join([r["text"], *r["options"]]) for r in QUESTIONS if r["label"] == label
        )
        for label in data.LABELS
    }
    pairs = data.part_pairs(QUESTIONS, 0, 100)
    assert len(pairs) == 100
    for text, label in pairs:
        assert set(re.findall(r"\w+", text)) <= set(re.findall(r"\w+", by_label[label]))


@pytest.mark.parametrize("make", [data.exam_pairs, lambda q, e: data.part_pairs(q, e, 50)])
def test_epochs_differ_and_each_is_reproducible(
    make: Callable[[list[dict[str, Any]], int], list[data.Pair]],
) -> None:
    assert make(QUESTIONS, 1) == make(QUESTIONS, 1)
    assert make(QUESTIONS, 1) != make(QUESTIONS, 2)


def test_questions_that_copy_a_dev_question_are_left_out(tmp_path: Path) -> None:
    dev = (
        "Which of the following enzymes unwinds the double helix of DNA before replication starts?"
    )
    near = dev.replace("Which", "Tell which")
    other = "Which of the following taxes falls on consumers when demand is entirely inelastic?"
    folder = tmp_path / "domain"
    folder.mkdir()
    for name, texts in (("train", (near, other)), ("dev", (dev,))):
        rows = [json.dumps({"text": t, "options": [], "label": "biology"}) for t in texts]
        (folder / f"mmlu_pro_{name}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    assert [r["text"] for r in data.exam_questions(tmp_path)] == [other]


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"mmlu_pro_train\.jsonl.*--data"):
        data.training_pairs(tmp_path, 0)


def test_every_subject_has_topics_requests_and_a_grammar() -> None:
    labels = set(data.LABELS)
    assert set(topics.TOPICS) == set(topics.REQUESTS) == labels
    assert set(requests.GRAMMARS) == set(requests.FOREIGN) == labels
    assert set(chat.PERSONAS) == labels
    assert set(chat.EVALS_FOLDERS.values()) <= labels
    assert not set(chat.EVALS_FOLDERS) & set(data.HELD_OUT_EVALS)


@pytest.mark.parametrize("label", data.LABELS)
def test_the_grammar_is_varied_and_leaves_no_slot_open(label: str) -> None:
    texts = [requests.request(label, random.Random(seed)) for seed in range(400)]
    assert len(set(texts)) > 250
    assert all(text.strip() and not re.search(r"[{}~]", text) for text in texts)
    assert texts[:20] == [requests.request(label, random.Random(seed)) for seed in range(20)]


@pytest.mark.parametrize("label", data.LABELS)
def test_every_slot_of_the_grammar_exists_and_is_used(label: str) -> None:
    slots = requests.GRAMMARS[label]
    named = {
        name
        for choices in slots.values()
        for c in choices
        for name in re.findall(r"{([a-z_]+)}", c)
    }
    shared = set.intersection(*(set(table) for table in requests.GRAMMARS.values()))
    assert named <= set(slots)
    assert set(slots) - shared <= named
    assert "" not in slots["request"]


def test_no_request_has_two_subjects() -> None:
    owner: dict[str, str] = {}
    for table in (topics.REQUESTS, requests.FOREIGN):
        for label, texts in table.items():
            for request in texts:
                assert owner.setdefault(request.lower(), label) == label, request


@few
@given(seed=seeds)
def test_a_conversation_ends_with_its_request(seed: int) -> None:
    text = chat.conversation("What is a cell?", "Write a poem.", random.Random(seed))
    assert text.endswith("Write a poem.")
    assert "What is a cell?" in text


def test_requests_are_balanced_and_mostly_apart_from_each_other() -> None:
    pairs = chat.topical(random.Random(5), 40)
    counts = {label: sum(found == label for _, found in pairs) for label in data.LABELS}
    assert all(
        counts[label] == 40 * (3 if label == "other" else 1) + len(topics.REQUESTS[label])
        for label in counts
    )
    assert len({text for text, _ in pairs}) > 0.9 * len(pairs)


@pytest.mark.parametrize(
    ("topic", "title", "description", "label"),
    [
        ("Mathematics", "Ring", "Algebraic structure", "math"),
        ("Philosophy and religion", "Karma", "Concept of action in Indian religions", "philosophy"),
        ("Biology and health sciences", "Mumps", "Viral disease", "health"),
        ("Biology and health sciences", "Newt", "Salamander of a subfamily", "biology"),
        ("Biology and health sciences", "Mania", "State of elevated mood", "psychology"),
        ("Physical sciences", "Xenon", "Chemical element with atomic number 54", "chemistry"),
        ("Physical sciences", "Torque", "Turning force around an axis", "physics"),
        ("Physical sciences", "Dune", "Hill of loose sand", None),
        ("Society and social sciences", "Contract law", "Binding agreements", "law"),
        ("Society and social sciences", "Swahili", "Bantu language", "other"),
        ("Technology", "Compiler", "Computer program that translates code", "computer science"),
        ("Technology", "Clutch", "Mechanical device", "engineering"),
        ("Technology", "Sickle", "Tool of farmers", None),
        ("People", "Jane Roe", "Norwegian economist", "economics"),
        ("People", "Prince King", "Scottish golfer", None),
        ("Personnalités", "Jeanne Dupont", "chimiste belge", "chemistry"),
        ("Uncategorized", "Chicken", "Domesticated bird", None),
    ],
)
def test_subject_of_an_article(topic: str, title: str, description: str, label: str | None) -> None:
    assert wiki.subject(topic, title, description) == label


@few
@given(text=visible, seed=seeds, title=st.sampled_from(("Newt", "C++", "a.b")))
def test_a_blank_takes_the_place_of_the_title(text: str, seed: int, title: str) -> None:
    found = wiki.without_title(f"{text} The Newt swims.", title, random.Random(seed))
    assert found.strip()
    assert title != "Newt" or not re.search(r"\bnewt\b", found, re.IGNORECASE)


@pytest.mark.parametrize("title", ["Ring (mathematics)", "Ring", "Ring (a) (b)"])
def test_a_title_loses_its_note(title: str) -> None:
    assert wiki.plain(title) == "Ring"


def test_every_subject_of_an_article_is_a_label() -> None:
    rules = [label for table in wiki._RULES.values() for label, _ in table]
    foreign = [label for label, _ in wiki._FOREIGN]
    assert {*rules, *foreign, *wiki._TOPIC.values()} <= set(data.LABELS)


@few
@given(seed=seeds, size=st.integers(1, 2000))
def test_the_question_stands_whole_in_its_document(seed: int, size: int) -> None:
    rng = random.Random(seed)
    material = documents.grown(lambda: documents.log(rng), size)
    text = documents.around(material, "Who owns the moon?", rng)
    assert text.count("Who owns the moon?") == 1
    before, after = text.split("Who owns the moon?")
    for line in material.splitlines():
        assert line.strip() in before + after


@few
@given(size=st.integers(0, 3000))
def test_material_grows_to_the_size_asked_for(size: int) -> None:
    text = documents.grown(lambda: "words and words", size)
    assert size - 2 <= len(text) <= size + 20


def test_documents_carry_the_label_of_their_question(monkeypatch: pytest.MonkeyPatch) -> None:
    article = [wiki.Article(f"Title {x}", "A thing", f"An article on {x}.", x) for x in data.LABELS]
    monkeypatch.setattr(documents, "labelled", lambda: tuple(article))
    monkeypatch.setattr(documents, "passages", lambda: ("A passage of no matter what.",))
    monkeypatch.setattr(documents, "community", lambda: (("A prompt.", "other"),))
    monkeypatch.setattr(documents, "code_block", lambda _: "def f():\n    return 1")
    sizes = [200] * 150 + [5000] * 10
    pairs = documents.documents(random.Random(2), BY_LABEL, sizes)
    assert len(pairs) == len(sizes)
    assert pairs == documents.documents(random.Random(2), BY_LABEL, sizes)
    assert all(len(text) >= size for (text, _), size in zip(pairs, sizes, strict=True))
    asked = 0
    for text, label in pairs:
        owners = {x for x, questions in BY_LABEL.items() if any(q in text for q in questions)}
        assert not owners or owners == {label}
        asked += bool(owners)
    assert asked > 0.5 * len(pairs)


def test_topical_texts_stay_apart_from_the_held_out_ones() -> None:
    path = Path(data.__file__).with_name("heldout.jsonl")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    held_out = [row["text"] for row in rows if "text" in row]
    ready = [text for texts in topics.REQUESTS.values() for text in texts]
    assert held_out
    assert not any(overlaps(ready, held_out, data.OVERLAP))


def test_crops_are_sentences_of_the_text_in_a_row() -> None:
    text = " ".join(f"Sentence number {n} has seven words here." for n in range(30))
    for seed in range(20):
        found = data.crop(text, random.Random(seed), 40)
        assert found in text
        assert found.startswith("Sentence")
        assert 0 < len(found.split()) <= 40


def test_a_crop_keeps_one_sentence_however_long() -> None:
    assert data.crop("word " * 50, random.Random(0), 10).split() == ["word"] * 50


@few
@given(text=visible, seed=seeds)
def test_renumbering_changes_digits_alone(text: str, seed: int) -> None:
    found = noise.renumber(text, random.Random(seed))
    assert len(found) == len(text)
    assert all(a == b or (a.isdigit() and b.isdigit()) for a, b in zip(text, found, strict=True))


def test_renumbering_leaves_years_and_single_digits() -> None:
    text = "In 1848 and 2012, x^12 and 7 of H2O"
    assert noise.renumber(text, random.Random(0)) == text
    assert noise.renumber("275 kg", random.Random(0)) != "275 kg"
