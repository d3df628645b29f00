"""How far classifiers' probabilities move when the attention op multiplies in bf16.

Over the development sets, one text a run: the largest difference of any probability of a text
between compute_type float32 and bfloat16, the instruction emulated where the CPU has none. For the
shipped int8 models also what removing the op changes, which is nothing but last bits: activations
of 8 bits jump at the least difference. ``--models DIR`` measures other files, for example fp32
ones: DIR/safety.onnx, domain.onnx and pii.onnx, token ids to logits.

Usage: ``python perf/bf16.py --data DIR [--models DIR] [--output FILE.json]``
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import classifiers
import machine
import numpy as np
import onnx
import typer
from rich.progress import track
from tokenizers import Tokenizer

from pointsman import paths
from pointsman.rewrite.fusion import set_compute_type

RESULTS = Path(__file__).parent / "results"
DEV_SETS = {
    "safety": "safety/benign_alpaca_eval_dev.jsonl",
    "domain": "domain/mmlu_pro_dev.jsonl",
    "pii": "pii/presidio_generated_dev.jsonl",
}


def with_bf16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of the model with every op's compute_type set to bfloat16."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    set_compute_type(changed, "bfloat16")
    return changed


def texts(name: str, data: Path) -> list[list[int]]:
    """Return the token ids of a classifier's development set, at most 512 each."""
    folder = paths.model_repository() / "encoder" / "1"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(512)
    tokenizer.no_padding()
    lines = (data / DEV_SETS[name]).read_text(encoding="utf-8").splitlines()
    encoded = tokenizer.encode_batch([json.loads(line)["text"] for line in lines])
    return [encoding.ids for encoding in encoded]


def differences(
    name: str, change: str, models: tuple[onnx.ModelProto, onnx.ModelProto], ids: list[list[int]]
) -> dict[str, Any]:
    """Compare two models' probabilities, and the labels they choose."""
    sessions = [classifiers.session(model, 2) for model in models]
    largest, changed = [], 0
    for each in track(ids, f"{change}, {name}"):
        one, other = (
            classifiers.probabilities(session.run(["logits"], classifiers.feed(each))[0])
            for session in sessions
        )
        largest.append(float(np.abs(one - other).max()))
        changed += int((one.argmax(-1) != other.argmax(-1)).any())
    median, high, most = np.quantile(largest, [0.5, 0.99, 1])
    return {
        "classifier": name,
        "change": change,
        "texts": len(ids),
        "median": round(median, 5),
        "p99": round(high, 5),
        "largest": round(most, 5),
        "texts_with_another_label": changed,
    }


def main(
    data: Annotated[Path, typer.Option(help="Folder of the development sets.")],
    models: Annotated[Path | None, typer.Option(help="Folder of other models.")] = None,
    output: Annotated[Path, typer.Option(help="JSON to write.")] = RESULTS / "bf16.json",
) -> None:
    """Measure, print and write the JSON."""
    native = "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    if not native:
        # Read once a process. Products in fp32 are the same either way.
        os.environ["CK_FLASH_ATTENTION_ISA"] = "avx512_bf16_emulated"
    rows = []
    for name in classifiers.NAMES:
        ids = texts(name, data)
        if models is None:
            model = classifiers.shipped(name)
            plain = (model, classifiers.without_op(model))
            rows.append(differences(name, "without the op", plain, ids))
        else:
            model = onnx.load(str(models / f"{name}.onnx"))
        rows.append(differences(name, "bf16", (model, with_bf16(model)), ids))
        print(rows[-1], flush=True)
    report = {"machine": machine.describe() | {"avx512_bf16": native}, "rows": rows}
    output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
