"""What could make a wrong number of load look right."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pointsman import Decision, paths
from pointsman.chat import parse_chat
from pointsman.decision import parse_decision
from pointsman.errors import OverloadedError, ServerTimeoutError

pytestmark = pytest.mark.usefixtures("perf_scripts")


@pytest.fixture(scope="module")
def load() -> ModuleType:
    return importlib.import_module("load")


@pytest.fixture(scope="module")
def perf_analyzer() -> ModuleType:
    return importlib.import_module("perf_analyzer")


@pytest.fixture(scope="module")
def open_loop() -> ModuleType:
    return importlib.import_module("open_loop")


@pytest.fixture(scope="module")
def triton_times() -> ModuleType:
    return importlib.import_module("triton_times")


@pytest.fixture(scope="module")
def report() -> ModuleType:
    return importlib.import_module("load_report")


def decision(**changes: Any) -> Decision:
    """A decision on "grün", of which all 3 tokens were read."""
    document = {
        "action": "route",
        "model": "small",
        "rule": "domain:math",
        "policy": "default",
        "safety": {"label": "benign", "score": 0.9, "scores": {"benign": 0.9, "jailbreak": 0.1}},
        "domain": {"label": "math", "score": 0.7, "scores": {"law": 0.3, "math": 0.7}},
        "pii": [],
        "coverage": {
            "tokens": 3,
            "classified_tokens": 3,
            "scanned_characters": 4,
            "kept": [[0, 4]],
            "truncated": False,
        },
        "flags": [],
        "errors": [],
        "timings_us": {"prepare": 10},
    }
    return parse_decision(json.dumps({**document, **changes}).encode())


# -- perf_analyzer ------------------------------------------------------------------------------


def exported(requests: list[dict[str, Any]], boundaries: list[int]) -> bytes:
    """What perf_analyzer writes, but for the tensors of numbers."""
    experiment = {"mode": "concurrency", "value": 2}
    document = {
        "experiments": [
            {"experiment": experiment, "requests": requests, "window_boundaries": boundaries}
        ],
        "version": "2.45.0",
    }
    return json.dumps(document, ensure_ascii=False).encode()


def request(begin_ns: int, end_ns: int, text: str = "grün", answer: str = "{}") -> dict[str, Any]:
    return {
        "timestamp": begin_ns,
        "request_inputs": {"TEXT": text, "MESSAGE_OFFSETS": 0},
        "response_timestamps": [end_ns],
        "response_outputs": [{"SAFETY_PROBS": "@PROBS@", "DECISION": answer}],
    }


def test_requests_are_read_though_the_file_holds_tensors_as_octets(
    perf_analyzer: ModuleType,
) -> None:
    start = 1_795_301_212_000_000_000
    export = exported(
        [request(start - 5_000_000, start + 20_000_000, answer='{"model":"für alle"}')],
        [start, start + 1_000_000_000],
    )
    # A float32, as perf_analyzer writes it: control characters escaped, the rest as it is.
    export = export.replace(b"@PROBS@", rb"\u0003" + b"\x89\x7f?")
    run = perf_analyzer.parse(export)
    assert run.boundaries_s == [0.0, 1.0]
    (answer,) = run.answers
    assert (answer.begin_s, answer.end_s) == pytest.approx((-0.005, 0.02))
    assert answer.text == "grün"
    assert json.loads(answer.decision) == {"model": "für alle"}


@pytest.mark.parametrize(
    "export",
    [
        b"",
        b"{}",
        b'{"experiments": []}',
        exported([], []),
        exported([{"timestamp": 1}], [1, 2]),
        exported([request(1, 2) | {"response_outputs": [{"OTHER": ""}]}], [1, 2]),
        exported([request(1, 2) | {"response_timestamps": []}], [1, 2]),
    ],
)
def test_what_perf_analyzer_did_not_write_is_refused(
    perf_analyzer: ModuleType, export: bytes
) -> None:
    with pytest.raises(ValueError, match=r"not what perf_analyzer 2\.45 writes"):
        perf_analyzer.parse(export)


def test_its_last_words_name_what_ended_it(perf_analyzer: ModuleType) -> None:
    stderr = (
        "Failed to retrieve results from inference request.\n"
        "Thread [0] had error: in ensemble 'chat_router', [pointsman:overloaded] 32 requests\n\n"
        "Thread [3] had error: in ensemble 'chat_router', [pointsman:overloaded] 33 requests\n\n"
    )
    expected = "in ensemble 'chat_router', [pointsman:overloaded] 33 requests"
    assert perf_analyzer.last_words(stderr) == expected
    assert perf_analyzer.last_words("error: no such model\n") == "error: no such model"
    assert perf_analyzer.last_words("") == ""


def test_what_it_sends_is_what_the_client_sends(perf_analyzer: ModuleType) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "grün"}]
    chat = parse_chat({"messages": messages})
    (step,) = perf_analyzer.input_data([chat])["data"]
    assert step["TEXT"][0].encode() == chat.utf8
    offsets = step["MESSAGE_OFFSETS"]
    assert offsets["shape"] == [2]
    np.testing.assert_array_equal(offsets["content"], chat.message_offsets)
    # What is optional and has a default stays away, as in the client.
    assert set(step) == {"TEXT", "MESSAGE_OFFSETS"}


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_a_run_that_ends_early_says_why(perf_analyzer: ModuleType, tmp_path: Path) -> None:
    binary = script(tmp_path / "stops", 'echo "Thread [0] had error: overloaded" >&2; exit 99')
    (tmp_path / "requests.json").write_bytes(exported([], [1, 2]))  # of an earlier run
    with pytest.raises(perf_analyzer.StoppedError, match=r"^overloaded$"):
        perf_analyzer.run(binary, "127.0.0.1:1", tmp_path / "texts.json", tmp_path, {}, 0.1)
    quiet = script(tmp_path / "quiet", "exit 0")
    with pytest.raises(perf_analyzer.StoppedError, match="ended with 0"):
        perf_analyzer.run(quiet, "127.0.0.1:1", tmp_path / "texts.json", tmp_path, {}, 0.1)


def test_where_there_is_none_the_part_says_so(
    load: ModuleType,
    perf_analyzer: ModuleType,
    report: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = script(
        tmp_path / "environment", 'echo "ERROR\nenvironment: no pip\n(and no net)" >&2; exit 1'
    )
    monkeypatch.setattr(perf_analyzer, "ENVIRONMENT", missing)
    value = load.measure(quick=True)
    assert value == {"not_measured": "no pip (and no net)"}
    assert "no pip (and no net)" in report.markdown(value)
    assert report.draw(value, tmp_path) == []
    found = script(tmp_path / "environment", 'echo "/x/perf_analyzer"')
    monkeypatch.setattr(perf_analyzer, "ENVIRONMENT", found)
    assert perf_analyzer.install() == Path("/x/perf_analyzer")


# -- cells --------------------------------------------------------------------------------------


def test_percentiles_and_goodput(load: ModuleType) -> None:
    row = load.summary([*range(1, 100), 100.0, 100.01], seconds=2.0)
    assert (row["answered"], row["p50_ms"], row["p95_ms"], row["p99_ms"]) == (101, 51, 96, 100)
    assert row["goodput_per_s"] == 50  # 100 of them within 100 ms, in 2 s
    assert row["samples_ms"][-1] == 100.01
    nothing = load.summary([], seconds=2.0)
    assert nothing == {"answered": 0, "goodput_per_s": 0.0, "samples_ms": []}


def test_the_first_window_does_not_count(load: ModuleType, perf_analyzer: ModuleType) -> None:
    def answer(begin_s: float, end_s: float) -> Any:
        return perf_analyzer.Answer(begin_s, end_s, "grün", b"{}")

    answers = [answer(0.0, 0.99), answer(0.5, 1.0), answer(1.0, 1.2), answer(2.9, 3.0)]
    row = load.analyzed(perf_analyzer.Run(answers, [0.0, 1.0, 2.0, 3.0]))
    assert row["samples_ms"] == [500.0, 200.0]
    assert (row["seconds"], row["per_s"]) == (2.0, 1.0)


def test_what_came_by_chance(load: ModuleType, open_loop: ModuleType) -> None:
    arrivals = [
        open_loop.Arrival(None, 0.5, "answered"),  # filled the server: no time of its own
        open_loop.Arrival(None, 2.5, "answered"),
        open_loop.Arrival(0.1, 0.15, "answered"),
        open_loop.Arrival(1.9, 2.9, "answered"),  # late, and answered after the end
        open_loop.Arrival(1.0, 1.01, "refused"),
        open_loop.Arrival(1.5, 1.6, "ServerTimeoutError"),
    ]
    row = load.arrived(arrivals, 2.0)
    assert row["samples_ms"] == [50.0, 1000.0]
    assert (row["sent"], row["answered"], row["refused"], row["failed"]) == (4, 2, 1, 1)
    assert row["per_s"] == 1.0  # two answers within two seconds
    assert row["goodput_per_s"] == 0.5


def test_an_open_loop_neither_waits_nor_hides_that_it_is_late(
    open_loop: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [parse_chat({"messages": [{"role": "user", "content": f"{n}"}]}) for n in range(4)]
    asked: list[str] = []

    class Server:
        def __init__(self, url: str, **options: Any) -> None:
            # Nothing is asked twice, and the client refuses nothing itself.
            assert options["retries"] == 0
            assert options["max_in_flight"] >= 6

        async def __aenter__(self) -> Server:
            return self

        async def __aexit__(self, *failure: object) -> None:
            pass

        async def route(self, chat: Any) -> Decision:
            asked.append(chat.text)
            if len(asked) == 1:  # an answer that comes after all others were sent
                await asyncio.sleep(0.05)
                assert len(asked) == 6
            if chat.text == "1":
                raise OverloadedError("full")
            if chat.text == "3":
                raise ServerTimeoutError("late")
            return decision()

    monkeypatch.setattr(open_loop, "AsyncRouter", Server)
    checked = []
    moments = [-1.0, 0.0, 0.001, 0.002]  # the first should have been sent a second ago
    found = open_loop.load("", texts, moments, 2, lambda chat, _: checked.append(chat.text))
    assert asked == ["0", "1", "2", "3", "0", "1"]
    assert [arrival.at_s for arrival in found] == [None, None, *moments]
    outcomes = ["answered", "refused", "answered", "ServerTimeoutError", "answered", "refused"]
    assert [arrival.outcome for arrival in found] == outcomes
    assert sorted(checked) == ["0", "0", "2"]
    assert found[2].end_s - found[2].at_s >= 1

    def refuse(chat: Any, _: Decision) -> None:
        raise RuntimeError(f"wrong about {chat.text}")

    asked.clear()
    with pytest.raises(RuntimeError, match="wrong about"):
        open_loop.load("", texts, moments, 2, refuse)


def test_arrivals_are_as_many_as_wanted_and_by_chance(open_loop: ModuleType) -> None:
    moments = open_loop.arrivals(50.0, 40.0, seed=3)
    assert len(moments) == 2000
    assert moments == sorted(moments) == open_loop.arrivals(50.0, 40.0, seed=3)
    assert moments[0] >= 0
    assert moments[-1] <= 40
    gaps = np.diff(moments)
    # Exponential: standard deviation and mean are alike, and a gap of over a mean has P = 1/e.
    assert np.std(gaps) / np.mean(gaps) == pytest.approx(1, abs=0.1)
    assert np.mean(gaps > 1 / 50) == pytest.approx(np.exp(-1), abs=0.05)


def test_perf_analyzer_gets_the_gaps_between_arrivals(perf_analyzer: ModuleType) -> None:
    moments = [0.0000004, 0.5, 0.5, 1.2500006]
    gaps = [int(line) for line in perf_analyzer.intervals(moments).splitlines()]
    assert gaps == [0, 500_000, 0, 750_001]


def test_windows_are_long_enough_for_what_waits(load: ModuleType) -> None:
    assert load.window_s(1.0, 1, 10.0) == 1.0
    assert load.window_s(1.0, 32, 10.0) == pytest.approx(3.2)


def test_saturation_is_what_a_busy_server_does(load: ModuleType) -> None:
    rows = [{"concurrency": c, "per_s": p} for c, p in ((1, 99.0), (4, 10.0), (8, 12.0), (32, 5))]
    assert load.saturation(rows) == 10.0
    stopped = {"concurrency": 16, "stopped": "refused"}
    assert load.saturation([*rows, stopped]) == 10.0
    with pytest.raises(RuntimeError, match="refused"):
        load.saturation([rows[0], stopped])


def test_mixes_have_the_lengths_they_say_and_no_text_twice(load: ModuleType) -> None:
    class Words:
        def __init__(self) -> None:
            self.count = 0

        def draw(self, tokens: int) -> str:
            self.count += 1
            return f"{self.count} " + "word " * tokens

    for mix, (shortest, longest) in load.MIXES.items():
        chats = load.texts(Words(), mix, 200)
        lengths = [chat.text.count("word") for chat in chats]
        assert shortest <= min(lengths)
        assert max(lengths) <= longest
        assert len({chat.text for chat in chats}) == 200
        # Wherever one begins: of 20 that follow each other, about half are shorter than the middle.
        shorter = [length < (shortest * longest) ** 0.5 for length in lengths]
        assert all(8 <= sum(shorter[start : start + 20]) <= 12 for start in range(180))
        again = load.texts(Words(), mix, 200)
        assert [chat.text for chat in again] == [chat.text for chat in chats]


# -- answers ------------------------------------------------------------------------------------


def test_only_the_same_answer_passes(load: ModuleType) -> None:
    expected = {"grün": decision()}
    load.check_as_expected(expected, "grün", decision(timings_us={"prepare": 99}))
    with pytest.raises(RuntimeError, match="not sent"):
        load.check_as_expected(expected, "blau", decision())
    with pytest.raises(RuntimeError, match="another decision"):
        load.check_as_expected(expected, "grün", decision(model="large"))
    with pytest.raises(RuntimeError, match="did not run"):
        load.check_as_expected(expected, "grün", decision(action="flag", errors=["safety"]))


def test_the_classifiers_alone_must_agree_with_the_server(load: ModuleType) -> None:
    load.check_alone(3, "math", decision())
    with pytest.raises(RuntimeError, match="law"):
        load.check_alone(3, "law", decision())
    with pytest.raises(RuntimeError, match="4"):
        load.check_alone(4, "math", decision())


def test_a_head_that_fails_or_gives_no_number_is_noticed() -> None:
    classifiers_alone = importlib.import_module("classifiers_alone")

    def done(result: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(np.array(result))
        return future

    classifiers_alone.finish([done([1.0]), done([2.0])])
    with pytest.raises(RuntimeError, match="no number"):
        classifiers_alone.finish([done([1.0]), done([1.0, np.nan])])
    with pytest.raises(ValueError, match="broken"):
        classifiers_alone.finish([done([1.0]), done(ValueError("broken"))])


def test_settings_are_those_of_the_shipped_server(load: ModuleType) -> None:
    classifiers_alone = importlib.import_module("classifiers_alone")
    repository = paths.model_repository()
    names = ("encoder", "safety_classifier", "domain_classifier", "pii_classifier")
    assert [classifiers_alone.threads(repository / name) for name in names] == [2, 1, 1, 1]
    assert load.admitted(repository) == 32


# -- Triton's statistics ------------------------------------------------------------------------


def statistics_of(model: str, requests: int, queue_ms: int, compute_ms: int) -> dict[str, Any]:
    def duration(ms: int) -> dict[str, str]:
        # Triton writes 64-bit numbers as strings, and leaves out what is 0.
        return {"count": str(requests), "ns": str(ms * 10**6)} if requests else {}

    steps = {"compute_input": 1, "compute_infer": compute_ms - 3, "compute_output": 2}
    durations = {"queue": queue_ms, **(steps if requests else dict.fromkeys(steps, 0))}
    found = {name: duration(ms) for name, ms in durations.items()}
    return {"name": model, "version": "1", "inference_stats": {**found, "cache_hit": {}}}


def test_a_models_times_are_those_of_the_requests_in_between(triton_times: ModuleType) -> None:
    before = {
        "model_stats": [
            statistics_of("encoder", 4, 100, 400),
            statistics_of("router", 4, 1, 40),
            statistics_of("chat_router", 4, 0, 500),
            statistics_of("idle", 0, 0, 0),
        ]
    }
    after = {
        "model_stats": [
            statistics_of("encoder", 14, 300, 1200),
            statistics_of("router", 4, 1, 40),
            statistics_of("chat_router", 14, 0, 1500),
            statistics_of("idle", 0, 0, 0),
            statistics_of("fresh", 2, 6, 10),
        ]
    }
    found = triton_times.per_request(triton_times.parse(before), triton_times.parse(after))
    assert found == {
        "encoder": {"requests": 10, "queue_ms": 20.0, "compute_ms": 80.0},
        "fresh": {"requests": 2, "queue_ms": 3.0, "compute_ms": 5.0},
    }


# -- the report ---------------------------------------------------------------------------------


@pytest.fixture
def value(load: ModuleType) -> dict[str, Any]:
    """Of one mix: two closed cells, and three by chance, of which perf_analyzer stopped in one."""

    def models(queue_ms: float) -> dict[str, Any]:
        return {"encoder": {"requests": 3, "queue_ms": queue_ms, "compute_ms": 70.0}}

    def closed(
        concurrency: int, per_s: float, ms: list[float], alone: tuple[float, float] = (0, 0)
    ) -> dict[str, Any]:
        head: dict[str, Any] = {"mix": "long", "name": "closed", "concurrency": concurrency}
        if concurrency >= load.SATURATED:
            head |= {"alone_per_s": alone, "alone_cpu_ms": [150.0, 160.0]}
        cpu_ms = {"encoder": 140.0, "pii_classifier": 6.0, "safety_classifier": 3.0}
        cpu_ms |= {"compressor": 2.0, "tritonserver": 1.5, "load generator": 0.5, "guardian": 0.25}
        row = {"seconds": 1.0, "per_s": per_s, "refused": 0, "failed": 0, "models": models(1.5)}
        row["cpu_ms"] = cpu_ms
        return {**head, **row, **load.summary(ms, 1.0)}

    def by_chance(generator: str, share: float) -> dict[str, Any]:
        head = {"mix": "long", "name": f"{generator}, {share:.0%}", "share": share}
        return {**head, "generator": generator, "wanted_per_s": 10 * share}

    refusing = {
        "seconds": 2.0,
        "sent": 20,
        "per_s": 9.5,
        "refused": 7,
        "failed": 1,
        "models": models(2600.0),
    }
    empty = {"seconds": 2.0, "sent": 5, "per_s": 0.0, "refused": 5, "failed": 0, "models": {}}
    return {
        "objective_ms": 100.0,
        "admitted": 32,
        "plan": {"texts": 48},
        "mixes": [
            {
                "mix": "long",
                "tokens_sent": [2050, 6000, 16000],
                "tokens_read": [509, 512, 512],
                "saturation_per_s": 10.0,
                "closed": [
                    closed(1, 8.0, [90.0, 110.0]),
                    closed(8, 10.0, [800.0, 900.0], (12.0, 13.0)),
                    closed(16, 10.0, [1600.0], (13.0, 12.0)),
                    {
                        "mix": "long",
                        "name": "closed",
                        "concurrency": 32,
                        "alone_per_s": [12.0, 40.0],
                        "stopped": "33 requests are under way",
                    },
                ],
                "poisson": [
                    {**by_chance("perf_analyzer", 0.8), "stopped": "32 requests are under way"},
                    {**by_chance("open loop", 1.5), **refusing, **load.summary([2600.0], 2.0)},
                    {**by_chance("open loop", 9.0), **empty, **load.summary([], 2.0)},
                ],
            }
        ],
    }


def test_the_report_tells_refusals_stops_and_what_is_missing(
    report: ModuleType, value: dict[str, Any]
) -> None:
    text = report.markdown(value)
    lines = text.splitlines()
    assert text.startswith("## Load\n")
    (whole,) = [line for line in lines if line.startswith("| long | 2,050, 6,000, 16,000 |")]
    assert whole.split(" | ")[2:] == [
        "509, 512, 512",
        "10.0",
        "12.5",
        "80% (80%-80%)",
        "1.0 (1 at a time) |",
    ]
    assert f"| 32 at a time | – | stopped |{' – |' * 7}" in lines
    assert "| 1 at a time | – | 8.0 | 100 | 109 | 110 | 1.0 | 0% | 0% | 2 |" in lines
    assert "80% of saturation, perf_analyzer: it stopped, 32 requests are under way" in lines
    assert f"| 80% of saturation, perf_analyzer | 8.0 | stopped |{' – |' * 7}" in lines
    (over,) = [line for line in lines if line.startswith("| 150% of saturation, open loop")]
    assert over.split(" | ")[1:3] == ["15.0", "9.5"]
    assert over.split(" | ")[6:] == ["0.0", "35%", "5%", "1 |"]
    (none,) = [line for line in lines if line.startswith("| 900% of saturation")]
    assert none.split(" | ")[3:6] == ["–", "–", "–"]
    assert "| long, 8 at a time | – | 1.5 + 70.0 | – | – | – | – |" in lines
    times = "140.0 | 9.0 | 2.0 | 0.0 | 1.5 | 0.5 | 0.2 | 153.2"
    assert f"| long, 8 at a time | {times} | 155.0 |" in lines
    assert f"| long, 1 at a time | {times} | – |" in lines
    # All tables are as wide as their heads.
    for first, second in itertools.pairwise(lines):
        if first.startswith("|") and second.startswith("|"):
            assert first.count(" |") == second.count(" |")


def test_the_picture_is_drawn_from_the_same(
    report: ModuleType, value: dict[str, Any], tmp_path: Path
) -> None:
    svg, png = report.draw(value, tmp_path)
    assert (svg.name, png.name) == ("performance_load.svg", "performance_load.png")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_text().startswith("<?xml")
