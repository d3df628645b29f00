"""Routes every example request through a real Triton server, a line for each.

Started by `make demo`.
"""

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

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
    console.print("starting Triton (loads five models)")
    started = time.perf_counter()
    with EmbeddedTriton() as triton, Router(triton.grpc_url) as router:
        console.print(f"Triton is ready after {time.perf_counter() - started:.1f} s")
        console.print(_route_all(router))
    console.print("Triton has stopped. Try one yourself: .venv/bin/pointsman serve")


def _route_all(router: Router) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("request", "action", "rule", "model", "domain", "safety", "PII"):
        table.add_column(name, overflow="fold")
    for name in ("seen / tokens", "ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for path in sorted(EXAMPLES.glob("*.json")):
        body = path.read_bytes()
        sent = time.perf_counter()
        decision = router.route(body)
        elapsed_ms = (time.perf_counter() - sent) * 1e3
        table.add_row(
            path.stem,
            action_text(decision),
            escape(decision.rule),
            escape(decision.model or "-"),
            f"{decision.domain.label} {decision.domain.score:.2f}",
            f"{decision.safety.label} {decision.safety.score:.2f}",
            pii_text(decision),
            f"{decision.coverage.classified_tokens:,} / {decision.coverage.tokens:,}",
            f"{elapsed_ms:.0f}",
        )
    return table


if __name__ == "__main__":
    try:
        demo(Console())
    except PointsmanError as error:
        sys.exit(f"demo: {error}")
