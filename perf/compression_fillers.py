"""Six kinds of benign text to hide things in: prose, code, logs, chats, legal text and Chinese.

Read from installed packages or generated, and apart from what the models are trained on: prose,
chats and Chinese are of BIG-bench (for measuring only, never trained on), code is of packages that
training leaves out, legal text is licences of packages and decisions of courts and commissions that
`evals` carries. All packages are those of the environment that `PYTHONUSERBASE` names, which
training/requirements*.txt pin: the same prompts come out whatever else is installed.
"""

from __future__ import annotations

import json
import random
import re
import site
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from training.evaluation.length import paragraphs
from training.jsonl import read_jsonl
from training.safety import sources

Document = list[str]
"""Paragraphs."""

_SHORTEST = 40
"""Characters of a paragraph; shorter ones are headings and page numbers."""


def benchmark() -> Path:
    """Folder of BIG-bench's tasks.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    return sources.package_folder("bigbench") / "benchmark_tasks"


@cache
def _passages(name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Paragraphs of SQuAD-Shifts, each with the questions about it."""
    data = json.loads((benchmark() / "squad_shifts" / f"{name}_v1.0.json").read_text("utf-8"))
    return tuple(
        (part["context"], tuple(qa["question"] for qa in part["qas"]))
        for article in data["data"]
        for part in article["paragraphs"]
    )


def prose(rng: random.Random) -> Iterator[Document]:
    """Newspaper, encyclopaedia and READMEs of packages."""
    articles = [text for name in ("nyt", "new_wiki") for text, _ in _passages(name)]
    readmes = [
        paragraphs(text) for text in sources.package_descriptions([site.getusersitepackages()])
    ]
    rng.shuffle(articles)
    rng.shuffle(readmes)
    for number, article in enumerate(articles):
        yield [article]
        if number % 12 == 0 and readmes:
            yield readmes.pop()


