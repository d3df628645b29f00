"""The shared data files: one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSON-lines file.

    Raises:
        SystemExit: the file is missing; the message says how to point at the data.
    """
    if not path.is_file():
        raise SystemExit(f"no training data at {path}: pass its folder with --data DIR")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
