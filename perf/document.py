"""One JSON document for all parts of a benchmark: raw samples, and what they were measured on.

Each part is a key (``stages``, ``load``, ``memory``, ``curve``, ``waterfall``); ``made`` says for
each part when, in how many seconds, with which settings, of which revision, on which machine. A
part that is not measured anew keeps what it was.

Wherever in a part it stands, an object with raw samples is a cell of ``perf/compare.py``:

- ``samples_ms`` or ``samples_mib``: what was measured, in the order in which it was;
- the keys of ``KEYS`` that tell it from other cells of its part (``tokens``: those wanted, the
  same in each run, not those that a text happened to have);
- ``texts``: ``digest`` of the texts asked about, one a sample, in the order of the samples, where
  there is one. Where it is the same in both runs, samples are compared in pairs.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import machine
import typer

RESULTS = Path(__file__).parent / "results"
KEYS = ("stage", "mode", "mix", "name", "tokens", "concurrency")
"""What can tell cells apart."""

Document = dict[str, Any]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer and shorter texts.")]
Output = Annotated[
    Path | None,
    typer.Option(help="JSON to write.", show_default="perf/results/<date>-<host>[-quick].json"),
]
_QUICK = "-quick"


def of_today(quick: bool) -> Path:
    """Return where the results of this day and host go; quick ones never replace full ones."""
    day = datetime.now(timezone.utc).date()
    return RESULTS / f"{day}-{platform.node()}{_QUICK if quick else ''}.json"


def newest(folder: Path = RESULTS) -> Path:
    """Return the document of the latest day, a full one; FileNotFoundError if there is none."""
    found = folder.glob("20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]-*.json")
    full = sorted(path for path in found if not path.stem.endswith(_QUICK))
    if not full:
        raise FileNotFoundError(f"{folder} has no <date>-<host>.json: `make bench` writes one")
    return full[-1]


def read(path: Path) -> Document:
    """Return a document; ValueError if the file is none."""
    try:
        document: Document = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if "made" not in document:
        raise ValueError(f"{path}: not written by perf/bench.py: it has no key `made`")
    return document


def record(part: str, measure: Callable[[bool], Any], quick: bool, output: Path | None) -> Path:
    """Measure a part and write it into its document; return the document's path.

    Args:
        part: key of the document.
        measure: takes ``quick``, returns what JSON can hold.
        quick: whether few and short texts will do.
        output: the document; default: that of this day and host.
    """
    path = output or of_today(quick)
    document = read(path) if path.is_file() else {"made": {}}
    described = machine.describe()
    begun, at = time.monotonic(), datetime.now(timezone.utc).isoformat(timespec="seconds")
    document[part] = measure(quick)
    seconds = round(time.monotonic() - begun, 1)
    document["made"][part] = {"at": at, "seconds": seconds, "quick": quick, **described}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path


def digest(texts: Iterable[str]) -> str:
    """Return 16 hexadecimal digits that tell one sequence of texts from another."""
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return hashlib.sha256(b"".join(digests)).hexdigest()[:16]
