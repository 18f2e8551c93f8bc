"""`webcare token`: who may come in. Works on the database itself, so that it also helps who has no token left."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from app.access.role import Role
from app.access.store import list_tokens
from app.access.token import Token
from app.cli.doors import door
from app.cli.processes import beside
from app.flows import admit
from app.kit.clock import utc_now

app = typer.Typer(
    no_args_is_help=True,
    help="""Make, list and revoke the tokens that callers of the API show.

    A token has one role: ingest posts mentions, agent works the queue, department answers its own tickets, pr handles
    escalations, manager reads reports, admin does everything.
    """,
)


@app.command()
@door
def create(
    role: Annotated[Role, typer.Option(help="What the holder may do.")],
    name: Annotated[str, typer.Option(help="Who holds it; history shows this name.")],
    department: Annotated[str | None, typer.Option(help="Which department; for the role department only.")] = None,
    days: Annotated[int | None, typer.Option(help="Days until it expires; left out: never.", min=1)] = None,
) -> None:
    """Make a token and print it, alone, on standard output. It is shown this once.

    Example: webcare token create --role department --department supply_chain --name parcels
    """
    expires_at = utc_now() + timedelta(days=days) if days else None
    typer.echo(asyncio.run(_create(role, name, department, expires_at)))


@app.command("list")
@door
def list_all() -> None:
    """Print every token's id, role, name, department and state, separated by tabs. Secrets are not kept."""
    for token in asyncio.run(_list()):
        ended = (token.revoked_at and "revoked") or (
            "expired" if token.expires_at and token.expires_at <= utc_now() else "valid"
        )
        typer.echo("\t".join([str(token.id), token.role, token.name, token.department or "-", ended]))


@app.command()
@door
def revoke(token_id: Annotated[UUID, typer.Argument(help="The id that `webcare token list` shows.")]) -> None:
    """Shut a token out; every process knows within a second."""
    token = asyncio.run(_revoke(token_id))
    typer.echo(f"Revoked: {token.role} {token.name}")


async def _create(role: Role, name: str, department: str | None, expires_at: datetime | None) -> str:
    async with beside() as runtime:
        return (await runtime.run(admit.issue, role, name, department, expires_at)).secret


async def _list() -> tuple[Token, ...]:
    async with beside() as runtime, runtime.reading() as tx:
        return await list_tokens(tx)


async def _revoke(token_id: UUID) -> Token:
    async with beside() as runtime:
        return await runtime.run(admit.revoke, token_id)
