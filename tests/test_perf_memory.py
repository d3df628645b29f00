"""What is said of the server's memory: sizes read from /proc, and figures made of them."""

import importlib
import itertools
import mmap
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pointsman import Coverage

pytestmark = pytest.mark.usefixtures("perf_scripts")

ROLES = ("encoder", "safety_classifier", "domain_classifier", "pii_classifier", "compressor")
ROLLED = """\
55bc45dee000-7ffcdb8dc000 ---p 00000000 00:00 0                          [rollup]
Rss:               79848 kB
Pss:               53683 kB
Pss_Dirty:         44424 kB
Pss_Anon:          44424 kB
Pss_File:           9259 kB
Pss_Shmem:             0 kB
Private_Clean:      3896 kB
Private_Dirty:     44424 kB
"""


@pytest.fixture(scope="module")
def resident() -> ModuleType:
    return importlib.import_module("resident")


@pytest.fixture(scope="module")
def report() -> ModuleType:
    return importlib.import_module("memory_report")


def test_a_process_holds_what_its_rollup_says(resident: ModuleType) -> None:
    assert resident.holdings(resident.fields(ROLLED)) == {
        "pss": 52.4,
        "anonymous": 43.4,
        "files": 9.0,
        "shared_memory": 0.0,
        "private": 47.2,
    }


def test_a_peak_that_is_gone_afterwards_is_seen(resident: ModuleType) -> None:
    roles = {os.getpid(): "this"}
    size = 64 * 2**20
    before = resident.pss(roles)["total"]
    with resident.watched(roles) as watch:
        pages = mmap.mmap(-1, size)
        for at in range(0, size, mmap.PAGESIZE):
            pages[at] = 1
        seen = watch.looks
        while watch.looks < seen + 2:  # one look begun after all of it was written
            pass
        pages.close()
    assert watch.peak["this"] == watch.peak["total"] > before + 60
    assert watch.at_peak == watch.peak
    assert resident.pss(roles)["total"] < before + 20
    assert watch.missed < 10


def test_processes_with_the_same_role_are_one_line(resident: ModuleType) -> None:
    pid = os.getpid()
    sizes = resident.pss({pid: "this"})
    assert sizes["this"] == sizes["total"] > resident.growing({pid: "this"})["total"] > 1


def decision(read: int, tokens: int, truncated: bool = False, errors: Any = ()) -> Any:
    coverage = Coverage(
        tokens=tokens,
        classified_tokens=read,
        scanned_characters=4000,
        kept=((0, 10),),
        truncated=truncated,
    )
    return type("Decision", (), {"errors": errors, "coverage": coverage})()


def test_an_answer_that_is_not_on_the_whole_text_stops_the_measurement() -> None:
    check = importlib.import_module("serving").check
    check(decision(900, 900), whole=True)
    check(decision(500, 900, truncated=True), whole=False)  # an essential sentence did not fit
    for wrong, whole in (
        (decision(512, 900), True),
        (decision(900, 900, truncated=True), True),
        (decision(513, 900), False),
        (decision(0, 900), False),
    ):
        with pytest.raises(RuntimeError, match="of 900 tokens were read"):
            check(wrong, whole=whole)
    with pytest.raises(RuntimeError, match="pattern scan failed"):
        check(decision(900, 900, errors=("pattern scan failed",)), whole=True)


def row(mode: str, tokens: int, mib: float) -> dict[str, Any]:
    peak = {role: mib / len(ROLES) for role in ROLES}
    return {
        "mode": mode,
        "tokens": tokens,
        "counted": [tokens],
        "samples_mib": [mib],
        "peak_mib": {**peak, "total": mib},
        "at_peak_mib": {**peak, "total": mib},
        "missed_mib": 1.5,
        "after_mib": {**peak, "total": mib / 2},
    }


