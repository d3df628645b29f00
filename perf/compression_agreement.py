"""What the router says of a prompt: read whole, compressed, and compressed as published.

All three ways run the same classifiers and the router's own code on the token ids that each way
gives; only which part of the text they read differs.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import compression_prompts as prompts
import compression_reference as reference
import numpy as np
import numpy.typing as npt
import orjson
from compression_counts import WAYS, WHOLE
from rich.progress import track

from pointsman_backends.compressor import PROFILES, Compressed, Compressor
from pointsman_backends.patterns import scan
from pointsman_backends.repository import version_folder
from pointsman_backends.router.decision import decide
from pointsman_backends.router.policy import BENIGN, Labels, load_policy_file
from training.evaluation.served import TASKS, Served
from training.metrics import Span

BUDGET = 512
CLASSIFIERS = tuple(f"{task}_classifier" for task in TASKS)
OURS, PUBLISHED, PUBLISHED_CUT = WAYS
LONGEST_BYTES = 64 << 20
_CODE = Path(__file__).resolve().parents[1] / "python_backends" / "pointsman_backends"

Row = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What the router says.

    Attributes:
        safety: label whose rule fired, or benign.
        unsafe: probability of not being benign.
        domain: likeliest domain.
        routed: that domain, or "default" below the policy's threshold.
        personal: (type, start, end, source) of the personal data.
        read: tokens that the classifiers read, without special ones.
        truncated: whether something that had to be read was not.
    """

    safety: str
    unsafe: float
    domain: str
    routed: str
    personal: list[tuple[str, int, int, str]]
    read: int
    truncated: bool

    def spans(self, source: str | None = None) -> set[Span]:
        """The personal data, or what one source found of it: ``pattern`` or ``model``."""
        return {(t, a, b) for t, a, b, found_by in self.personal if source in (None, found_by)}


@dataclass(frozen=True)
class Reading:
    """What the classifiers are given: token ids, their places, and FINDINGS.

    Attributes:
        ids: int64 [N], with special tokens.
        offsets: int32 [N, 2], code points of the prompt, (-1, -1) for special tokens.
        findings: as the compressor gives them to the router.
        kept: [start, end) of what is read, int [K, 2].
    """

    ids: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int32]
    findings: bytes
    kept: npt.NDArray[Any]


def compressed(result: Compressed) -> Reading:
    """What Pointsman's compressor gives."""
    return Reading(result.input_ids, result.token_offsets, result.findings(), result.kept)


def published(served: Served, text: str, selected: reference.Selected, most: int) -> Reading:
    """What classifiers read of the published compression, at most ``most`` tokens of it.

    Patterns are searched in the compressed text, for the published router has no other.
    """
    spans = np.array(selected.spans, np.int64)
    ids, places = served.tokenise(selected.text(text))
    if len(ids) > most:
        ids, places = [*ids[: most - 1], ids[-1]], np.concatenate([places[: most - 1], places[-1:]])
    real = places[:, 0] >= 0
    offsets = places.copy()
    offsets[real] = to_original(places[real], spans)
    hits = scan(selected.text(text).encode("utf-8", "surrogatepass"))
    found = to_original(np.array([hit[1:3] for hit in hits], np.int64).reshape(-1, 2), spans)
    end = int(offsets[real][-1, 1]) if real.any() else 0
    kept = np.array([span for span in joined(text, spans) if span[0] < end], np.int64)
    kept = kept.reshape(-1, 2)
    findings = {
        "patterns": [
            {**hit._asdict(), "start": int(start), "end": int(stop)}
            for hit, (start, stop) in zip(hits, found, strict=True)
        ],
        "coverage": {
            "tokens": served.count(text),
            "classified_tokens": min(int(real.sum()), served.count(text)),
            "scanned_characters": int((spans[:, 1] - spans[:, 0]).sum()),
            "kept": kept.tolist(),
            "truncated": False,
        },
        "timings_us": {},
        "errors": [],
    }
    return Reading(np.array(ids, np.int64), offsets, orjson.dumps(findings), kept)


