"""English text for measurements: what every Python installation carries, mixed anew each time.

Paragraphs of the language reference (`pydoc_data.topics`) and of the standard library's docstrings
are drawn without replacement for each text, so no two texts are the same and none repeats itself.
Docstrings of installed packages can be added where longer texts are wanted.
"""

from __future__ import annotations

import ast
import random
import re
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from pydoc_data.topics import topics

from tokenizers import Tokenizer

from pointsman import paths

PACKAGES = ("numpy", "scipy", "sklearn", "networkx", "matplotlib")
"""Whose docstrings give English enough for a million tokens without repetition."""
_SHORTEST = 120


class Prose:
    """Draws texts of a wanted length.

    Args:
        seed: the same seed gives the same sequence of texts on the same Python.
        packages: names of packages whose docstrings are drawn from, too.
    """

    def __init__(self, seed: int, packages: Iterable[str] = ()) -> None:
        self._tokenizer = Tokenizer.from_file(
            str(paths.model_repository() / "encoder" / "1" / "tokenizer.json")
        )
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._random = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        paragraphs = sorted(
            {*_reference(), *_docstrings(_standard_library()), *_docstrings(_sources(packages))}
        )
        encoded = self._tokenizer.encode_batch_fast(paragraphs, add_special_tokens=False)
        self._paragraphs = [(text, len(e.ids)) for text, e in zip(paragraphs, encoded, strict=True)]

    def draw(self, tokens: int) -> str:
        """Return paragraphs, separated by empty lines, of about `tokens` tokens."""
        chosen = []
        total = 0
        for index in self._random.sample(range(len(self._paragraphs)), len(self._paragraphs)):
            text, length = self._paragraphs[index]
            chosen.append(text)
            total += length
            if total >= tokens:
                # Cut the last paragraph, so that short texts are not much too long.
                words = chosen[-1].split(" ")
                keep = len(words) * (tokens - total + length) // length + 1
                chosen[-1] = " ".join(words[:keep])
                return "\n\n".join(chosen)
        raise ValueError(f"this Python has only {total} tokens of English, not {tokens}")

    def count(self, text: str) -> int:
        """Return the number of wordpieces of a text, without special tokens."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


def _reference() -> Iterator[str]:
    for topic in topics.values():
        yield from _readable(topic)


def _standard_library() -> list[Path]:
    return sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))


def _sources(packages: Iterable[str]) -> Iterator[Path]:
    for name in packages:
        spec = find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise ValueError(f"there is no package {name!r} to draw text from")
        for folder in spec.submodule_search_locations:
            found = sorted(Path(folder).rglob("*.py"))
            yield from (path for path in found if "tests" not in path.parts)


def _docstrings(sources: Iterable[Path]) -> Iterator[str]:
    for source in sources:
        for node in ast.walk(ast.parse(source.read_bytes())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                yield from _readable(ast.get_docstring(node) or "")


def _readable(text: str) -> Iterator[str]:
    """Yield the paragraphs that are sentences, and not code or tables."""
    for paragraph in re.split(r"\n\s*\n", text):
        flat = " ".join(paragraph.split())
        letters = sum(character.isalpha() or character == " " for character in flat)
        if len(flat) >= _SHORTEST and letters > 0.9 * len(flat):
            yield flat
