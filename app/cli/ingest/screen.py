"""What `webcare ingest` shows: how a file is understood, how far it is, and what became of it.

Knows a terminal from a log file. Refuses to decide anything.
"""

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.cli.ingest.bookmark import Tally
from app.cli.ingest.plan import Plan, Wrong
from app.cli.ingest.reading import Read, Unreadable

_OUTCOMES = ("opened", "joined", "reopened", "updated", "duplicate", "ignored")
_LOG_EVERY = 5.0  # seconds between lines where no bar can be drawn
_SHOWN_TEXT = 60


class Meter:
    """A bar on a terminal; elsewhere a line now and then."""

    def __init__(self, console: Console, size: int) -> None:
        self._console = console
        self._size = size
        self._began = self._told = time.monotonic()
        self._rows = 0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=size)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def move(self, offset: int, tally: Tally, rows: int) -> None:
        """`rows` is how many rows came since the last move."""
        self._rows += rows
        told = f"{tally.read:,} rows, {tally.rejected:,} rejected, {self.rate:,.0f} a second"
        self._bar.update(self._task, completed=offset, description=told)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._told >= _LOG_EVERY:
            self._told = now
            self._console.print(f"{offset / max(self._size, 1):.0%}: {told}", highlight=False)

    def tell(self, words: str) -> None:
        self._console.print(words, highlight=False, markup=False)

    @property
    def rate(self) -> float:
        """Rows a second of this run."""
        return self._rows / max(self.seconds, 0.001)


def show_plan(console: Console, plan: Plan, rows: Iterable[Read]) -> None:
    """Which column is which field, and the mentions that these rows make."""
    console.print(_meanings(plan))
    table = Table("line", "posted at", "author", box=None, pad_edge=False)
    table.add_column("text", no_wrap=True, ratio=1)
    table.add_column("id", max_width=16, no_wrap=True)
    for row in rows:
        table.add_row(str(row.line), *_cells(row, plan))
    console.print(table)


def show_tally(console: Console, file: str, tally: Tally, rate: float) -> None:
    console.print(f"{file}: {tally.read:,} rows read, {rate:,.0f} a second.", highlight=False)
    counted = [(name, tally.outcomes[name]) for name in _OUTCOMES]
    counted += [("skipped", tally.skipped), ("rejected", tally.rejected)]
    console.print("  " + ", ".join(f"{count:,} {name}" for name, count in counted if count), highlight=False)
    if tally.departments:
        table = Table("department", box=None, pad_edge=False, padding=(0, 4, 0, 2))
        table.add_column("tickets opened", justify="right")
        for department, count in tally.departments.most_common():
            table.add_row(department, f"{count:,}")
        console.print(table)


def _meanings(plan: Plan) -> Table:
    table = Table("field", "comes from", box=None, pad_edge=False)
    for name in {**plan.columns, **plan.constants}:
        column, constant = plan.columns.get(name), plan.constants.get(name)
        parts = [f"column {column}"] if column else []
        parts += [f"always '{constant}'" if not column else f"'{constant}' where it is empty"] if constant else []
        table.add_row(name, ", ".join(parts))
    if "external_id" not in plan.columns:
        table.add_row("external_id", "a digest of the row")
    return table


def _cells(row: Read, plan: Plan) -> tuple[str, ...]:
    if isinstance(row, Unreadable):
        return "", "", f"rejected: {row.reason}", ""
    if not plan.wants(row.values):
        return "", "", "skipped by --where", ""
    mention = plan.understand(row.values)
    if isinstance(mention, Wrong):
        return "", "", f"rejected: {mention.field}: {mention.reason}", ""
    who = mention["author"]
    author = who.get("handle") or who.get("display_name") or who.get("external_id") or "nobody"
    text = mention["text"].replace("\n", " ")
    shown = text if len(text) <= _SHOWN_TEXT else f"{text[: _SHOWN_TEXT - 1]}…"
    return mention["posted_at"], author, shown, mention["external_id"]
