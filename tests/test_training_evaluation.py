"""The evaluation's own arithmetic: perturbations, composed texts, verdicts, spans, tables."""

from __future__ import annotations

import json
import random
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman_backends.router.decision import decide
from pointsman_backends.router.policy import Labels, PolicyFile, load_policy_file
from training.evaluation import (
    __main__ as command,
)
from training.evaluation import (
    cards,
    length,
    perturb,
    pictures,
    report,
    safety,
    spans,
    variants,
)
from training.evaluation.figures import area, recall_at, sample, share
from training.evaluation.served import cut
from training.metrics import softmax
from training.pii.types import TYPES
from training.safety.words import HARMLESS_WORDS

ROOT = Path(__file__).resolve().parents[1]
TEXT = st.text(max_size=200)
SEED = st.integers(0, 2**32 - 1)
KINDS = sorted(perturb.PERTURBATIONS)


# Perturbations ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXT, seed=SEED)
def test_places_follow_the_text(kind: str, text: str, seed: int) -> None:
    """Every code point's piece lies where the places say, and nothing lies between pieces."""
    new = perturb.PERTURBATIONS[kind](text, random.Random(seed))
    assert len(new.places) == len(text) + 1
    assert (np.diff(new.places) >= 0).all()
    assert 0 <= new.places[0] <= new.places[-1] <= len(new.text)
    again = perturb.PERTURBATIONS[kind](text, random.Random(seed))
    assert again.text == new.text


@given(text=TEXT, seed=SEED, cut_at=st.data())
def test_words_around_leave_the_text_alone(text: str, seed: int, cut_at: st.DataObject) -> None:
    start = cut_at.draw(st.integers(0, len(text)))
    end = cut_at.draw(st.integers(start, len(text)))
    for change in (perturb.append_words, perturb.prepend_words):
        new = change(text, random.Random(seed))
        begin, stop = new.span(start, end)
        assert new.text[begin:stop] == text[start:end]
        first, last = new.span(0, len(text))
        words = (new.text[:first] + new.text[last:]).split()
        assert len(words) == len(set(words)) == 10
        assert set(words) <= set(perturb.HARMLESS)


def test_words_around_are_not_those_of_training() -> None:
    assert not set(perturb.HARMLESS) & set(HARMLESS_WORDS)


@given(text=st.text(alphabet=st.characters(max_codepoint=0x17F), max_size=200), seed=SEED)
def test_case_alone_changes(text: str, seed: int) -> None:
    for change in (perturb.upper, perturb.lower, perturb.random_case):
        new = change(text, random.Random(seed))
        assert new.text.upper().lower() == "".join(c.upper() for c in text).lower()


@given(text=TEXT, seed=SEED)
def test_what_was_put_in_can_be_taken_out(text: str, seed: int) -> None:
    invisible = re.compile("[" + "".join(perturb.ZERO_WIDTH) + "]")
    plain = invisible.sub("", text)
    assert invisible.sub("", perturb.zero_width(plain, random.Random(seed)).text) == plain
    wider = perturb.whitespace(text, random.Random(seed)).text
    assert wider.split() == text.split()
    back = {new: old for old, new in perturb.LOOK_ALIKES.items()}
    ascii_ = text.encode("ascii", "ignore").decode()
    spoofed = perturb.look_alikes(ascii_, random.Random(seed))
    assert spoofed.text.translate({ord(chr(new)): old for new, old in back.items()}) == ascii_
    marks = re.compile(r"[,.!?;]|-")
    bare = marks.sub("", text)
    spoilt = marks.sub("", perturb.punctuation(bare, random.Random(seed)).text)
    assert spoilt.split() == bare.split()


@given(text=TEXT, seed=SEED)
def test_typos_touch_letters_only(text: str, seed: int) -> None:
    new = perturb.typos(text, random.Random(seed)).text
    assert [c for c in new if not c.isalpha()] == [c for c in text if not c.isalpha()]
    assert set(new) <= set(text)


def test_every_perturbation_changes_an_ordinary_text() -> None:
    text = "Please Tell Me About The Old Harbour And Its Ships. " * 8
    for kind, change in perturb.PERTURBATIONS.items():
        assert change(text, random.Random(1)).text != text, kind


# Long texts -------------------------------------------------------------------------------------

PARAGRAPH = st.text(alphabet="abc de", min_size=1, max_size=60)


