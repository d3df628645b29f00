"""Tables and the picture of what perf/body.py measured, made from its JSON alone.

Usage: ``PYTHONPATH=. python perf/body_report.py [FILE.json]`` writes docs/body_results.md and draws
docs/images/body.svg.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from attention_report import milliseconds, table

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "perf" / "results" / "body.json"
PAGE = ROOT / "docs" / "body_results.md"
PICTURE = ROOT / "docs" / "images" / "body.svg"
FORMS = {
    "compact": "As the openai package and JavaScript write it, ASCII text, `model` first.",
    "model last": "The same, `model` last: who asks for it early looks at all that comes before.",
    "spaced": "With spaces, as `json.dumps` and `requests` write it.",
    "beyond ASCII": "As the first, with typographic quotes and dashes in the text, of which Python "
    "needs two bytes a character, and both ways must encode it.",
}
"""How bodies are written."""
COLOURS = {"ours": "#2563a8", "plain": "#a85b12"}
Results = dict[str, Any]


def spread(found: dict[str, Any]) -> str:
    """Return a median with its quartiles."""
    low, high = found["quartiles"]
    return f"{milliseconds(found['p50'])} ({milliseconds(low)}-{milliseconds(high)})"


def edits_table(rows: list[Results], form: str) -> str:
    """Return the comparison for one form of body."""
    lines = [
        [
            f"{row['bytes']:,}",
            f"{row['messages']:,}",
            f"{row['redactions']:,}",
            spread(row["ours_ms"]),
            spread(row["plain_ms"]),
            f"{row['ratio']['p50']:.1f}",
        ]
        for row in rows
        if row["form"] == form
    ]
    return table(["bytes", "messages", "redactions", "ours, ms", "plain, ms", "ratio"], lines)


def passing_table(rows: list[Results]) -> str:
    """Return what passing a body through costs."""
    lines = [
        [
            f"{row['bytes']:,}",
            row["shape"],
            spread(row["first_byte_ms"]),
            milliseconds(row["first_byte_ms"]["p99"]),
            milliseconds(row["all_ms"]["p50"]),
            f"{row['peak_bytes'] / 1024:,.0f}",
        ]
        for row in rows
    ]
    head = ["bytes", "messages", "to the first byte, ms", "p99, ms", "all of it, ms", "peak, KiB"]
    return table(head, lines)


def markdown(results: Results) -> str:
    """Return the page."""
    machine, single = results["machine"], results["single_bytes"]
    load = ", ".join(f"{value:g}" for value in machine["load_average"])
    rows = results["edits"]
    return "\n".join(
        [
            "# Body handling, measured\n",
            "<!-- Written by perf/body.py from perf/results/body.json. -->\n",
            f"{machine['cpu']}, {machine['cores']} cores, load average {load} at the start; Python "
            f"{machine['python']}, orjson {machine['orjson']}, msgspec {machine['msgspec']}.\n",
            "A body of English prose arrives in pieces of 64 KiB; the text to judge is taken out "
            "of it, and another model is put in, with and without redactions. *Plain*: the pieces "
            "joined, `json.loads`, the same edits, `json.dumps`. Both in turn, in processor "
            "time: medians with quartiles; the ratio is the median of plain by ours, round by "
            "round.\n",
            *(
                f"## {form[0].upper() + form[1:]}\n\n{about}\n\n{edits_table(rows, form)}"
                for form, about in FORMS.items()
            ),
            "## Passed through\n",
            "The time that an exempt model's body is held up, from its first piece to the same "
            "bytes; the time for all pieces; and the most memory held, of Python and numpy, the "
            "first piece's copy included.\n",
            passing_table(results["passing"]),
            f"A body of {single['bytes']:,} bytes that comes byte by byte takes "
            f"{single['kept_s']:.1f} s in all when it is kept, {single['passed_through_s']:.1f} s "
            "when it is passed through.\n",
            "![Time over size](images/body.svg)\n",
        ]
    )


def draw(results: Results, picture: Path) -> None:
    """Draw both ways over the size."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "body", "font.size": 9, "svg.fonttype": "path"})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained", sharey=True)
    for axis, work in zip(axes, ("route", "redact"), strict=True):
        for shape, style in (("few large", "o-"), ("many small", "s--")):
            rows = [
                row
                for row in results["edits"]
                if (row["form"], row["work"], row["shape"]) == ("compact", work, shape)
            ]
            for way, colour in COLOURS.items():
                axis.plot(
                    [row["bytes"] for row in rows],
                    [row[f"{way}_ms"]["p50"] for row in rows],
                    style,
                    ms=4,
                    color=colour,
                    label=f"{way}, {shape}",
                )
        axis.set(xscale="log", yscale="log", xlabel="bytes", title=work)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("milliseconds, p50")
    axes[0].legend(frameon=False)
    picture.parent.mkdir(parents=True, exist_ok=True)
    # No date: the same figures give the same file.
    figure.savefig(picture, metadata={"Date": None})
    plt.close(figure)


def write(results: Results) -> None:
    """Write the page and draw the picture."""
    PAGE.write_text(markdown(results), encoding="utf-8")
    draw(results, PICTURE)


def main(
    source: Annotated[Path, typer.Argument(help="What perf/body.py wrote.")] = RESULTS,
) -> None:
    """Write the page and draw the picture."""
    write(json.loads(source.read_text(encoding="utf-8")))


if __name__ == "__main__":
    typer.run(main)