def to_original(places: npt.NDArray[Any], spans: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Places in a text of ``spans`` joined by spaces, as places in the original; [N, 2]."""
    lengths = spans[:, 1] - spans[:, 0] + 1
    starts = np.cumsum(lengths) - lengths
    first = np.searchsorted(starts, places[:, 0], "right") - 1
    last = np.searchsorted(starts, places[:, 1] - 1, "right") - 1
    shift = spans[:, 0] - starts
    # A stretch that ends on the joining space ends with its sentence.
    ends = np.minimum(places[:, 1] + shift[last], spans[last, 1])
    return np.column_stack([places[:, 0] + shift[first], ends]).astype(np.int64)


def joined(text: str, spans: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Spans, those with only white space between them as one."""
    start, end = (int(edge) for edge in spans[0])
    for following, stop in spans[1:].tolist():
        if text[end:following].strip():
            yield start, end
            start = following
        end = stop
    yield start, end


class Judge:
    """Takes readings to verdicts with the models of a repository, without Triton.

    Args:
        repository: the model repository.
    """

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self.served = Served(repository)
        self.compressor = Compressor.from_repository(
            repository, CLASSIFIERS, default_budget=BUDGET, max_text_bytes=LONGEST_BYTES
        )
        self._labels = Labels(**{task: self.served.labels[task] for task in TASKS})
        self._policies = load_policy_file(
            version_folder(repository / "router") / "policy.yaml", self._labels
        )
        self.key = _digest(repository)

    def judge(self, reading: Reading) -> Verdict:
        """Run the classifiers and the router; RuntimeError if a check could not run."""
        logits = self.served.logits(reading.ids.tolist())
        decided = decide(
            logits["safety"],
            logits["domain"],
            logits["pii"],
            reading.offsets,
            reading.findings,
            "",
            self._policies,
            self._labels,
        )
        return verdict(orjson.loads(decided.decision), self.served.policy.domain_threshold)


def verdict(decision: Row, domain_threshold: float) -> Verdict:
    """What matters of a DECISION; RuntimeError if a check could not run."""
    if decision["errors"]:
        raise RuntimeError(f"checks did not run: {', '.join(decision['errors'])}")
    rule = decision["rule"] or ""
    domain = decision["domain"]
    return Verdict(
        rule.removeprefix("safety:") if rule.startswith("safety:") else BENIGN,
        round(1 - decision["safety"]["scores"][BENIGN], 4),
        domain["label"],
        domain["label"] if domain["score"] >= domain_threshold else "default",
        [(p["type"], p["start"], p["end"], p["source"]) for p in decision["pii"]],
        decision["coverage"]["classified_tokens"],
        decision["coverage"]["truncated"],
    )


def _digest(repository: Path) -> str:
    """Of all that a verdict on a whole text depends on."""
    files = [
        *sorted(repository.glob("*/[1-9]*/*")),
        *sorted((_CODE / "router").glob("*.py")),
        _CODE / "patterns.py",
    ]
    digest = hashlib.sha256()
    for path in (path for path in files if path.is_file() and path.suffix != ".pyc"):
        # The risk model and the like choose what is read, and a whole text is all read.
        if "compressor" not in path.parts:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


class Whole:
    """Verdicts on whole texts, which take seconds each: remembered in a file.

    Args:
        judge: the models.
        path: JSON lines, one a verdict, by a hash of text and models.
    """

    def __init__(self, judge: Judge, path: Path) -> None:
        self._judge = judge
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, Row] = {}
        if path.is_file():
            with path.open(encoding="utf-8") as lines:
                # A run that was stopped may leave half a line at the end.
                rows = [json.loads(line) for line in lines if line.endswith("\n")]
            self._known = {row["key"]: row for row in rows}

    def judge(self, prompt: prompts.Prompt) -> tuple[Verdict, float]:
        """The verdict, and the milliseconds that compressor and classifiers took for it."""
        text = prompt.text.encode()
        key = hashlib.sha256(self._judge.key.encode() + text).hexdigest()
        row = self._known.get(key)
        if row is None:
            begin = time.perf_counter()
            result = self._judge.compressor.compress(text, prompt.messages, -1)
            if result.classified_tokens != result.tokens:
                raise RuntimeError(f"prompt {prompt.number}: not all of the text was read")
            found = self._judge.judge(compressed(result))
            ms = round((time.perf_counter() - begin) * 1e3, 1)
            row = {"key": key, "ms": ms, **asdict(found)}
            with self._path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(row) + "\n")
        fields = {name: row[name] for name in Verdict.__dataclass_fields__}
        fields["personal"] = [tuple(found) for found in row["personal"]]
        return Verdict(**fields), row["ms"]


