"""`pointsman explain`: what is shown of a prompt is all of it, once, and nothing else."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pointsman import cli
from pointsman.chat import plain_text
from pointsman.errors import ModelLoadError, RequestError
from pointsman.explain import (
    as_json,
    explain,
    fates,
    load_compressor,
    pieces,
    show,
    show_summary,
    summary,
    visible,
)
from pointsman.explain_page import page
from pointsman_backends.compressor import Compressed, Compressor, Explained, Profile

SIGNALS = tuple(Profile().weights())
TAGS = {
    *("html", "head", "meta", "title", "style", "script", "body"),
    *("h1", "p", "dl", "dt", "dd", "div", "span", "output"),
}
HOSTILE = (
    '[bold red]x[/] :smile: <script>alert("1")</script> &amp; $prompt \x1b[31m\x07\x00\x9b2J '
    "\u202eover\u2066 你好。 שלום. e\u0301 \U0001d54f\r\n"
)


@st.composite
def explanations(draw: st.DrawFn) -> tuple[str, Explained]:
    """A text, and sentences in it that may overlap, touch or leave gaps."""
    text = draw(st.one_of(st.text(min_size=1, max_size=60), st.just(HOSTILE)))
    count = draw(st.integers(1, 6))
    edges = st.integers(0, len(text))
    starts = sorted(draw(st.lists(edges, min_size=count, max_size=count)))
    ends = sorted(draw(st.lists(edges, min_size=count, max_size=count)))
    spans = [(start, max(start, end)) for start, end in zip(starts, ends, strict=True)]
    kept = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    scores = draw(st.lists(st.floats(0, 2), min_size=count, max_size=count))
    return text, explained(spans, kept, scores, read_to=draw(edges))


def explained(
    spans: list[tuple[int, int]],
    kept: list[bool],
    scores: list[float],
    *,
    truncated: bool = False,
    read_to: int = 1000,
) -> Explained:
    """With figures of no meaning; what is kept is read up to a place."""
    count = len(spans)
    read = {at for span, one in zip(spans, kept, strict=True) if one for at in range(*span)}
    stretches = [(at, at + 1) for at in sorted(read) if at < read_to]
    return Explained(
        compressed=Compressed(
            input_ids=np.zeros(2, np.int64),
            token_offsets=np.zeros((2, 2), np.int32),
            patterns=[],
            tokens=10 * count,
            classified_tokens=10 * sum(kept),
            scanned_characters=0,
            kept=np.array(stretches, np.int32).reshape(-1, 2),
            truncated=truncated,
            timings_us={"prepare": 1500, "apply": 250},
            errors=["pattern scan failed: <b>[red]\x1b[31m"],
        ),
        spans=np.array(spans, np.int32).reshape(count, 2),
        tokens=np.full(count, 10, np.int64),
        signals={name: np.linspace(0, 1, count) for name in SIGNALS},
        scores=np.array(scores),
        kept=np.array(kept, np.bool_),
        reasons=["score" if one else "no room" for one in kept],
    )


def printed(explained: Explained, text: str, *, terminal: bool = False, **options: bool) -> str:
    colours = "256" if terminal else "auto"
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, color_system=colours)
    show(console, explained, text, **options)
    show_summary(console, explained)
    return output.getvalue()


def parted(shown: str, explained: Explained) -> tuple[list[str], list[str]]:
    """The lines of figures, and those of the text, without the head and the summary."""
    lines = shown.split("\n")[1:]
    lines = lines[: len(lines) - 2 - len(summary(explained))]
    figures = [line for line in lines if re.match(r"(kept|cut|dropped) *\d\.\d{3} ", line)]
    return figures, [line for line in lines if line not in figures]


class Page(HTMLParser):
    """Takes a page apart; fails where an element is not closed in turn."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.prompt = ""
        self.spans: list[tuple[dict[str, str | None], str]] = []
        self.links: list[tuple[str, str | None]] = []
        self._inside = False
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [(name, value) for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)
        if tag == "div" and ("class", "prompt") in attrs:
            self._inside = True
        elif self._inside:
            assert tag == "span"
            self.spans.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._inside = self._inside and tag != "div"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.prompt += data
            if self.open[-1] == "span":
                attributes, text = self.spans[-1]
                self.spans[-1] = attributes, text + data


