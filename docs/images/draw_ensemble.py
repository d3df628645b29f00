"""Draw ensemble.svg, the picture of one request's way through the ensemble.

Usage: ``python docs/images/draw_ensemble.py``. The SVG needs nothing but the standard library; the
PNG beside it is made too when the ``resvg-py`` package is installed.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 1372, 620
INK, MUTED, PAPER = "#1c2733", "#5b6b7a", "#ffffff"
BLUE, GREEN, AMBER, GREY = "#2563a8", "#1f7a4d", "#a85b12", "#5b6b7a"
TINT = {BLUE: "#eaf2fb", GREEN: "#e9f6ef", AMBER: "#fdf2e6", GREY: "#f3f5f7"}
FONT = "'DejaVu Sans', Verdana, 'Segoe UI', sans-serif"
MONO = "'DejaVu Sans Mono', Menlo, Consolas, monospace"


@dataclass(frozen=True)
class Box:
    """A rounded rectangle, in pixels from the top left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def left(self) -> tuple[float, float]:
        """The middle of the left edge."""
        return self.x, self.y + self.h / 2

    @property
    def right(self) -> tuple[float, float]:
        """The middle of the right edge."""
        return self.x + self.w, self.y + self.h / 2


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 14,
    colour: str = INK,
    weight: str = "normal",
    anchor: str = "middle",
    mono: bool = False,
) -> str:
    """One line of text whose baseline starts, ends or is centred at (x, y)."""
    family = MONO if mono else FONT
    return (
        f'<text x="{x:g}" y="{y:g}" font-family="{family}" font-size="{size}" fill="{colour}" '
        f'font-weight="{weight}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def panel(box: Box, colour: str, *, fill: str | None = None, dashed: bool = False) -> str:
    """The outline and tint of a box."""
    dash = ' stroke-dasharray="7 5"' if dashed else ""
    return (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.w:g}" height="{box.h:g}" rx="10" '
        f'fill="{fill or TINT[colour]}" stroke="{colour}" stroke-width="1.6"{dash}/>'
    )


def card(box: Box, colour: str, title: str, *lines: str) -> list[str]:
    """A box with a bold title and smaller lines under it, centred."""
    middle = box.x + box.w / 2
    top = box.y + box.h / 2 - (len(lines) * 19) / 2 + 5
    parts = [panel(box, colour), text(middle, top, title, size=16, colour=colour, weight="bold")]
    parts += [
        text(middle, top + 21 + 19 * i, line, size=13, colour=INK) for i, line in enumerate(lines)
    ]
    return parts


def arrow(*points: tuple[float, float], colour: str = INK) -> str:
    """A line through the points with a head at the last one."""
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    name = {INK: "ink", MUTED: "muted", BLUE: "blue"}[colour]
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8" '
        f'stroke-linejoin="round" marker-end="url(#{name})"/>'
    )


