"""Decisions and diagnoses as text for people (rich tables)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from pointsman.decision import Decision

if TYPE_CHECKING:
    from pointsman.doctor import Check

_ACTION_STYLES = {"route": "green", "redact": "cyan", "flag": "yellow", "block": "bold red"}


def action_text(decision: Decision) -> str:
    """The action with its colour, as rich markup."""
    return f"[{_ACTION_STYLES[decision.action]}]{decision.action}[/]"


def pii_text(decision: Decision) -> str:
    """Each type found with its count, commonest first."""
    counts: dict[str, int] = {}
    for span in decision.pii:
        counts[span.type] = counts.get(span.type, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(name if count == 1 else f"{name} x{count}" for name, count in ordered) or "-"


def decision_table(decision: Decision, elapsed_ms: float) -> Table:
    """One decision, a row for each thing that was checked."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("action", f"{action_text(decision)}  by rule {escape(decision.rule)}")
    table.add_row("policy", escape(decision.policy))
    table.add_row("model", escape(decision.model) if decision.model else "-")
    table.add_row("safety", _scores(decision.safety.label, decision.safety.scores))
    table.add_row("domain", _scores(decision.domain.label, decision.domain.scores))
    for span in decision.pii:
        table.add_row(
            "pii",
            f"{span.type} at {span.start}:{span.end}  {span.score:.2f} by {span.source}, "
            f"{span.action}",
        )
    if decision.flags:
        table.add_row("flags", escape(", ".join(decision.flags)))
    for error in decision.errors:
        table.add_row("error", f"[bold red]{escape(error)}[/]")
    table.add_row("coverage", _coverage(decision))
    steps = ", ".join(f"{name} {us / 1e3:.1f}" for name, us in decision.timings_us.items())
    table.add_row("time", f"{elapsed_ms:.1f} ms in all; ms by step: {steps}")
    return table


def checks_table(checks: "Iterable[Check]") -> Table:
    """What a machine has, and the mend for what it has not."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        mark = "[green]ok[/]" if check.ok else "[bold red]missing[/]"
        table.add_row(mark, check.name, escape(check.detail))
        if check.mend:
            table.add_row("", "", f"[yellow]{escape(check.mend)}[/]")
    return table


def _scores(label: str, scores: dict[str, float]) -> str:
    if not scores:
        return "[bold red]not checked[/]"
    ordered = sorted(scores.items(), key=lambda item: -item[1])[:3]
    return f"{label}  (" + ", ".join(f"{name} {score:.2f}" for name, score in ordered) + ")"


def _coverage(decision: Decision) -> str:
    coverage = decision.coverage
    parts = [
        f"{coverage.classified_tokens:,} of {coverage.tokens:,} tokens classified",
        f"{coverage.scanned_characters:,} characters scanned for patterns",
    ]
    if coverage.truncated:
        parts.append("[yellow]truncated: text that had to be read was not[/]")
    if decision.skipped_parts:
        parts.append(f"[yellow]{decision.skipped_parts} non-text parts skipped[/]")
    return ", ".join(parts)