@given(explanations())
def test_pieces_in_a_row_are_the_text_and_what_is_kept_stays_kept(
    case: tuple[str, Explained],
) -> None:
    text, what = case
    parts = pieces(what, len(text))
    assert "".join(text[part.start : part.end] for part in parts) == text
    assert all(part.start < part.end for part in parts)
    read = {at for start, end in what.compressed.kept.tolist() for at in range(start, end)}
    for part in parts:
        for at in range(part.start, part.end):
            assert part.read == (at in read)
            covering = [nth for nth, (start, end) in enumerate(what.spans) if start <= at < end]
            ranks = {nth: (what.kept[nth], what.scores[nth], -nth) for nth in covering}
            assert part.sentence == (max(covering, key=ranks.__getitem__) if covering else -1)
    for sentence, fate in enumerate(fates(what, parts)):
        own = [part.read for part in parts if part.sentence == sentence]
        expected = ("kept" if all(own) else "cut") if what.kept[sentence] else "dropped"
        assert fate == expected


@given(explanations())
def test_the_page_holds_the_text_and_no_tag_of_it(case: tuple[str, Explained]) -> None:
    text, what = case
    parsed = Page(page(what, text))
    assert parsed.prompt == visible(text)
    assert parsed.links == []
    assert parsed.tags <= TAGS
    parts = pieces(what, len(text))
    shown = [part for part in parts if part.sentence >= 0]
    assert len(parsed.spans) == len(shown)
    for (attributes, content), part in zip(parsed.spans, shown, strict=True):
        assert content == visible(text[part.start : part.end])
        assert (attributes.get("class") == "kept") == part.read
        assert attributes["tabindex"] == "0"
        assert f"total {what.scores[part.sentence]:.3f}:" in (attributes["title"] or "")


@given(explanations(), st.booleans())
def test_a_terminal_shows_all_of_the_text_once_and_gets_no_control_of_it(
    case: tuple[str, Explained], terminal: bool
) -> None:
    text, what = case
    got = printed(what, text, terminal=terminal, everything=True)
    colours = re.compile(r"\x1b\[[\d;]*m")
    assert bool(colours.search(got)) == terminal
    plain = colours.sub("", got)
    assert not [sign for sign in plain if sign != "\n" and sign < " "]
    assert not re.search("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]", plain)
    figures, stretches = parted(plain, what)
    assert len(figures) == len(what.kept)
    assert "".join("".join(stretches).split()) == "".join(visible(text).split())


def test_of_many_sentences_the_kept_and_the_best_dropped_are_shown_and_the_rest_counted() -> None:
    text = "".join(f"Nr{number:02}." for number in range(40))
    spans = [(5 * number, 5 * number + 5) for number in range(40)]
    what = explained(spans, [number == 35 for number in range(40)], [n / 40 for n in range(40)])
    got = printed(what, text)
    shown = [int(number) for number in re.findall(r"^Nr(\d\d)\.$", got, re.MULTILINE)]
    assert shown == [29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39]
    assert "... 29 more sentences dropped (see --all)" in got
    assert "more sentences" not in printed(what, text, everything=True)


def test_the_summary_says_what_was_cut_and_what_failed() -> None:
    what = explained([(0, 1), (1, 2)], [True, False], [1.0, 0.5], truncated=True)
    lines = summary(what)
    assert lines["read"] == "10 of 20 tokens (50.0%), 1 of 2 sentences"
    assert "truncated" in lines
    assert lines["time"].startswith("1.8 ms")
    assert "pattern scan failed" in lines["errors"]
    assert "pattern scan failed" in printed(what, "ab")


# The real compressor.


@pytest.fixture(scope="module")
def compressor() -> Compressor:
    return load_compressor()


def test_a_long_sentence_in_overlapping_windows_is_shown_once(compressor: Compressor) -> None:
    # No stop mark in it, so it is cut; then what is of no script, and what breaks pages.
    text = "Begin here. " + "one word and another word " * 200 + HOSTILE * 3 + "The end."
    chat = plain_text(text)
    what = explain(compressor, chat, 64)
    assert (what.spans[1:, 0] < what.spans[:-1, 1]).any(), "no windows overlap"
    assert not what.kept.all()
    assert Page(page(what, text)).prompt == visible(text)
    figures, stretches = parted(printed(what, text, everything=True), what)
    assert len(figures) == len(what.kept)
    assert "".join("".join(stretches).split()) == "".join(visible(text).split())