@given(st.lists(PARAGRAPH, max_size=8), PARAGRAPH, st.floats(0, 1))
def test_embedded_passage_is_where_it_says(
    paragraphs: list[str], passage: str, depth: float
) -> None:
    placed = length.embed(paragraphs, passage, depth)
    assert placed.text[placed.start : placed.end] == passage
    assert sorted(placed.text.split("\n\n")) == sorted([*paragraphs, passage])
    before, whole = (
        sum(map(len, placed.text[: placed.start].split("\n\n"))),
        sum(map(len, paragraphs)),
    )
    longest = max(map(len, paragraphs), default=0)
    assert abs(before - depth * whole) <= longest / 2 + 1e-6


@given(
    st.lists(st.lists(PARAGRAPH, min_size=1, max_size=5), min_size=1, max_size=4),
    st.integers(0, 400),
    SEED,
)
def test_filling_keeps_within_the_tokens(sources: list[list[str]], tokens: int, seed: int) -> None:
    def count(text: str) -> int:
        return len(text.split()) + 1

    chosen = length.fill(sources, count, tokens, random.Random(seed))
    assert sum(map(count, chosen)) <= tokens
    everything = [paragraph for document in sources for paragraph in document]
    assert all(any(full.startswith(part) for full in everything) for part in chosen)


def test_filling_comes_near_the_tokens() -> None:
    sources = [[f"word{i} and some more words here" for i in range(50)]]
    chosen = length.fill(sources, lambda text: len(text.split()), 1000, random.Random(2))
    assert 980 <= sum(len(part.split()) for part in chosen) <= 1000


def test_no_sources_are_an_error() -> None:
    with pytest.raises(ValueError, match="no benign documents"):
        length.fill([], len, 100, random.Random(0))


# Verdicts ---------------------------------------------------------------------------------------


SAFETY = ("benign", "jailbreak", "harmful")
CLEAN = json.dumps(
    {
        "patterns": [],
        "coverage": {
            "tokens": 2,
            "classified_tokens": 2,
            "scanned_characters": 1,
            "kept": [[0, 1]],
            "truncated": False,
        },
        "timings_us": {},
        "errors": [],
    }
).encode()


def policies(jailbreak: float, harmful: float) -> PolicyFile:
    file = load_policy_file(ROOT / "model_repository" / "router" / "1" / "policy.yaml")
    document = file.model_dump()
    document["policies"][file.default_policy]["safety"] = {
        "jailbreak": {"threshold": jailbreak, "action": "block"},
        "harmful": {"threshold": harmful, "action": "block"},
    }
    return PolicyFile.model_validate(document)


def blocked(logits: np.ndarray, file: PolicyFile) -> bool:
    offsets = np.array([[-1, -1], [0, 1]], dtype=np.int32)
    decided = decide(
        logits,
        np.zeros(1, np.float32),
        np.zeros((2, 1), np.float32),
        offsets,
        CLEAN,
        "",
        file,
        Labels(SAFETY, ("other",), ("O",)),
    )
    decision = json.loads(decided.decision)
    assert decision["errors"] == []
    return bool(decision["action"] == "block")


@given(
    st.lists(st.tuples(*[st.floats(-6, 6)] * 3), min_size=1, max_size=10),
    st.sampled_from([(0.5, 0.5), (0.3, 0.8), (0.9, 0.4)]),
)
def test_verdicts_are_the_routers(
    rows: list[tuple[float, float, float]], limits: tuple[float, float]
) -> None:
    logits = np.array(rows, dtype=np.float32)
    file = policies(*limits)
    probabilities = softmax(logits)
    found = safety.fires(probabilities, SAFETY, file.policies[file.default_policy])
    np.testing.assert_allclose(found.scores, probabilities[:, 1:].sum(axis=1), atol=1e-9)
    for row, flagged, scores in zip(logits, found.flagged, probabilities, strict=True):
        evidence = (*scores[1:], 1 - scores[0])
        near = any(abs(x - limit) < 1e-3 for x in evidence for limit in limits)
        tie = abs(scores[1] - scores[2]) < 1e-3
        if not near and not tie:  # the router rounds
            assert flagged == blocked(row, file)


# Spans and figures ------------------------------------------------------------------------------


