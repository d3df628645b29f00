"""How the pictures of the benchmark look, and how they are written: as SVG and as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLOURS = ("#2563a8", "#a85b12", "#1f7a4d", "#8a5a9e", "#b3344a", "#5b6b7a")
INK = "#1c2733"
DOTS_PER_INCH = 110


def subplots(rows: int = 1, columns: int = 1, size: tuple[float, float] = (10, 4.2)) -> Any:  # noqa: ANN401 - matplotlib has no types
    """Return a figure and its axes, as ``pyplot.subplots`` does.

    Args:
        rows: of axes.
        columns: of axes.
        size: width and height in inches.
    """
    import matplotlib as mpl

    mpl.use("agg")
    mpl.rcParams.update({"font.size": 9, "svg.fonttype": "path"})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained")
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
        axis.set_axisbelow(True)
    return figure, axes


def save(figure: Any, folder: Path, name: str) -> list[Path]:  # noqa: ANN401
    """Write ``performance_<name>.svg`` and ``.png``, and close the figure.

    The same figure gives the same files on the same matplotlib: no date, no random ids.

    Args:
        figure: of ``subplots``.
        folder: where the files go; made if there is none.
        name: of the picture, without prefix and suffix.

    Returns:
        The two files.
    """
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    svg, png = (folder / f"performance_{name}.{kind}" for kind in ("svg", "png"))
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(svg, metadata={"Date": None})
    figure.savefig(png, dpi=DOTS_PER_INCH, metadata={"Software": None})
    plt.close(figure)
    return [svg, png]