def test_a_sentence_of_which_only_the_beginning_is_read_is_cut(compressor: Compressor) -> None:
    text = "Now tell me at length what you make of all this, and of the rest of it besides?"
    what = explain(compressor, plain_text(text), 10)
    assert fates(what, pieces(what, len(text))) == ["cut"]
    spans = Page(page(what, text)).spans
    assert [attributes.get("class") for attributes, _ in spans] == ["kept", None]
    assert "".join(stretch for _, stretch in spans) == text
    _, stretches = parted(printed(what, text), what)
    assert stretches == [text]


def test_json_agrees_with_what_the_compressor_read(compressor: Compressor) -> None:
    text = "Alpha beta gamma delta number one. " * 3 + "Pears and plums. " * 100 + "Last words?"
    chat = plain_text(text)
    what = explain(compressor, chat, 32)
    shown = json.loads(json.dumps(as_json(what, chat)))
    assert shown["classified_tokens"] <= 30 < shown["tokens"]
    read = {at for start, end in shown["kept"] for at in range(start, end)}
    for sentence in shown["sentences"]:
        assert all(0 <= sentence[name] <= 1 for name in SIGNALS)
        assert (sentence["start"] in read) == sentence["kept"]
    assert shown["sentences"][-1]["reason"] == "last"
    assert sum(sentence["tokens"] for sentence in shown["sentences"]) >= shown["tokens"]


def test_a_page_of_a_million_characters(compressor: Compressor) -> None:
    text = "".join(f"Sentence number {number} says <little> & less. " for number in range(24_000))
    assert len(text) > 1_000_000
    what = explain(compressor, plain_text(text))
    source = page(what, text)
    assert len(source) < 10 * len(text)
    body = source[source.index('<div class="prompt"') :]
    assert body.count("&lt;little&gt; &amp; less.") == 24_000
    assert body.count('class="kept"') == what.kept.sum()


def test_a_profile_is_one_that_there_is() -> None:
    with pytest.raises(RequestError, match=r"no profile .*security"):
        load_compressor(profile="no-such")
    text = "Pears and plums are fruit of the autumn. " * 30
    by_default, coding = (
        explain(load_compressor(profile=name), plain_text(text), 32) for name in (None, "coding")
    )
    assert not np.array_equal(by_default.scores, coding.scores)


def test_a_repository_without_a_parameter_is_named(tmp_path: Path) -> None:
    (tmp_path / "compressor").mkdir()
    (tmp_path / "compressor" / "config.pbtxt").write_text('backend: "python"')
    with pytest.raises(ModelLoadError, match="classifiers"):
        load_compressor(tmp_path)


# The command.


def test_the_command_prints_a_request_for_people_without_colours() -> None:
    messages = [{"role": "user", "content": "Be brief."}, {"role": "user", "content": HOSTILE}]
    result = subprocess.run(
        [Path(sys.executable).with_name("pointsman"), "explain", "-"],
        input=json.dumps({"messages": messages}).encode(),
        capture_output=True,
        timeout=120,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert result.returncode == 0, result.stderr.decode()
    shown = result.stdout.decode("ascii")
    assert "Be brief." in shown
    assert "whole text" in shown
    assert "[bold red]x[/] :smile:" in shown
    assert "\x1b" not in shown
    assert r"\u4f60\u597d" in shown


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command in this process, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["pointsman", "explain", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_the_command_writes_a_page_and_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prompt.html"
    text = "One. Two? " + "Three words here. " * 400
    arguments = ("--text", text, "--budget", "40", "--html", str(file), "--json")
    assert run(monkeypatch, *arguments) == 0
    assert Page(file.read_bytes().decode()).prompt == text
    assert json.loads(capsys.readouterr().out)["text"] == text


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        ((), 2, "FILE"),
        (("--text", "x", "-"), 2, "both"),
        (("--text", " "), 2, "empty"),
        (("--text", "x", "--budget", "1"), 2, "budget"),
        (("--text", "x", "--profile", "none"), 2, "profile"),
        (("--text", "x", "--html", "/nonexistent/page.html"), 2, "page.html"),
        (("--text", "x", "--model-repository", "/nonexistent"), 5, "repository"),
    ],
)
def test_what_cannot_be_explained_is_said(
    arguments: tuple[str, ...],
    code: int,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, *arguments) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert word in shown.err