def test_span_counts_and_types() -> None:
    gold = [{("PERSON", 0, 4), ("GPE", 10, 15)}, set(), {("PERSON", 2, 5)}]
    found = [{("PERSON", 0, 4), ("GPE", 10, 14)}, {("GPE", 1, 3)}, {("GPE", 2, 5)}]
    assert spans.counts(gold, found).tolist() == [[1, 2, 2], [0, 1, 0], [0, 1, 1]]
    assert spans.covered(gold, found).tolist() == [[8, 8, 9], [0, 2, 0], [3, 3, 3]]
    rows = spans.by_type(TYPES, gold, found)
    assert [(r["type"], r["true"], r["found"]) for r in rows] == [("GPE", 1, 3), ("PERSON", 2, 1)]
    assert rows[1][spans.PRECISION] == 1
    assert rows[1][spans.RECALL] == 0.5
    assert rows[0][spans.F1] == 0


def test_figures_agree_with_counting() -> None:
    hits = np.array([True] * 30 + [False] * 70)
    figure = share("set", "recall", hits, 0.5)
    assert (figure["value"], figure["rows"], figure["aim"]) == (0.3, 100, 0.5)
    low, high = figure["ci95"] or (0, 0)
    assert low < 0.3 < high
    assert share("set", "recall", np.ones(5, bool))["ci95"] is None
    positive = np.arange(200) % 2 == 0
    scores = positive + np.linspace(0, 0.9, 200)
    assert area("set", positive, scores)["value"] == 1.0
    assert recall_at("set", positive, scores)["value"] == 1.0
    with pytest.raises(ValueError, match="nothing: recall cannot be measured"):
        share("nothing", "recall", np.empty(0, bool))


@given(st.lists(st.integers()), st.integers(0, 30))
def test_samples_keep_order_and_limit(rows: list[int], limit: int) -> None:
    numbered = list(enumerate(rows))
    chosen = sample(numbered, limit)
    assert len(chosen) == min(limit, len(rows))
    assert chosen == sorted(chosen, key=lambda row: row[0])
    assert set(chosen) <= set(numbered)
    assert sample(numbered, None) == numbered


@given(st.integers(2, 40), st.integers(2, 40))
def test_cutting_keeps_the_ends(tokens: int, limit: int) -> None:
    ids = list(range(tokens))
    offsets = np.stack([np.arange(tokens), np.arange(tokens) + 1], axis=1).astype(np.int32)
    kept, places = cut(ids, offsets, limit)
    assert len(kept) == len(places) == min(tokens, limit)
    assert kept == places[:, 0].tolist()
    assert (kept[0], kept[-1]) == (0, tokens - 1)


# What is written --------------------------------------------------------------------------------


@cache
def results() -> dict[str, Any]:
    """Small results of the right form."""
    rng = np.random.default_rng(0)
    positive = rng.random(60) < 0.5
    scores = rng.random(60)
    hits = scores > 0.4
    figures = [share("a set", "recall", hits, 0.9), area("a set", positive, scores)]
    by_hand = [share("written by hand", "recall", hits)]
    long = [
        share("attack at five depths", "recall at 2 % false positives", hits),
        share("question at the end", "accuracy", hits),
        share("personal data at five depths", "strict recall", hits),
    ]
    one_type = spans.by_type(("PERSON",), [{("PERSON", 0, 4)}], [set()])
    return {
        "models": {
            "shared": True,
            "max_tokens": 32768,
            "bytes": {"safety_classifier": 1_500_000},
            "labels": {"safety": list(SAFETY), "domain": ["law", "other"], "pii": ["O"]},
            "quick": False,
        },
        "safety": {
            "figures": figures,
            "written": by_hand,
            "roc": {"a set": safety.roc(positive, scores)},
        },
        "domain": {
            "figures": figures,
            "written": by_hand,
            "confusion": {"labels": ["law", "other"], "counts": [[3, 1], [0, 0]]},
            "reliability": {"a set": {"confidence": [0.5, 0.9], "accuracy": [0.4, 0.95]}},
            "fitted_temperatures": [1.01, 0.99],
        },
        "pii": {"figures": figures, "threshold": 0.8, "by_type": {"a set": one_type}},
        "perturbation": [
            {
                "task": "safety",
                "set": "a set",
                "metric": "recall",
                "perturbation": "typos",
                "clean": 0.9,
                "perturbed": 0.75,
                "flips": 0.2,
                "rows": 20,
            }
        ],
        "baselines": [
            {
                "task": "domain",
                "set": "a set",
                "metric": "accuracy",
                "majority": 0.1,
                "shipped": 0.9,
            }
        ],
        "length": [
            {"tokens": 512, "figures": long, "recall_by_depth": {"0": 1.0, "1": 0.5}},
            {"tokens": 2048, "figures": long, "recall_by_depth": {"0": 0.8, "1": 0.25}},
        ],
    }


