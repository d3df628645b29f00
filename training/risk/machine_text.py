"""Text that programs write, made up: logs, traces, requests, tables; benign, and full of odd words.

Hashes, tokens and encoded blobs are common in it, and no attack.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path

from training.spintax import table as read_table

_WORDS = read_table(Path(__file__).with_name("machine_words.txt").read_text(encoding="utf-8"))
_NOUNS, _VERBS = _WORDS["noun"], _WORDS["verb"]
_ENDINGS = (
    "", " by policy", " after {n} ms", " (attempt {n})", ", retrying in {n} s", ": timeout",
    ": permission denied", ": connection reset by peer", " with status {s}", " at offset {n}",
    ", ignoring previous value", ": no such file or directory", " for user {w}", " from {ip}",
    ": invalid instruction", ", {n} bytes", " in {n} rows", " (system)", ", new limit {n}",
    ", override in effect", ": unexpected token", " [hash {h}]", " token={b}", " id={u}",
)  # fmt: skip
_LEVELS = ("DEBUG", "INFO", "INFO", "INFO", "WARN", "WARNING", "ERROR", "FATAL", "TRACE", "notice")
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "curl/8.5.0", "kube-probe/1.29",
    "python-requests/2.32", "Go-http-client/2.0", "Googlebot/2.1",
)  # fmt: skip
_METHODS = ("GET", "GET", "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STATUS = (200, 200, 200, 201, 204, 301, 302, 304, 400, 401, 403, 404, 409, 429, 500, 502, 503)


def _noun(rng: random.Random) -> str:
    return rng.choice(_NOUNS)


def _name(rng: random.Random) -> str:
    parts = [_noun(rng) for _ in range(rng.randint(1, 3))]
    style = rng.random()
    if style < 0.4:
        return rng.choice("-_./").join(parts)
    return "".join(part.capitalize() for part in parts)


def _hex(rng: random.Random, octets: int) -> str:
    return rng.randbytes(octets).hex()


def _blob(rng: random.Random) -> str:
    return base64.b64encode(rng.randbytes(rng.choice((12, 24, 32, 64)))).decode()


def _uuid(rng: random.Random) -> str:
    text = _hex(rng, 16)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _address(rng: random.Random) -> str:
    return ".".join(str(rng.randrange(256)) for _ in range(4))


def _path(rng: random.Random) -> str:
    return "/" + "/".join(_name(rng).lower() for _ in range(rng.randint(1, 4)))


def _event(rng: random.Random) -> str:
    """What happened, in a few words."""
    subject = " ".join([_noun(rng) for _ in range(rng.randint(1, 2))])
    ending = rng.choice(_ENDINGS)
    for mark, make in (
        ("{n}", lambda: str(rng.randrange(5000))), ("{w}", lambda: _noun(rng)),
        ("{s}", lambda: str(rng.choice(_STATUS))), ("{ip}", lambda: _address(rng)),
        ("{h}", lambda: _hex(rng, rng.choice((4, 16, 20, 32)))), ("{b}", lambda: _blob(rng)),
        ("{u}", lambda: _uuid(rng)),
    ):  # fmt: skip
        if mark in ending:
            ending = ending.replace(mark, make())
    return f"{subject} {rng.choice(_VERBS)}{ending}"


def _time(rng: random.Random) -> str:
    month, day, hour = rng.randint(1, 12), rng.randint(1, 28), rng.randrange(24)
    minute, second = rng.randrange(60), rng.randrange(60)
    year = rng.randint(2015, 2026)
    style = rng.random()
    if style < 0.5:
        return (
            f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{rng.randrange(999):03}Z"
        )
    if style < 0.75:
        return f"{year}/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02}"
    return f"{_MONTHS[month - 1]} {day} {hour:02}:{minute:02}:{second:02}"


def service_log(rng: random.Random) -> str:
    """Return lines of a service's log."""
    style = rng.randrange(4)
    lines = []
    for _ in range(rng.randint(5, 25)):
        level, where, event = rng.choice(_LEVELS), _name(rng), _event(rng)
        if style == 0:
            lines.append(f"{_time(rng)} {level} [{where}] {event}")
        elif style == 1:
            host = f"{_noun(rng)}{rng.randrange(20)}"
            lines.append(f"{_time(rng)} {host} {where}[{rng.randrange(999)}]: {event}")
        elif style == 2:
            lines.append(f"[{level.lower()}] {event} (thread {rng.randrange(64)})")
        else:
            pairs = " ".join(
                f"{_noun(rng)}={rng.choice((_noun(rng), rng.randrange(999)))}" for _ in range(3)
            )
            lines.append(f'level={level.lower()} ts={_time(rng)} msg="{event}" {pairs}')
    return "\n".join(lines)


