"""Count the training texts of one epoch by their kind, for the model cards.

``python -m training.sources --data ../shared/data`` writes ``training/results/sources.json``:
the texts of epoch 0 at scale 1, by task and kind. ``training/facts`` say where each kind is from.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from training.domain import data as domain_data
from training.pii import data as pii_data
from training.safety import data as safety_data

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "training" / "results" / "sources.json"


def count(data: Path) -> dict[str, dict[str, int]]:
    """Texts of the first epoch by task and kind.

    Args:
        data: folder of the shared data files.
    """
    return {
        "safety": Counter(s.source for s in safety_data.training_samples(data, 0, 1.0)),
        "domain": {kind: len(p) for kind, p in domain_data.epoch_sources(data, 0).items()},
        "pii": Counter(s.source for s in pii_data.training_samples(data, 0, 1.0)),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    counts = count(parser.parse_args().data)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
