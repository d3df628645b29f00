"""Routes every example request through a real Triton server, a line for each.

Started by `make demo`.
"""

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape, render

from pointsman import Router
from pointsman.embedded import EmbeddedTriton
from pointsman.errors import PointsmanError
from pointsman.render import action_text, pii_text

EXAMPLES = Path(__file__).parent


def demo(console: Console) -> None:
    """Start the server, route the examples one after the other, stop the server.

    Raises:
        PointsmanError: The server did not start, or a request got no decision.
    """
    console.print("starting Triton (loads six models)")
    started = time.perf_counter()
    with EmbeddedTriton() as triton, Router(triton.grpc_url) as router:
        console.print(f"Triton is ready after {time.perf_counter() - started:.1f} s")
        console.print(
            _line("request", "action", "model", "domain", "safety", "seen / tokens", "ms", "PII"),
            style="bold",
            soft_wrap=True,
        )
        for path in sorted(EXAMPLES.glob("*.json")):
            console.print(_route(router, path), soft_wrap=True, highlight=False)
    console.print("Triton has stopped. Try one yourself: .venv/bin/pointsman serve")


def _route(router: Router, path: Path) -> str:
    body = path.read_bytes()
    sent = time.perf_counter()
    decision = router.route(body)
    elapsed_ms = (time.perf_counter() - sent) * 1e3
    coverage = decision.coverage
    return _line(
        path.stem,
        action_text(decision),
        escape(decision.model or "-"),
        f"{decision.domain.label} {decision.domain.score:.2f}",
        f"{decision.safety.label} {decision.safety.score:.2f}",
        f"{coverage.classified_tokens:,} / {coverage.tokens:,}",
        f"{elapsed_ms:.0f}",
        pii_text(decision),
    )


def _line(*cells: str) -> str:
    """The cells side by side; the last one, personal data, may run on."""
    widths = (23, 8, 12, 22, 15, -14, -5, 0)
    return "  ".join(
        " " * max(0, -width - len(text)) + cell + " " * max(0, width - len(text))
        for cell, width, text in zip(cells, widths, [render(c).plain for c in cells], strict=True)
    )


if __name__ == "__main__":
    try:
        demo(Console())
    except PointsmanError as error:
        sys.exit(f"demo: {error}")