def access_log(rng: random.Random) -> str:
    """Return lines of a web server's log."""
    return "\n".join(
        f'{_address(rng)} - - [{_time(rng)}] "{rng.choice(_METHODS)} {_path(rng)}?'
        f'{_noun(rng)}={rng.choice((_hex(rng, 8), _noun(rng)))} HTTP/1.1" {rng.choice(_STATUS)} '
        f'{rng.randrange(90000)} "-" "{rng.choice(_AGENTS)}"'
        for _ in range(rng.randint(5, 20))
    )


def stack_trace(rng: random.Random) -> str:
    """Return a Java or Python trace."""
    if rng.random() < 0.5:
        frames = "\n".join(
            f"\tat com.{_noun(rng)}.{_name(rng)}.{_noun(rng)}({_name(rng)}:{rng.randrange(900)})"
            for _ in range(rng.randint(4, 20))
        )
        return f"java.lang.{_noun(rng).capitalize()}Exception: {_event(rng)}\n{frames}"
    frames = "\n".join(
        f'  File "{_path(rng)}.py", line {rng.randrange(900)}, in {_noun(rng)}_{_noun(rng)}\n'
        f"    {_noun(rng)} = self._{_noun(rng)}({_noun(rng)}, {_noun(rng)}={rng.randrange(99)})"
        for _ in range(rng.randint(2, 10))
    )
    error = f"{_noun(rng).capitalize()}Error: {_event(rng)}"
    return f"Traceback (most recent call last):\n{frames}\n{error}"


def records(rng: random.Random) -> str:
    """Return rows as JSON, in one piece or in lines."""

    def value() -> object:
        makers: tuple[Callable[[], object], ...] = (
            lambda: rng.randrange(100_000), lambda: round(rng.random() * 900, 2),
            lambda: rng.random() < 0.5, lambda: None, lambda: _uuid(rng), lambda: _blob(rng),
            lambda: _hex(rng, 32), lambda: _time(rng), lambda: _name(rng), lambda: _event(rng),
            lambda: _path(rng), lambda: _address(rng), lambda: [_noun(rng) for _ in range(3)],
        )  # fmt: skip
        return rng.choice(makers)()

    keys = rng.sample(_NOUNS, rng.randint(3, 8))
    rows = [{key: value() for key in keys} for _ in range(rng.randint(3, 15))]
    if rng.random() < 0.5:
        return "\n".join(json.dumps(row) for row in rows)
    return json.dumps({rng.choice(_NOUNS): rows}, indent=rng.choice((None, 2, 4)))


def settings(rng: random.Random) -> str:
    """Return a configuration in YAML, INI or environment variables."""
    style = rng.randrange(3)
    lines = []
    for _ in range(rng.randint(3, 8)):
        head = _noun(rng)
        lines.append((f"{head}:", f"[{head}]", f"# {_event(rng)}")[style])
        for _ in range(rng.randint(1, 6)):
            key = f"{_noun(rng)}_{_noun(rng)}"
            value = rng.choice(
                (str(rng.randrange(9000)), "true", _path(rng), _name(rng), _hex(rng, 16))
            )
            lines.append((f"  {key}: {value}", f"{key} = {value}", f"{key.upper()}={value}")[style])
    return "\n".join(lines)


def table(rng: random.Random) -> str:
    """Return rows of numbers and short words."""
    mark = rng.choice((",", ";", "\t", " | ", "  "))
    width = rng.randint(3, 9)
    rows = [mark.join(rng.sample(_NOUNS, width))]
    for _ in range(rng.randint(5, 25)):
        cells = (
            rng.choice(
                (f"{rng.random() * 1000:.2f}", str(rng.randrange(9999)), _noun(rng), _time(rng), "")
            )
            for _ in range(width)
        )
        rows.append(mark.join(cells))
    return "\n".join(rows)


def checks(rng: random.Random) -> str:
    """Return the output of tests, of a build or of checksums."""
    style = rng.randrange(3)
    lines = []
    for _ in range(rng.randint(5, 25)):
        if style == 0:
            outcome = rng.choice(("PASSED", "PASSED", "FAILED", "SKIPPED", "ok"))
            lines.append(
                f"tests/test_{_noun(rng)}.py::test_{_noun(rng)}_{rng.choice(_VERBS)} {outcome}"
            )
        elif style == 1:
            lines.append(f"{_hex(rng, 32)}  {_path(rng)[1:]}")
        else:
            lines.append(f"[{rng.randrange(100)}%] Building {_name(rng)} ({rng.randrange(900)} ms)")
    return "\n".join(lines)


MAKERS: tuple[Callable[[random.Random], str], ...] = (
    service_log, service_log, access_log, stack_trace, records, records, settings, table, checks,
)  # fmt: skip


def machine_text(rng: random.Random) -> str:
    """Return one text of a random kind."""
    return rng.choice(MAKERS)(rng)