def code(rng: random.Random) -> Iterator[Document]:
    """Python files of packages that training never shows."""
    files = list(sources.held_out_code())
    rng.shuffle(files)
    for path in files:
        blocks = paragraphs(path.read_text(encoding="utf-8", errors="replace"))
        if len(blocks) > 5:
            yield blocks[rng.randrange(len(blocks) // 2) :]


@cache
def _vocabulary() -> tuple[str, ...]:
    text = " ".join(text for text, _ in _passages("new_wiki"))
    return tuple(sorted(set(re.findall(r"\b[a-z]{4,9}\b", text))))


def logs(rng: random.Random) -> Iterator[Document]:
    """Log files: each has a format, components and messages of its own, drawn from a vocabulary."""
    while True:
        yield list(_log_file(rng, rng.choice(_FORMATS)))


Line = Callable[[random.Random, str, str], str]


def _log_file(rng: random.Random, line: Line) -> Iterator[str]:
    names = rng.sample(_vocabulary(), 60)
    parts = ["-".join(rng.sample(names, rng.choice((1, 2)))) for _ in range(8)]
    messages = [_message(rng, names) for _ in range(25)]
    for _ in range(rng.randrange(5, 15)):
        yield "\n".join(
            line(rng, rng.choice(parts), _filled(rng, rng.choice(messages)))
            for _ in range(rng.randrange(6, 25))
        )


def _message(rng: random.Random, names: list[str]) -> str:
    one, two, three, four = rng.sample(names, 4)
    return rng.choice(
        (
            f"{one} of {two} took <ms> ms",
            f"cannot {one} {two} <id>: {three} {four} (retry <n>)",
            f"{one}=<n> {two}=<id> {three}=<n> status={four}",
            f"GET /{one}/{two}/<id>?{three}=<n> 200 <n>",
            f"POST /api/v<n>/{one}/{two} 201 <n>",
            f"{one}: <n> {two} in {three}, <n> {four}",
            f"warning: {one} {two} is deprecated, use {three} {four}",
            f"at org.{one}.{two}.{three.title()}{four.title()}.run({three.title()}.java:<n>)",
            f"started {one} {two} with pid <n>",
            f'level=info caller={one}.go:<n> msg="{two} {three}" {four}=<id>',
        )
    )


def _filled(rng: random.Random, message: str) -> str:
    message = re.sub("<n>", lambda _: str(rng.randrange(10 ** rng.randrange(1, 6))), message)
    message = re.sub("<ms>", lambda _: f"{rng.uniform(0.1, 900):.1f}", message)
    return re.sub("<id>", lambda _: f"{rng.getrandbits(48):012x}", message)


def _time(rng: random.Random) -> str:
    return f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"


def _plain(rng: random.Random, part: str, message: str) -> str:
    level = rng.choices(("INFO", "DEBUG", "WARN", "ERROR"), (8, 4, 2, 1))[0]
    return (
        f"2026-0{rng.randrange(1, 10)}-1{rng.randrange(10)} {_time(rng)} {level} [{part}] {message}"
    )


def _syslog(rng: random.Random, part: str, message: str) -> str:
    host = f"node{rng.randrange(40)}"
    return (
        f"Mar {rng.randrange(1, 29):2} {_time(rng)} {host} {part}[{rng.randrange(9999)}]: {message}"
    )


def _json_line(rng: random.Random, part: str, message: str) -> str:
    row = {"ts": _time(rng), "svc": part, "trace": f"{rng.getrandbits(64):016x}", "msg": message}
    return json.dumps(row)


def _access(rng: random.Random, part: str, message: str) -> str:
    address = f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"
    return f'{address} - - [12/Mar/2026:{_time(rng)} +0000] "{message}" {part} {rng.random():.3f}'


_FORMATS: tuple[Line, ...] = (_plain, _syslog, _json_line, _access)


def log_line(rng: random.Random, message: str) -> tuple[str, int]:
    """A line with the message in it, and where in the line it begins."""
    before = f"2026-03-12 {_time(rng)} INFO [gateway] request {rng.getrandbits(32):08x} body: "
    return before + message, len(before)


@cache
def _instructions(data: Path) -> tuple[str, ...]:
    return sources.alpaca_eval(data)


def chats(rng: random.Random, data: Path) -> Iterator[Document]:
    """Conversations, a paragraph for each message: questions about passages, and instructions."""
    passages = [
        part for name in ("reddit", "amazon_reviews", "new_wiki") for part in _passages(name)
    ]
    instructions = list(_instructions(data))
    rng.shuffle(passages)
    rng.shuffle(instructions)
    for number, (text, questions) in enumerate(passages):
        if number % 4 == 0:
            yield [instructions[number // 4 % len(instructions)], text]
        elif questions:
            yield [rng.choice(questions), text]


_SKIPPED_LICENCES = re.compile(r"\.(py|pyc|so)$")


@cache
def _legal() -> tuple[str, ...]:
    """Paragraphs of licences and decisions, none twice."""
    folder = Path(site.getusersitepackages())
    files = {
        path
        for pattern in ("*LICEN[CS]E*", "*COPYING*", "*NOTICE*")
        for path in folder.rglob(pattern)
        if path.is_file() and not _SKIPPED_LICENCES.search(path.name)
    }
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in sorted(files)]
    registry = sources.package_folder("evals") / "registry" / "data"
    for name in ("singapore_data_protection_decisions", "us_tort_law"):
        for path in sorted((registry / name).glob("samples.jsonl")):
            texts += [row["input"][-1]["content"] for row in read_jsonl(path)]
    flat = {" ".join(p.split()): p for text in texts for p in paragraphs(text)}
    return tuple(text for key, text in flat.items() if len(key) >= _SHORTEST)


def legal(rng: random.Random) -> Iterator[Document]:
    """Stretches of licences and decisions."""
    whole = _legal()
    size = 20
    starts = list(range(0, len(whole), size))
    rng.shuffle(starts)
    for start in starts:
        yield list(whole[start : start + size])


@cache
def _chinese() -> tuple[str, ...]:
    folder = benchmark() / "multiemo"
    texts: dict[str, None] = {}
    for name in ("hotels", "medicine", "products", "reviews"):
        task = json.loads((folder / f"{name}_text_zh" / "task.json").read_text("utf-8"))
        texts.update(dict.fromkeys(row["input"].strip() for row in task["examples"]))
    return tuple(text for text in texts if len(text) >= _SHORTEST)


def chinese(rng: random.Random) -> Iterator[Document]:
    """Reviews in Chinese."""
    for text in rng.sample(_chinese(), len(_chinese())):
        yield [text]


KINDS = ("prose", "code", "logs", "chat", "legal", "chinese")


def documents(kind: str, data: Path, rng: random.Random) -> Iterable[Document]:
    """Documents of one of KINDS, in an order that ``rng`` draws; none comes twice."""
    if kind == "chat":
        return chats(rng, data)
    return {"prose": prose, "code": code, "logs": logs, "legal": legal, "chinese": chinese}[kind](
        rng
    )
