"""Export the trained encoder and heads into the model repository.

``python -m training.publish --data ../shared/data`` reads ``build/training/multitask/weights.pt``,
calibrates on the dev files, and writes ``model_repository/{encoder,*_classifier}/1``. With
``--models DIR`` the four folders are written elsewhere.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from training.domain import data as domain_data
from training.jsonl import read_jsonl
from training.metrics import fit_temperature
from training.model.encoder import load_tokenizer
from training.model.export import (
    ENCODER,
    export_encoder,
    export_head,
    publish_encoder,
    publish_head,
)
from training.model.heads import DomainHead, SafetyHead
from training.multitask import TASKS, MultiTask
from training.pii import data as pii_data
from training.safety import data as safety_data
from training.safety.sources import alpaca_eval

ROOT = Path(__file__).resolve().parents[1]
FALSE_POSITIVES = 0.01
"""Share of AlpacaEval dev that may score 0.5 or more as unsafe."""


def _logits(model: MultiTask, task: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Logits float32 [texts, labels] of whole texts."""
    out = []
    with torch.inference_mode():
        for encoding in load_tokenizer().encode_batch(list(texts)):
            ids = torch.tensor([encoding.ids])
            out.append(model(task, ids, torch.ones_like(ids)).numpy()[0])
    return np.stack(out)


def temperature(model: MultiTask, data: Path) -> float:
    """Temperature of the domain logits, fitted on mmlu_pro_dev (arXiv 1706.04599)."""
    rows = read_jsonl(data / "domain" / "mmlu_pro_dev.jsonl")
    gold = np.array([domain_data.LABELS.index(row["label"]) for row in rows], dtype=np.int64)
    return fit_temperature(_logits(model, "domain", [row["text"] for row in rows]), gold)


def operating_point(model: MultiTask, data: Path) -> float:
    """What the safety margins are lowered by, so that FALSE_POSITIVES are not exceeded.

    Never negative: margins are not raised.
    """
    logits = _logits(model, "safety", alpaca_eval(data))
    margins = np.sort(np.logaddexp.reduce(logits[:, 1:], axis=1))
    return max(0.0, float(margins[-1 - int(FALSE_POSITIVES * len(margins))]) + 1e-3)


def calibrate(model: MultiTask, data: Path) -> dict[str, float]:
    """Fold temperature and operating point into the heads' last layers; what they were."""
    domain = cast(DomainHead, model.heads["domain"])
    safety = cast(SafetyHead, model.heads["safety"])
    scale, shift = round(temperature(model, data), 4), round(operating_point(model, data), 4)
    with torch.no_grad():
        domain.out.weight /= scale
        domain.out.bias /= scale
        safety.out.bias[1:] -= shift
    return {"temperature": scale, "safety_shift": shift}


def publish(model: MultiTask, build: Path, models: Path, precision: dict[str, str]) -> None:
    """Export all four models and copy them into the repository.

    Args:
        model: calibrated.
        build: where fp32.onnx and int8.onnx of each model are written.
        models: a model repository.
        precision: ``fp32`` or ``int8`` by model name; int8 where none is given.
    """
    labels = {
        "safety": safety_data.LABELS,
        "domain": domain_data.LABELS,
        "pii": pii_data.LABELS,
    }
    parts: dict[str, nn.Module] = {f"{task}_classifier": model.heads[task] for task in TASKS}
    files = export_encoder(model.encoder, build / ENCODER)
    publish_encoder(getattr(files, precision.get(ENCODER, "int8")), models / ENCODER)
    for name, head in parts.items():
        files = export_head(head, build / name)
        chosen = getattr(files, precision.get(name, "int8"))
        publish_head(chosen, labels[name.removesuffix("_classifier")], models / name)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument(
        "--weights", type=Path, default=ROOT / "build/training/multitask/weights.pt"
    )
    parser.add_argument("--models", type=Path, default=ROOT / "model_repository")
    parser.add_argument("--fp32", nargs="*", default=[], help="models whose weights stay fp32")
    arguments = parser.parse_args()
    model = MultiTask()
    model.load_state_dict(torch.load(arguments.weights, weights_only=True))
    model.eval()
    done = calibrate(model, arguments.data)
    print(json.dumps(done))
    precision = dict.fromkeys(arguments.fp32, "fp32")
    publish(model, arguments.weights.parent, arguments.models, precision)
    (arguments.weights.parent / "calibration.json").write_text(json.dumps(done) + "\n", "utf-8")


if __name__ == "__main__":
    main()
