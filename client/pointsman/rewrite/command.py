"""What ``pointsman rewrite`` does: find the op library, rewrite, and tell it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from pointsman import paths
from pointsman.errors import SetupError
from pointsman.rewrite.masks import UNLIMITED
from pointsman.rewrite.model import Layer, Summary, rewrite


def run(source: Path, target: Path, *, library: Path | None, compute_type: str) -> Group:
    """Rewrite a model.

    Args:
        source: the model as exported.
        target: the file to write.
        library: the op library; None: the one in `paths.kernels()`.
        compute_type: "float32" or "bfloat16".

    Returns:
        The summary, to be printed.

    Raises:
        SetupError: there is no op library.
        RewriteError: the model was not rewritten.
    """
    if library is None:
        library = paths.kernels() / paths.ATTENTION_LIBRARY
        mend = "build it with scripts/build_kernels, or name it: --library"
    else:
        mend = "give --library the path of libck_flash_attention.so"
    if not library.is_file():
        raise SetupError(f"no op library {library}: {mend}")
    summary = rewrite(source, target, library=library.resolve(), compute_type=compute_type)
    return render(target, summary)


def render(target: Path, summary: Summary) -> Group:
    """A summary for people: a row for each attention, then what was measured."""
    layers = Table(box=None, pad_edge=False)
    for title in ("window", "bias", "layout", "difference", "attention"):
        layers.add_column(title, no_wrap=title != "attention", overflow="fold")
    for layer in summary.layers:
        layers.add_row(
            window_text(layer),
            "key padding [B,1,1,S]" if layer.padding else "-",
            layer.layout,
            f"{layer.difference:.1e}",
            escape(layer.softmax),
        )
    measured = summary.difference
    runs = ", ".join(f"{batch}x{tokens}" for batch, tokens in measured.runs)
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("compared on", f"{runs} (batch x tokens)")
    facts.add_row(
        "outputs differ",
        f"{measured.absolute:.2g} at most, {measured.outputs:.1e} of their spread "
        f"(allowed: {measured.bounds.outputs:g})",
    )
    before, after = summary.nodes
    facts.add_row("nodes", f"{before:,} before, {after:,} after")
    before, after = summary.sizes
    facts.add_row("bytes", f"{before:,} before, {after:,} after")
    facts.add_row("written", escape(str(target)))
    return Group(layers, "", facts)


def window_text(layer: Layer) -> str:
    """A layer's window: how many tokens it sees back and ahead."""
    sides = [layer.window_left, layer.window_right]
    if sides == [UNLIMITED, UNLIMITED]:
        return "all tokens"
    left, right = ("all" if side == UNLIMITED else str(side) for side in sides)
    return f"{left} back, {right} ahead"
