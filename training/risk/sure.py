"""How many texts the risk stage is sure of: harmless ones (there should be none) and attacks.

``python -m training.risk.sure --data ../shared/data`` prints a table and writes
``training/results/risk_sure.json``. Measured are the texts of ``training.risk.measure``, those of
``training/written`` (of which nine tenths are trained on, so their figures flatter), and long
files: the standard library, the installed packages, the repository's own guides and examples.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import site
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

from pointsman_backends.compressor import Compressor, alarm
from training.evaluation.length import fill, paragraphs
from training.risk import measure
from training.safety import sources
from training.safety.data import WRITTEN_FOLDERS, written

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "training" / "results" / "risk_sure.json"
SEED = 31
FILES = 5000
"""Files at most that are read of each place."""
CHARACTERS = 100_000
"""A file is cut here."""
ENDINGS = ("py", "md", "rst", "txt", "pyi")
# Packages of attacks, and what is said to models.
HOSTILE = re.compile(r"garak|pyrit|spikee|agentdojo|bastion|bigbench|evals|prompt_forge")
HOSTILE_EXAMPLES = re.compile("jailbreak|injected")
CLASSIFIERS = ("safety_classifier", "domain_classifier", "pii_classifier")


def files(folder: str) -> list[str]:
    """Texts of the files in a folder, at most `FILES`, evenly drawn."""
    nested = "site-packages" not in folder
    found = [
        path
        for ending in ENDINGS
        for path in sorted(Path(folder).glob(f"**/*.{ending}"))
        if not HOSTILE.search(str(path)) and not (nested and "site-packages" in path.parts)
    ]
    drawn = found[:: max(1, len(found) // FILES)]
    return [path.read_text(encoding="utf-8", errors="replace")[:CHARACTERS] for path in drawn]


def conversations(texts: Sequence[str], count: int, characters: int) -> list[str]:
    """Long messages made of paragraphs of some texts."""
    rng = random.Random(SEED)
    parts = [found for text in texts if (found := paragraphs(text))]
    return ["\n\n".join(fill(parts, len, characters, rng)) for _ in range(count)]


def harmless(data: Path) -> Iterator[tuple[str, list[str]]]:
    """Harmless texts by kind; a text is one message."""
    yield from measure.harmless(data).items()
    trained = [t for f in WRITTEN_FOLDERS for t, _ in written(f, "benign", measured=False)]
    yield "written, trained on", trained
    yield "standard library", files(sysconfig.get_path("stdlib"))
    yield "installed packages", [text for root in site.getsitepackages() for text in files(root)]
    yield "Python reference", list(topics.values())
    yield "Python reference, mixed, 40 KB", conversations(list(topics.values()), 200, 40_000)
    yield (
        "encyclopaedia, English and French",
        [text for language in ("en-us", "fr-fr") for text in sources.wikipedia(language)[:10_000]],
    )
    yield "web", list(sources.web_texts())
    yield "guides of this repository", [p.read_text() for p in sorted(ROOT.glob("docs/**/*.md"))]
    yield (
        "examples of this repository",
        [
            message["content"]
            for path in sorted(ROOT.glob("docs/examples/*.json"))
            if not HOSTILE_EXAMPLES.search(path.stem)
            for message in json.loads(path.read_text())["messages"]
        ],
    )


def attacks() -> Iterator[tuple[str, list[str]]]:
    """Attacks by source."""
    for name, texts in measure.attacks().items():
        if ", kind " not in name:  # the same again, by another property
            yield name, texts
    for folder in WRITTEN_FOLDERS:
        for label in ("jailbreak", "harmful"):
            texts = [text for text, _ in written(folder, label, measured=False)]
            if texts:
                yield f"written, {folder}, {label}, trained on", texts


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shared data files")
    data = parser.parse_args().data
    compressor = Compressor.from_repository(ROOT / "model_repository", CLASSIFIERS)
    results: dict[str, Any] = {
        "risk": alarm.SURE_RISK,
        "sentences": alarm.SURE_SENTENCES,
        "share": alarm.SURE_SHARE,
    }
    for what, kinds in (("harmless", harmless(data)), ("attacks", attacks())):
        results[what] = {}
        for kind, texts in kinds:
            row = {
                "texts": len(texts),
                "characters": sum(map(len, texts)),
                "sure": sum(compressor.surely_attacks([text]) for text in texts),
            }
            results[what][kind] = row
            print(f"| {what} | {kind} | {row['texts']:,} | {row['characters']:,} | {row['sure']} |")
    RESULT.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
