"""The texts that the risk signal is trained on, and those that its threshold is set on.

Attacks, and harmless texts that are like them, are the safety classifier's (``training.safety``);
harmless text of other kinds is the other tasks', and what installed packages and machines write.
Nothing shares a run of eight words with a text that is measured.
"""

from __future__ import annotations

import random
import re
import site
from collections.abc import Sequence
from pathlib import Path

from training.dedupe import bucket
from training.domain import data as domain_data
from training.pii import data as pii_data
from training.risk.machine_text import machine_text
from training.safety import data as safety_data
from training.safety import sources
from training.safety.data import LABELS, Sample

SEED = 17
BENIGN = LABELS[0]
EPOCHS = 3
"""Epochs of the safety classifier's texts that are read; each is of fresh texts."""
CHARACTERS = 3000
"""A harmless text of a package is cut here, so that one long file does not stand for all."""

ASKED = frozenset(
    {
        "request", "neighbour", "foreign", "small_talk", "entity", "subject", "given",
        "conversation", "forge", "agent_request", "finance", "real", "requests",
        "encoded_benign", "written_benign",
    }
)  # fmt: skip
"""Kinds of harmless text that are requests to an assistant. To mark one of them in vain costs
little, for a document has few; they count less than sentences of documents."""

# Packages whose files are never read: attacks, texts that are measured, and no text at all.
_LEFT_OUT = re.compile(
    r"garak|pyrit|spikee|agentdojo|bastioncorpus|bigbench|evals|prompt_forge|awesome_prompt"
    r"|ovos|presidio|sklearn|scikit_learn|networkx|sympy|isympy|scipy|faker"
)
_CALIBRATION = ("matplotlib", "hypothesis", "pydantic", "fontTools", "pygments")
"""Packages on which the threshold is set; never trained on."""
_ASIDE = 12
"""Of the other harmless texts one in so many, chosen by a hash, is kept aside for that, too."""


def _packages() -> dict[str, list[Path]]:
    """Source files of the installed packages by the name of the package."""
    found: dict[str, list[Path]] = {}
    for root in map(Path, site.getsitepackages()):
        for path in sorted(root.glob("*/**/*.py")):
            name = path.relative_to(root).parts[0]
            if not _LEFT_OUT.search(name):
                found.setdefault(name, []).append(path)
    return found


def _technical(files: Sequence[Path], count: int, rng: random.Random) -> list[tuple[str, str]]:
    """Source code and technical prose, ``count`` texts each, with their kinds."""
    code = [("code", sources.code_excerpt(files, rng)[1]) for _ in range(count)]
    return [*code, *(("manual", sources.manual_excerpt(files, rng)) for _ in range(count))]


def _prose(data: Path, rng: random.Random) -> list[tuple[str, str]]:
    """Harmless text of the packages and of the other tasks, with its kind."""
    exam = rng.sample([domain_data.with_options(r) for r in domain_data.exam_questions(data)], 4000)
    subjects = rng.sample([text for text, _ in domain_data.training_pairs(data, 0)], 9000)
    return [
        *(("wikipedia", text) for text in rng.sample(sources.wikipedia("en-us"), 9000)),
        *(("wikipedia", text) for text in rng.sample(sources.wikipedia("fr-fr"), 1500)),
        *(("wikipedia", text) for text in rng.sample(sources.wikipedia("es-es"), 1500)),
        *(("web", text) for text in sources.web_texts()),
        *(("requests", text) for text in sources.real_requests()),
        *(("evals", text) for text in sources.evals_prompts(rng, per_set=90)),
        *(("examination", text) for text in exam),
        *(("subject", text) for text in subjects),
        *(("personal", s.text) for s in pii_data.training_samples(data, 0, 0.4)),
        *(("machine", machine_text(rng)) for _ in range(6000)),
    ]


def training_texts(data: Path) -> tuple[list[Sample], list[Sample]]:
    """Texts to train on, and harmless ones of other sources to set the threshold on.

    Args:
        data: Folder of the shared data files.

    Raises:
        FileNotFoundError: A package of training/requirements-data.txt is missing.
        SystemExit: A data file is missing.
    """
    rng = random.Random(SEED)
    packages = _packages()
    aside = [path for name in _CALIBRATION for path in packages.get(name, [])]
    files = [p for name, paths in packages.items() if name not in _CALIBRATION for p in paths]
    files += sources.training_code()[: len(files) // 2]
    harmless = [*_technical(files, 6000, rng), *_prose(data, rng)]
    harmless = [(kind, sources.crop(text, CHARACTERS, rng)) for kind, text in harmless]
    kept = safety_data.harmless_elsewhere([text for _, text in harmless], data)
    shown = [Sample(harmless[i][1], BENIGN, harmless[i][0]) for i in kept]
    samples = [sample for sample in shown if bucket(sample.text, _ASIDE)]
    kept_aside = [sample for sample in shown if not bucket(sample.text, _ASIDE)]
    kept_aside += [Sample(t, BENIGN, f"other {k}") for k, t in _technical(aside, 600, rng)]
    for epoch in range(EPOCHS):
        samples += safety_data.training_samples(data, epoch)
    rng.shuffle(samples)
    return samples, kept_aside
