"""The heat map of ``pointsman explain --html``: one page that needs nothing else."""

from __future__ import annotations

from html import escape
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

from pointsman.explain import fates, pieces, summary, visible

if TYPE_CHECKING:
    from pointsman_backends.compressor.pipeline import Explained

__all__ = ["page"]


def page(explained: Explained, text: str) -> str:
    """Return the page: the text, each sentence shaded by its score, those kept underlined.

    The text in it is that of the prompt, but for control characters: see `explain.visible`.

    Args:
        explained: Of the text.
        text: What was explained.
    """
    template = resources.files("pointsman").joinpath("explain.html").read_text("utf-8")
    low, high = float(explained.scores.min()), float(explained.scores.max())
    shades = (explained.scores - low) / ((high - low) or 1.0)
    parts = pieces(explained, len(text))
    titles = [
        _title(explained, sentence, fate) for sentence, fate in enumerate(fates(explained, parts))
    ]
    marked = []
    for start, end, sentence, read in parts:
        # As a reference: parsers take a carriage return for a line feed.
        stretch = escape(visible(text[start:end])).replace("\r", "&#13;")
        if sentence >= 0:
            kind = ' class="kept"' if read else ""
            stretch = (
                f'<span{kind} style="--t:{shades[sentence]:.2f}" tabindex="0" '
                f'title="{titles[sentence]}">{stretch}</span>'
            )
        marked.append(stretch)
    return Template(template).substitute(
        summary="\n".join(
            f"<dt>{escape(title)}</dt><dd>{escape(visible(line))}</dd>"
            for title, line in summary(explained).items()
        ),
        least=f"{low:.3f}",
        most=f"{high:.3f}",
        prompt="".join(marked),
    )


def _title(explained: Explained, sentence: int, fate: str) -> str:
    figures = ", ".join(
        f"{name} {signal[sentence]:.3f}" for name, signal in explained.signals.items()
    )
    return escape(
        f"{fate}: {explained.reasons[sentence]}; {explained.tokens[sentence]:,} tokens; "
        f"total {explained.scores[sentence]:.3f}: {figures}"
    )