def share_read(kept: npt.NDArray[Any], start: int, end: int) -> float:
    """Share of the characters [start, end) that lie in ``kept``; 1 for none."""
    if end <= start:
        return 1.0
    inside = np.minimum(kept[:, 1], end) - np.maximum(kept[:, 0], start)
    return float(inside.clip(0).sum() / (end - start))


def compare(whole: Verdict, other: Verdict, prompt: prompts.Prompt) -> Row:
    """What one way keeps of the verdict on the whole text, as counts [kept, of]."""
    found = other.spans()

    def kept(spans: set[Span]) -> list[int]:
        return [len(spans & found), len(spans)]

    def planted(spans: set[Span]) -> set[Span]:
        return {span for span in spans if span[1] >= prompt.start and span[2] <= prompt.end}

    return {
        "safety": other.safety,
        "unsafe": other.unsafe,
        "domain": other.domain,
        "routed": other.routed,
        "read": other.read,
        "truncated": other.truncated,
        "gold": kept(prompt.spans),
        **{
            f"{where} {source}": kept(choose(whole.spans(source)))
            for source in ("pattern", "model")
            for where, choose in (("planted", planted), ("all", set))
        },
    }


def measure(
    judge: Judge, bank: prompts.Bank, data: Path, numbers: Iterable[int], cache: Path
) -> Iterator[Row]:
    """Judge prompts in all ways; a row each, without their text."""
    whole = Whole(judge, cache)
    for number in track(list(numbers), "agreement"):
        prompt = prompts.build(number, bank, data, judge.served.count)
        full, ms = whole.judge(prompt)
        begin = time.perf_counter()
        result = judge.compressor.compress(prompt.text.encode(), prompt.messages, BUDGET)
        ours = compressed(result)
        found = {OURS: judge.judge(ours)}
        ours_ms = round((time.perf_counter() - begin) * 1e3, 1)
        selected = reference.compress(prompt.text, BUDGET)
        readings = {OURS: ours}
        for way, most in ((PUBLISHED, judge.served.max_tokens), (PUBLISHED_CUT, BUDGET)):
            readings[way] = published(judge.served, prompt.text, selected, most)
            found[way] = judge.judge(readings[way])
        yield {
            "number": number,
            "sha256": hashlib.sha256(prompt.text.encode()).hexdigest()[:16],
            "kind": prompt.kind,
            "source": prompt.source,
            "filler": prompt.filler,
            "depth": round(prompt.depth, 4),
            "tokens": result.tokens,
            "planted_tokens": judge.served.count(prompt.text[prompt.start : prompt.end]),
            "gold_domain": prompt.domain,
            "ms": {WHOLE: ms, OURS: ours_ms},
            WHOLE: compare(full, full, prompt),
            **{
                way: {
                    **compare(full, found[way], prompt),
                    "planted_read": round(
                        share_read(readings[way].kept, prompt.start, prompt.end), 4
                    ),
                }
                for way in WAYS
            },
        }


def measure_profiles(
    judge: Judge, bank: prompts.Bank, data: Path, numbers: Iterable[int], cache: Path
) -> Iterator[Row]:
    """Judge prompts compressed with each of the shipped profiles; a row each, as above."""
    whole = Whole(judge, cache)
    compressors = {
        name: Compressor.from_repository(
            judge.repository,
            CLASSIFIERS,
            default_budget=BUDGET,
            max_text_bytes=LONGEST_BYTES,
            profile=profile,
        )
        for name, profile in PROFILES.items()
    }
    for number in track(list(numbers), "profiles"):
        prompt = prompts.build(number, bank, data, judge.served.count)
        full, _ = whole.judge(prompt)
        text = prompt.text.encode()
        yield {
            "kind": prompt.kind,
            "source": prompt.source,
            "gold_domain": prompt.domain,
            WHOLE: compare(full, full, prompt),
            **{
                name: compare(
                    full,
                    judge.judge(compressed(compressor.compress(text, prompt.messages, BUDGET))),
                    prompt,
                )
                for name, compressor in compressors.items()
            },
        }