def value(total_mib: list[float], lengths: int = 4) -> dict[str, Any]:
    held = {"pss": 50.0, "anonymous": 40.0, "files": 9.0, "shared_memory": 1.0, "private": 45.0}
    tokens = [2048, 8192, 16384, 32768][:lengths]
    return {
        "model_files_mib": {"encoder": 22.0, "chat_router": 0.0},
        "idle": dict.fromkeys(ROLES, held),
        "lengths": [
            *(row("compressed", n, 260.0) for n in tokens),
            # 32 KiB a token at the peak, half of it is kept
            *(row("whole", n, 250 + n * 32 / 1024) for n in tokens),
        ],
        "many": {
            "requests": 1000,
            "callers": 4,
            "mixed": [[16, 90], [2048, 10]],
            "seconds": 3.0,
            "asked": [10 * n for n in range(len(total_mib))],
            "total_mib": total_mib,
            "growing_mib": {
                "encoder": [80.0] * len(total_mib),
                "total": [size - 40 for size in total_mib],
            },
        },
        "last": dict.fromkeys(ROLES, held),
    }


def steady(count: int = 101) -> list[float]:
    return [260 + wave for wave, _ in zip(itertools.cycle([0, 0.5, 0, -0.5]), range(count))]


def line_of(text: str, start: str) -> list[str]:
    (found,) = [line for line in text.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in found.strip("|").split("|")][1:]


def test_slopes_are_kib_a_token(report: ModuleType) -> None:
    text = report.markdown(value(steady()))
    assert line_of(text, "whole") == ["32.00 (32.00 to 32.00)", "16.00 (16.00 to 16.00)"]
    assert line_of(text, "compressed")[0] == "0.00 (0.00 to 0.00)"
    short = report.markdown(value(steady(), lengths=2))
    assert line_of(short, "whole") == ["–", "–"]


def test_what_is_above_the_bound_is_said(report: ModuleType) -> None:
    text = report.markdown(value(steady()))
    assert line_of(text, "idle") == ["262", "yes", "yes"]  # 250 MiB
    assert line_of(text, "16,384 whole") == ["799", "**no**", "yes"]  # 762 MiB
    assert line_of(text, "32,768 whole") == ["1,336", "**no**", "**no**"]


def test_each_process_has_its_line_and_its_files(report: ModuleType) -> None:
    text = report.holdings("idle", value(steady())["idle"], {"encoder": 22.0, "chat_router": 0.0})
    assert line_of(text, "encoder") == ["50.0", "40.0", "9.0", "1.0", "45.0", "22.0"]
    assert line_of(text, "compressor")[-1] == "–"
    assert line_of(text, "**together**") == ["250.0", "200.0", "45.0", "5.0", "225.0", "22.0"]


def test_memory_that_grows_is_told_from_memory_that_does_not(report: ModuleType) -> None:
    def said(sizes: list[float]) -> list[str]:
        return line_of(report.flatness(value(sizes)["many"]), "**together**")

    assert said(steady())[-1] == "no growth beyond the noise"
    assert said(steady())[:3] == ["220.0", "219.5", "220.5"]
    growing = said([size + 0.1 * asked for asked, size in enumerate(steady())])
    assert growing[-1] == "**grows**"
    assert growing[-2].startswith("10.2")  # KiB
    falling = said([size - 0.1 * asked for asked, size in enumerate(steady())])
    assert falling[-1].startswith("no growth")


def test_what_the_first_requests_take_is_not_growth(report: ModuleType) -> None:
    text = report.flatness(value([min(260.0, 200 + 4 * asked) for asked in range(101)])["many"])
    assert line_of(text, "**together**")[-1].startswith("no growth")
    assert line_of(text, "encoder") == ["80.0"] * 3 + [
        "0.00 (0.00 to 0.00)",
        "no growth beyond the noise",
    ]
    assert "200.0 MiB before them, 260.0 MiB after them" in text


def test_libraries_that_others_load_are_no_growth(report: ModuleType) -> None:
    many = value(steady())["many"]
    many["total_mib"] = [size + 0.2 * asked for asked, size in enumerate(steady())]
    text = report.flatness(many)
    assert line_of(text, "**together**")[-1].startswith("no growth")
    assert "280.0 MiB after them" in text


def test_of_few_requests_no_growth_is_said(report: ModuleType) -> None:
    few = value([260.0 + n for n in range(11)])["many"]
    few["requests"] = 100
    assert line_of(report.flatness(few), "**together**")[-2:] == ["–", "too few requests"]


def test_the_picture_is_drawn_from_the_figures(report: ModuleType, tmp_path: Path) -> None:
    drawn = report.draw(value(steady()), tmp_path)
    assert [path.name for path in drawn] == ["performance_memory.svg", "performance_memory.png"]
    assert all(path.stat().st_size > 5000 for path in drawn)