def test_report_holds_every_figure_and_its_tables_are_whole() -> None:
    page = report.render(results())
    assert "| a set | recall |" in page
    assert "-0.150 | 20.0%" in page
    assert page.count("| written by hand | recall |") == 2
    assert "written by hand" not in page[: page.index("## Texts written by hand")]
    assert "| PERSON | 1 | 0 | – | 0.000 | 0.000 |" in page
    assert "nan" not in page
    for block in re.findall(r"(?:^\|.*\n?)+", page, re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1, block


def test_pictures_are_the_same_for_the_same_results(tmp_path: Path) -> None:
    pictures.draw(results(), tmp_path / "a")
    pictures.draw(results(), tmp_path / "b")
    names = ["confusion.svg", "length.svg", "reliability.svg", "roc.svg"]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == names
    for name in names:
        picture = (tmp_path / "a" / name).read_bytes()
        assert picture == (tmp_path / "b" / name).read_bytes()
        assert picture.lstrip().startswith(b"<?xml")


def test_cards_of_the_shipped_models_can_be_written(tmp_path: Path) -> None:
    cards.write(results(), tmp_path)
    written = {path.stem for path in tmp_path.glob("*.md")}
    assert written >= {"safety_classifier", "domain_classifier", "pii_classifier"}
    card = (tmp_path / "safety_classifier.md").read_text(encoding="utf-8")
    assert "benign, jailbreak, harmful" in card
    assert "1.5 MB" in card
    assert "| a set | recall |" in card
    assert "| written by hand | recall |" in card
    assert "](safety_classifier.md)" in (tmp_path / "encoder.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("task", ["safety", "domain", "pii"])
def test_every_counted_text_has_one_source(task: str) -> None:
    counts = json.loads(cards.COUNTS.read_text(encoding="utf-8"))[task]
    facts = json.loads((cards.FACTS / f"{task}_classifier.json").read_text(encoding="utf-8"))
    kinds = [kind for source in facts["sources"] for kind in source.get("kinds", [])]
    assert sorted(kinds) == sorted(counts)
    for source in facts["sources"]:
        assert source["use"] in {"train", "choose", "measure"}
        assert source["use"] == "train" or "kinds" not in source


def test_variants_stand_side_by_side() -> None:
    def row(metric: str, value: float) -> dict[str, Any]:
        return {"set": "dev", "metric": metric, "value": value, "ci95": [value - 0.1, value + 0.1]}

    page = variants.render(
        {
            "limit": 600,
            "variants": {
                "int8": [row("AUC", 0.9), row("accuracy", 0.8)],
                "fp32": [row("AUC", 0.95)],
            },
        }
    )
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert lines[0] == "| Set | Figure | int8 | fp32 |"
    assert lines[2] == "| dev | AUC | 0.900 (0.800 to 1.000) | 0.950 (0.850 to 1.050) |"
    assert lines[3] == "| dev | accuracy | 0.800 (0.700 to 0.900) |  |"
    assert "at most 600 of each set" in page


def test_parts_measured_again_leave_the_others_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "evaluation.json"
    results.write_text('{"models": "old", "safety": [1], "domain": [2]}', encoding="utf-8")
    rendered: list[Any] = []

    def measure(_data: Path, _models: Path, _quick: bool, parts: list[str]) -> dict[str, Any]:
        return {"models": "new", **{part: [3] for part in parts}}

    monkeypatch.setattr(command, "RESULTS", results)
    monkeypatch.setattr(command, "measure", measure)
    monkeypatch.setattr(command, "render", lambda found, _docs: rendered.append(found))
    monkeypatch.setattr("sys.argv", ["evaluation", "--parts", "domain", "length"])
    command.main()
    expected = {"models": "new", "safety": [1], "domain": [3], "length": [3]}
    assert rendered == [json.loads(results.read_text(encoding="utf-8"))] == [expected]
