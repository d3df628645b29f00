"""The paper's staircase on this machine: from body bytes to decision, one stage after another.

- 0, unfused: the encoder's attention written out (products, mask, softmax), the whole prompt read,
  the body buffered, parsed and written anew by ``json``.
- 1, op: the same with the flash-attention op.
- 2, compression: the same with the default token budget.
- 3, body: the same with the shipped body handling (``pointsman.body``).

Each stage is a switch of what is shipped. Stages 1 to 3 ask one server; stage 0 has its own at each
length, whose encoder is made of the shipped one's weights. ONNX Runtime folds that encoder's scale
into the product; it runs on as many threads as the shipped one, and, unlike that, with the memory
arena, which makes it faster: without, about half of its time at 4,096 tokens goes into getting the
pages of the scores from the kernel. Memory patterns, which hold twice as much and save no time, are
off. Where memory does not suffice for the arena it goes without; where it does not suffice in
either way the stage is refused, with the octets it needs.

All stages get the same bodies in turn: paragraphs of English with one of docs/examples somewhere
among them, none twice. A slow stage sees the first of them alone. A stage agrees where action,
safety label and domain are those of the first stage that could run, which read the whole prompt.

Usage: ``python perf/stages.py [--quick] [--output FILE.json]``
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import document
import numpy as np
import onnx
import processes
import psutil
import resident
import serving
import stages_report as report
import typer
from classifiers import without_op
from independent import config_of, write_config
from prose import Prose
from rich.progress import track

from pointsman import Decision, Router, parse_chat, paths
from pointsman.body import RequestBody
from pointsman.embedded import EmbeddedTriton

LENGTHS, QUICK_LENGTHS = (512, 2_048, 8_192, 16_384, 32_768), (512, 2_048)
TEXTS, QUICK_TEXTS = 40, 12
"""Bodies of one length, at most, each asked once of every stage."""
SECONDS, QUICK_SECONDS = 16.0, 3.0
FEWEST = 2
"""A stage gets no more bodies of a length once they have taken so long, and are so many."""
WHOLE = (0, 1)
"""Stages that read all of a prompt."""
WARMED = 4_096
"""Longer texts take these stages too long for one more: stage 0's first took 6 % longer than its
second, stage 1 has read shorter ones by then."""
CHUNK = 65_536
"""Octets of a body that arrive at once."""
EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
LONGEST_WORD = 100
SYSTEM = "You are a helpful assistant."
SPECIAL, SHORT = 2, 64
"""Tokens that are added to a text, and by how many a text may be shorter than wanted."""
HEADS = 12
HELD = {"arena": 200, "no arena": 115}
"""Octets for each pair of tokens that stage 0 needs: with the arena the most that it was seen to
hold at 2,048 to 8,192 tokens (195), without it what it held at 4,096 (107 to 111), rounded up.
`peak_bytes` of the rows says it anew. Two float32 copies of all heads' scores are 96 of them."""
SPARE_BYTES = 2**30
"""Left to everything else on the machine."""
TIMEOUT_S = 900.0
SEED = 70

Ask = Callable[[Sequence[bytes]], Decision]
Row = dict[str, Any]


class Sample(NamedTuple):
    """One body asked of one stage."""

    ms: float
    verdict: tuple[str, str, str]
    counted: int
    read: int


def examples() -> list[str]:
    """Return the user messages of docs/examples, but for those with words that have no end.

    WordPiece makes one unknown token of a word of over 100 characters; the server reads all of it.
    """
    texts = []
    for path in sorted(EXAMPLES.glob("*.json")):
        for message in json.loads(path.read_bytes())["messages"]:
            content = message["content"]
            if message["role"] == "user" and isinstance(content, str):
                texts.append(content)
    return [text for text in texts if max(map(len, text.split())) <= LONGEST_WORD]


def chat(drawn: str, planted: str, depth: float) -> bytes:
    """Return a request with a text planted between the paragraphs of another, 0 first, 1 last."""
    paragraphs = drawn.split("\n\n")
    paragraphs.insert(int(depth * (len(paragraphs) + 1)), planted)
    request = {
        "model": "auto",
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": "\n\n".join(paragraphs)},
        ],
        "stream": True,
    }
    return json.dumps(request).encode()