def draw() -> str:
    """The whole picture as SVG text."""
    client = Box(16, 254, 118, 100)
    server = Box(188, 56, 992, 512)
    compressor = Box(206, 118, 222, 372)
    encoder = Box(510, 240, 136, 128)
    heads = safety, domain, pii = [Box(774, y, 178, 88) for y in (126, 260, 394)]
    router = Box(1034, 230, 130, 148)
    llm = Box(1224, 254, 132, 100)
    middle_of = {box: box.x + box.w / 2 for box in (client, server, compressor, router, llm)}

    left = compressor.x
    parts = [panel(server, GREY, fill="#fbfcfd", dashed=True)]
    parts += [
        text(left, 84, "Triton Inference Server", size=17, weight="bold", anchor="start"),
        text(left, 105, "ensemble chat_router", size=13, colour=MUTED, anchor="start", mono=True),
    ]
    parts += card(client, BLUE, "Client", "library or CLI")

    parts.append(panel(compressor, GREEN))
    middle = middle_of[compressor]
    parts.append(text(middle, 145, "compressor", size=16, colour=GREEN, weight="bold"))
    steps = [
        ("scan", "patterns with checksums,", "over the whole text"),
        ("prepare", "sentences, hashed terms"),
        ("relevance", "TextRank, position,", "TF-IDF density, novelty"),
        ("retrieve", "whole sentences in budget"),
        ("apply", "tokens + original offsets"),
    ]
    y = 158.0
    for name, *notes in steps:
        height = 34 + 15 * len(notes)
        step = Box(compressor.x + 14, y, compressor.w - 28, height)
        parts.append(panel(step, GREEN, fill=PAPER))
        parts.append(text(middle, y + 19, name, size=14, weight="bold"))
        parts += [
            text(middle, y + 36 + 15 * i, note, size=12, colour=MUTED)
            for i, note in enumerate(notes)
        ]
        y += height + 10

    parts += card(encoder, AMBER, "encoder", "reads up to", "32,768 tokens,", "once for all three")
    parts += card(safety, AMBER, "safety_classifier", "benign, jailbreak,", "harmful")
    parts += card(domain, AMBER, "domain_classifier", "14 subjects")
    parts += card(pii, AMBER, "pii_classifier", "17 types, per token")
    parts += card(router, GREEN, "router", "logits + findings", "+ policy.yaml", "= decision")
    parts += card(llm, BLUE, "LLM servers", "vLLM and other", "OpenAI-style APIs")

    def named(from_x: float, to_x: float, y: float, tensor: str) -> str:
        """A tensor's name over the line that it travels."""
        return text((from_x + to_x) / 2, y - 9, tensor, size=12, colour=MUTED, mono=True)

    _, y = client.right
    # Client to compressor, compressor to encoder.
    for start, end in ((client, compressor), (compressor, encoder)):
        parts.append(arrow(start.right, end.left))
    parts.append(named(client.right[0], server.x, y, "TEXT"))
    parts.append(named(compressor.right[0], encoder.x, y, "INPUT_IDS"))
    # Encoder to the three heads, through one bus.
    bus = 755.0
    for box in heads:
        parts.append(arrow(encoder.right, (bus, y), (bus, box.left[1]), box.left))
    parts.append(named(encoder.right[0], bus, y, "HIDDEN_STATES"))
    # Heads to the router.
    join = 1005.0
    for box in heads:
        parts.append(arrow(box.right, (join, box.right[1]), (join, y), router.left))
    parts.append(named(safety.right[0], join, safety.right[1], "LOGITS"))
    # Findings and offsets go round encoder and heads.
    below = 538.0
    parts.append(
        arrow(
            (middle, compressor.y + compressor.h),
            (middle, below),
            (middle_of[router], below),
            (middle_of[router], router.y + router.h),
            colour=MUTED,
        )
    )
    parts.append(named(middle, middle_of[router], below, "FINDINGS, TOKEN_OFFSETS"))
    # Decision back to the client, request on to the LLM.
    parts.append(
        arrow(
            (middle_of[router], router.y),
            (middle_of[router], 34),
            (middle_of[client], 34),
            (middle_of[client], client.y),
            colour=BLUE,
        )
    )
    decision = "DECISION: route, redact, flag or block"
    parts.append(text(middle_of[server], 25, decision, size=13, colour=BLUE))
    parts.append(
        arrow(
            (middle_of[client], client.y + client.h),
            (middle_of[client], 592),
            (middle_of[llm], 592),
            (middle_of[llm], llm.y + llm.h),
            colour=BLUE,
        )
    )
    onwards = "the request, to the model that the decision names"
    parts.append(text(middle_of[server], 611, onwards, size=13, colour=BLUE))

    tips = "".join(
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
        f'markerHeight="8" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="{colour}"/></marker>'
        for name, colour in (("ink", INK), ("muted", MUTED), ("blue", BLUE))
    )
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" '
        'aria-label="One request on its way through the Pointsman ensemble">\n'
        f'<defs>{tips}</defs>\n<rect width="100%" height="100%" fill="{PAPER}"/>\n{body}\n</svg>\n'
    )


def main() -> None:
    """Write ensemble.svg, and ensemble.png where the renderer is installed."""
    here = Path(__file__).parent
    picture = draw()
    (here / "ensemble.svg").write_text(picture, encoding="utf-8")
    print("wrote", here / "ensemble.svg")
    try:
        renderer = importlib.import_module("resvg_py")
    except ImportError:
        print("no PNG: install resvg-py to have one")
        return
    (here / "ensemble.png").write_bytes(bytes(renderer.svg_to_bytes(svg_string=picture, zoom=2)))
    print("wrote", here / "ensemble.png")


if __name__ == "__main__":
    main()
