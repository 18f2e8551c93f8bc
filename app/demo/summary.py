"""What the day came to, from the same reports that managers read.

Knows how figures are laid out for a person. Refuses to calculate any that the service reports.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

FEWEST_ANSWERS = 10


def show_tickets(console: Console, tickets: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> None:
    """Per department and stage: how many tickets, and who spoke to the customer."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for ticket in tickets:
        department = (
            names.get(ticket["department"], ticket["department"]) if ticket["department"] else "nobody (triage)"
        )
        count = counts.setdefault((department, ticket["stage"] or ""), Counter())
        count["tickets"] += 1
        count["open"] += ticket["state"] not in ("resolved", "closed")
        first_hand = any(reply["department"] for reply in ticket["replies"])
        count["first-hand" if first_hand else "by webcare"] += bool(ticket["replies"])
    columns = ("tickets", "first-hand", "by webcare", "open")
    table = _table("Tickets", "department", "stage", figures=columns)
    for (department, stage), count in sorted(counts.items()):
        table.add_row(department, stage, *(str(count[column]) for column in columns))
    total = sum(counts.values(), Counter())
    table.add_section()
    table.add_row("all", "", *(str(total[column]) for column in columns))
    console.print(table)


def show_sla(console: Console, report: Mapping[str, Any]) -> None:
    table = _table(
        "SLA: promises kept, in business time", "metric", figures=("promises", "met", "breached", "kept", "median")
    )
    for item in report["items"]:
        share = "" if item["met_share"] is None else f"{item['met_share']:.0%}"
        table.add_row(
            item["metric"], str(item["n"]), str(item["met"]), str(item["breached"]), share, _duration(item["p50"])
        )
    console.print(table)


def show_nps(
    console: Console, overall: Mapping[str, Any], departments: Mapping[str, Any], names: Mapping[str, str]
) -> None:
    figures = ("asked", "answers", "9-10", "7-8", "0-6", "NPS", "95 % interval")
    table = _table("NPS: would customers recommend us?", "department", figures=figures)
    for item in departments["items"]:
        if item["invited"]:
            table.add_row(names.get(item["department"], item["department"] or "nobody"), *_nps(item))
    table.add_section()
    for item in overall["items"]:
        table.add_row("all", *_nps(item))
    console.print(table)
    console.print(
        Text(f"Below {FEWEST_ANSWERS} answers no NPS is shown: chance would speak, not customers.", style="dim")
    )


def show_next_steps(console: Console, url: str, token: str) -> None:
    """Three lines to copy; `token` as the shell is to read it."""
    bearer = f'-H "Authorization: Bearer {token}"'
    mention = (
        '{"channel": "forum", "external_id": "my-first", "author": {"handle": "me"}, '
        '"text": "Waar blijft mijn pakketje?", "posted_at": "\'$(date -u +%FT%TZ)\'"}'
    )
    console.print(Text("\nTry it yourself:", style="bold"))
    for line in (
        f"curl -s {url}/api/v1/mentions {bearer} -H 'Content-Type: application/json' -d '{mention}'",
        f"curl -s {url}/api/v1/queue {bearer}",
        f"curl -s '{url}/api/v1/reports/sla?group_by=department&format=csv' {bearer}",
    ):
        console.print(Text(f"  {line}"), soft_wrap=True)


def _table(title: str, *columns: str, figures: Sequence[str]) -> Table:
    table = Table(*columns, title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for figure in figures:
        table.add_column(figure, justify="right")
    return table


def _nps(item: Mapping[str, Any]) -> tuple[str, ...]:
    counts = tuple(str(item[name]) for name in ("invited", "n", "promoters", "passives", "detractors"))
    if item["nps"] is None:
        return *counts, "-", ""
    return *counts, f"{item['nps']:.0f}", f"{item['low']:.0f} to {item['high']:.0f}"


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else str(timedelta(seconds=round(seconds)))
