"""The compressor, measured: time, agreement of verdicts, and texts made to hurt.

- time: by length of English text, on one thread, with steps, memory and growth.
- agreement: what the router says of long prompts with something planted in them, compressed and
  whole, and compressed as arXiv 2603.12646 publishes it (re-implemented).
- profiles: the same agreement with each of the shipped profiles.
- adversarial: time beside plain English of the same size, and whether a hidden attack is read.

All but time read the held-out texts that .venv-train's packages carry; whole texts
take seconds each, so their verdicts are remembered under build/compression/. A part that is not
measured keeps its figures of the last time.

Usage: ``PYTHONPATH=. PYTHONUSERBASE=.venv-train .venv/bin/python perf/compression.py``
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import compression_report as report
import machine
import typer
from threadpoolctl import threadpool_limits

from pointsman import paths
from pointsman_backends.compressor import PROFILES, Compressor

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "build" / "compression" / "uncompressed.jsonl"
CLASSIFIERS = ("safety_classifier", "domain_classifier", "pii_classifier")
SEED = 60
PROMPTS = 600
ATTACKS = 12
"""Held-out attacks hidden in each adversarial text."""
LONGEST_ATTACK = 120
"""Tokens of the longest of them."""


class Part(str, Enum):
    """What can be measured by itself."""

    TIME = "time"
    AGREEMENT = "agreement"
    PROFILES = "profiles"
    ADVERSARIAL = "adversarial"


def main(
    part: Annotated[list[Part] | None, typer.Option(help="Measure this part only.")] = None,
    prompts: Annotated[
        int, typer.Option(min=1, help="Prompts of the agreement; fewer are a stratified choice.")
    ] = PROMPTS,
    data: Annotated[Path, typer.Option(help="Folder of the shared data.")] = ROOT.parent
    / "shared"
    / "data",
    output: Annotated[Path, typer.Option(help="JSON to write.")] = report.RESULTS,
) -> None:
    """Measure, write the JSON, the page and the pictures."""
    results: dict[str, Any] = {}
    if output.is_file():
        results = json.loads(output.read_text(encoding="utf-8"))
    repository = paths.model_repository()
    measures: dict[Part, Callable[[], dict[str, Any]]] = {
        Part.TIME: lambda: measure_time(repository),
        Part.AGREEMENT: lambda: measure_agreement(repository, data, prompts),
        Part.PROFILES: lambda: measure_profiles(repository, data, prompts),
        Part.ADVERSARIAL: lambda: measure_adversarial(repository, data),
    }
    for name in part or list(Part):
        described = machine.describe()
        results[name.value] = {"machine": described, **measures[name]()}
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    report.write(results)


def maker(repository: Path) -> Callable[[], Compressor]:
    """Return what makes a compressor that has seen no text; it refuses none for its length."""
    return lambda: Compressor.from_repository(repository, CLASSIFIERS, max_text_bytes=64 << 20)


def measure_time(repository: Path) -> dict[str, Any]:
    """Measure time and memory."""
    import compression_time

    with threadpool_limits(1):
        return compression_time.measure(maker(repository), SEED)


def check_packages() -> None:
    """Raise typer.BadParameter unless the packages with the held-out texts are found."""
    from training.safety.sources import package_folder

    try:
        package_folder("bastioncorpus")
    except FileNotFoundError as error:
        raise typer.BadParameter(
            f"{error}, and name their environment: PYTHONUSERBASE=.venv-train"
        ) from None


def measure_agreement(repository: Path, data: Path, prompts: int) -> dict[str, Any]:
    """Measure agreement."""
    # Imported here, so that times need no data packages and pictures no models.
    import compression_agreement
    import compression_prompts

    check_packages()
    judge = compression_agreement.Judge(repository)
    bank = compression_prompts.Bank.load(data, judge.served.count)
    return {"rows": list(compression_agreement.measure(judge, bank, data, range(prompts), CACHE))}


def measure_profiles(repository: Path, data: Path, prompts: int) -> dict[str, Any]:
    """Measure agreement and correctness with each profile; counts alone are kept."""
    import compression_agreement
    import compression_counts as counts
    import compression_prompts

    check_packages()
    judge = compression_agreement.Judge(repository)
    bank = compression_prompts.Bank.load(data, judge.served.count)
    rows = list(compression_agreement.measure_profiles(judge, bank, data, range(prompts), CACHE))
    return {
        "prompts": len(rows),
        "truncated": {name: sum(row[name]["truncated"] for row in rows) for name in PROFILES},
        **{
            key: {
                figure: {name: asdict(found[name]) for name in PROFILES}
                for figure, found in figures(rows, tuple(PROFILES)).items()
            }
            for key, figures in (
                ("agreement", counts.agreement),
                ("correctness", counts.correctness),
            )
        },
    }


def measure_adversarial(repository: Path, data: Path) -> dict[str, Any]:
    """Measure texts made to hurt."""
    import compression_adversarial
    import compression_agreement
    import compression_prompts

    check_packages()
    judge = compression_agreement.Judge(repository)
    count = judge.served.count
    bank = compression_prompts.Bank.load(data, count)
    found = [
        text
        for source in (compression_prompts.BASTION, compression_prompts.WILD)
        for text in [text for text in bank.attacks[source] if count(text) <= LONGEST_ATTACK][
            : ATTACKS // 2
        ]
    ]
    with threadpool_limits(1, user_api="blas"):
        rows = compression_adversarial.measure(judge, maker(repository), found, SEED)
    return {"rows": rows}


if __name__ == "__main__":
    typer.run(main)
