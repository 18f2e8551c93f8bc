"""`webcare sla`: whether clocks stand as they should. Works on the database itself, beside whatever runs."""

import asyncio
from typing import Annotated
from uuid import UUID

import typer

from app.cli.doors import FAILED, door
from app.cli.processes import beside
from app.flows.verify import Finding, verify

app = typer.Typer(no_args_is_help=True, help="Look after the clocks of tickets.")


@app.command("verify")
@door
def verify_clocks(
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Mend open clocks; each ticket's history says so.")] = False,
    past: Annotated[bool, typer.Option("--past", help="With --repair: mend also what reports have counted.")] = False,
    batch: Annotated[int, typer.Option(help="Tickets at a time; they are locked meanwhile.", min=1, max=5000)] = 200,
) -> None:
    """Read every clock of every ticket from who had the ball, and compare with what was kept.

    Prints what differs, and a line of progress for each batch on standard error. Exit code 1 when something differs
    that was not mended. Safe to run beside the service. Run it with --repair after calendars were edited: running
    clocks get their new moments at once.
    """
    tickets, clocks, findings = asyncio.run(_walk(batch, repair=repair, past=past))
    mended = sum(finding.mended for finding in findings)
    typer.echo(f"{tickets} tickets, {clocks} clocks: {len(findings)} differ, {mended} of those mended.")
    if mended < len(findings):
        raise typer.Exit(FAILED)


async def _walk(batch: int, *, repair: bool, past: bool) -> tuple[int, int, list[Finding]]:
    tickets, clocks, findings = 0, 0, list[Finding]()
    async with beside() as runtime:
        last: UUID | None = None
        while (done := await runtime.run(verify, last, batch, repair=repair, past=past)).last is not None:
            tickets, clocks, last = tickets + done.tickets, clocks + done.clocks, done.last
            findings += done.findings
            for found in done.findings:
                typer.echo(f"ticket {found.number}: {found.what}{' (mended)' if found.mended else ''}")
            typer.echo(f"{tickets} tickets read, {len(findings)} clocks differ", err=True)
    return tickets, clocks, findings
