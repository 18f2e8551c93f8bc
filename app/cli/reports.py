"""`webcare reports`: what reports count. Works on the database itself, beside whatever runs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from app.cli.doors import door
from app.cli.processes import beside
from app.flows.rebuild import Told, rebuild

app = typer.Typer(no_args_is_help=True, help="Look after the figures of reports.")


@app.callback()
def reports() -> None:
    """Keeps `rebuild` a word of its own while it is the only one."""


@app.command("rebuild")
@door
def rebuild_reports() -> None:
    """Count everything anew, beside what is read meanwhile, and then let reports read that.

    Safe to run beside the service and to break off: what is not finished is never read. The figures come out as they
    were, unless somebody changed them by hand.
    """
    tickets = asyncio.run(_rebuild())
    typer.echo(f"{tickets} tickets counted anew.")


async def _rebuild() -> int:
    async with beside() as runtime:
        with _bars() as told:
            return await rebuild(runtime, told)


@contextmanager
def _bars() -> Iterator[Told]:
    """A bar for each thing that is told about."""
    shown = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    bars: dict[str, TaskID] = {}
    with Progress(*shown, console=Console(stderr=True)) as progress:

        def told(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what)
            progress.update(bars[what], completed=done, total=total)

        yield told