def body(prose: Prose, planted: str, tokens: int, chance: random.Random) -> bytes:
    """Return a chat request of so many tokens, or a few less, with a text planted at any depth."""
    room, depth = tokens - SPECIAL, chance.random()
    # Rather a little less than too much, which would have to be counted twice.
    drawn = prose.draw(room - SHORT // 4 - prose.count(SYSTEM) - prose.count(planted))
    raw = chat(drawn, planted, depth)
    counted = prose.count(parse_chat(raw).text)
    if counted > room:  # a word has at least one token
        raw = chat(" ".join(drawn.split(" ")[: room - counted]), planted, depth)
        counted = prose.count(parse_chat(raw).text)
    if not room - SHORT <= counted <= room:
        raise RuntimeError(f"a prompt of {tokens} tokens came out as {counted}")
    return raw


def bodies(prose: Prose, tokens: int, texts: int) -> Iterator[bytes]:
    """Yield bodies of one length; the same on each run."""
    chance = random.Random(SEED + tokens)  # noqa: S311 (repeatable, not secret)
    planted = [text for text in examples() if prose.count(text) <= tokens // 2]
    chance.shuffle(planted)
    for nth in range(texts):
        yield body(prose, planted[nth % len(planted)], tokens, chance)


def scores_bytes(tokens: int) -> int:
    """Return the octets of one layer's attention scores, before and after the softmax."""
    return 2 * HEADS * tokens**2 * 4


def roomy(tokens: int, free: int) -> str | None:
    """Return the fastest way in which stage 0 fits into so many octets; None if it does not."""
    ways = (way for way, octets in HELD.items() if octets * tokens**2 + SPARE_BYTES <= free)
    return next(ways, None)


def buffered(router: Router, budget: int | None) -> Ask:
    """Handle a body the plain way: parse it whole, change it, write it anew."""

    def ask(chunks: Sequence[bytes]) -> Decision:
        request = json.loads(b"".join(chunks))
        decision = router.route(request, budget=budget)
        if decision.model is not None:
            request["model"] = decision.model
            json.dumps(request).encode()
        return decision

    return ask


def near_streaming(router: Router) -> Ask:
    """Handle a body as the gateway does."""

    def ask(chunks: Sequence[bytes]) -> Decision:
        arriving = RequestBody()
        for chunk in chunks:
            arriving.feed(chunk)
            _ = arriving.model
        request = arriving.finish()
        decision = router.route(request)
        if decision.model is not None:
            request.edited(model=decision.model)
        return decision

    return ask


@contextmanager
def unfused_repository(way: str) -> Iterator[Path]:
    """Copy the model repository, with the encoder's attention written out; yield the copy.

    Args:
        way: key of `HELD`.
    """
    with tempfile.TemporaryDirectory(prefix="pointsman-stages-") as scratch:
        copy = Path(shutil.copytree(paths.model_repository(), Path(scratch) / "model_repository"))
        model = copy / "encoder" / "1" / "model.onnx"
        onnx.save(without_op(onnx.load(str(model))), str(model))
        config = config_of(copy / "encoder")
        config.parameters["enable_mem_arena"].string_value = "1" if way == "arena" else "0"
        config.parameters["enable_mem_pattern"].string_value = "0"
        write_config(copy / "encoder", config)
        yield copy


def encoder_bytes(server: EmbeddedTriton, field: str) -> int:
    """Return a field of the memory of the encoder's process, as /proc/PID/status calls it."""
    (pid,) = (pid for pid, role in processes.tree(server.pid).items() if role == "encoder")
    return resident.fields(Path(f"/proc/{pid}/status").read_text())[field] * 1024


def sample(ask: Ask, raw: bytes, *, whole: bool) -> Sample:
    """Ask once; RuntimeError unless all checks ran, on as much of the text as they should."""
    chunks = [raw[start : start + CHUNK] for start in range(0, len(raw), CHUNK)]
    begin = time.perf_counter()
    decision = ask(chunks)
    ms = (time.perf_counter() - begin) * 1e3
    serving.check(decision, whole=whole)
    coverage = decision.coverage
    verdict = decision.action, decision.safety.label, decision.domain.label
    return Sample(ms, verdict, coverage.tokens, coverage.classified_tokens)


def in_turn(
    asks: dict[int, Ask], texts: Iterable[bytes], seconds: float, cold: Container[int] = ()
) -> dict[int, list[Sample]]:
    """Ask every stage about the same texts, in turn.

    Args:
        asks: a function for each stage.
        texts: the first one warms up.
        seconds: a stage whose texts have taken so long gets no more of them once it had `FEWEST`.
        cold: stages that are not warmed up.

    Returns:
        A sample for each text but the first, of each stage.
    """
    samples: dict[int, list[Sample]] = {stage: [] for stage in asks}
    for nth, raw in enumerate(texts):
        for stage, ask in asks.items():
            taken = samples[stage]
            if not nth and stage in cold:
                continue
            if len(taken) >= FEWEST and sum(each.ms for each in taken) >= seconds * 1e3:
                continue
            asked = sample(ask, raw, whole=stage in WHOLE)
            if nth:
                taken.append(asked)
    return samples


def summary(stage: int, tokens: int, samples: dict[int, list[Sample]], texts: list[str]) -> Row:
    """Return one cell of the table.

    Args:
        stage: which.
        tokens: how long the texts are.
        samples: of each stage, of the first texts, at one of `WHOLE` for each text compared.
        texts: the texts of the samples.
    """
    taken = samples[stage]
    readers = [samples[other] for other in WHOLE if other in samples]
    truth = [
        next(read[nth].verdict for read in readers if nth < len(read))
        for nth in range(max(map(len, readers)))
    ]
    same = [each.verdict == right for each, right in zip(taken, truth, strict=False)]
    p50, p95, p99 = np.percentile([each.ms for each in taken], [50, 95, 99])
    return {
        "stage": stage,
        "name": report.STAGES[stage],
        "tokens": tokens,
        "p50_ms": round(float(p50), 3),
        "p95_ms": round(float(p95), 3),
        "p99_ms": round(float(p99), 3),
        "agreement": round(float(np.mean(same)), 4),
        "compared": len(same),
        "counted": round(float(np.median([each.counted for each in taken]))),
        "read": round(float(np.median([each.read for each in taken]))),
        "samples_ms": [round(each.ms, 3) for each in taken],
        "texts": document.digest(texts[: len(taken)]),
    }


def refused(tokens: int, free: int) -> Row:
    """Return the cell of stage 0 where it has no room."""
    return {
        "stage": 0,
        "name": report.STAGES[0],
        "tokens": tokens,
        **dict.fromkeys(("p50_ms", "p95_ms", "p99_ms", "agreement")),
        "needs_bytes": min(HELD.values()) * tokens**2,
        "scores_bytes": scores_bytes(tokens),
        "free_bytes": free,
    }


def at_length(shipped: Router, tokens: int, texts: int, seconds: float, prose: Prose) -> list[Row]:
    """Ask every stage about the same bodies of one length."""
    asks = {1: buffered(shipped, -1), 2: buffered(shipped, None), 3: near_streaming(shipped)}
    asked = list(bodies(prose, tokens, 1 + texts))
    timed = [raw.decode() for raw in asked[1:]]
    shown = track(asked, f"{tokens:,} tokens", transient=True)
    cold = WHOLE if tokens > WARMED else ()
    free = psutil.virtual_memory().available
    way = roomy(tokens, free)
    if way is None:
        samples = in_turn(asks, shown, seconds, cold)
        return [refused(tokens, free), *(summary(each, tokens, samples, timed) for each in asks)]
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedTriton(stack.enter_context(unfused_repository(way))))
        router = stack.enter_context(Router(server.grpc_url, timeout_s=TIMEOUT_S))
        idle = encoder_bytes(server, "VmRSS")
        asks = {0: buffered(router, -1), **asks}
        samples = in_turn(asks, shown, seconds, cold)
        peak = encoder_bytes(server, "VmHWM") - idle
    rows = [summary(each, tokens, samples, timed) for each in asks]
    rows[0] |= {"memory": way, "peak_bytes": peak, "scores_bytes": scores_bytes(tokens)}
    return rows


def measure(quick: bool) -> list[Row]:
    """Measure all stages at all lengths; return a row for each."""
    lengths = QUICK_LENGTHS if quick else LENGTHS
    texts, seconds = (QUICK_TEXTS, QUICK_SECONDS) if quick else (TEXTS, SECONDS)
    prose = Prose(SEED)
    with EmbeddedTriton() as server, Router(server.grpc_url, timeout_s=TIMEOUT_S) as shipped:
        return [
            row for tokens in lengths for row in at_length(shipped, tokens, texts, seconds, prose)
        ]


def main(quick: document.Quick = False, output: document.Output = None) -> None:
    """Measure the staircase."""
    path = document.record("stages", measure, quick, output)
    sys.stdout.write(report.markdown(document.read(path)["stages"]))


if __name__ == "__main__":
    typer.run(main)
