"""`webcare reports`: what reports count. Works on the database itself, beside whatever runs."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.doors import database_url, door
from app.cli.processes import ready_runtime
from app.flows import tally
from app.reports.tally.subjects.store import get_count
from app.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Look after the figures of reports.")

FORGET = 10_000  # rows that nobody reads, removed at a time


@app.callback()
def reports() -> None:
    """Keeps `rebuild` a word of its own while it is the only one."""


@app.command("rebuild")
@door
def rebuild_reports(
    *, batch: Annotated[int, typer.Option(help="Tickets in one transaction.", min=1, max=5000)] = 500
) -> None:
    """Count everything anew, beside what is read meanwhile, and then let reports read that.

    Safe to run beside the service and to break off: what is not finished is never read. The figures come out as they
    were, unless somebody changed them by hand.
    """
    tickets = asyncio.run(_rebuild(batch))
    typer.echo(f"{tickets} tickets counted anew.")


async def _rebuild(batch: int) -> int:
    settings = Settings()
    with database_url(settings) as url:
        async with ready_runtime(settings, url) as runtime:
            async with runtime.reading() as tx:
                total = await get_count(tx)
            made = await runtime.run(tally.begin_edition)
            last, tickets = None, 0
            with _bar() as bar:
                task = bar.add_task("tickets", total=total)
                while (done := await runtime.run(tally.count_behind, made.edition, last, batch)).last is not None:
                    last, tickets = done.last, tickets + done.tickets
                    bar.update(task, completed=tickets)
            await runtime.run(tally.put_in_force, made)
            while await runtime.run(tally.forget_editions, FORGET):
                pass
    return tickets


def _bar() -> Progress:
    shown = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*shown, console=Console(stderr=True))
