"""Partners push mentions, signed: who they are, and whether a call is theirs.

Knows when a call is believed, once. Refuses to know what it brings (receive).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from app.access.role import Caller
from app.access.sources import store as sources
from app.access.sources.source import Source
from app.delivery.signing import TOLERANCE, SignatureRefused, verify
from app.flows.subscribe import signing_secret
from app.kit import logs
from app.kit.ids import new_id
from app.kit.sealing import Sealer
from app.runtime import Unit

_REMEMBERED = 2 * TOLERANCE + timedelta(minutes=5)  # a call is believed for twice the tolerance at most


@dataclass(frozen=True, slots=True)
class SourceMade:
    """A source and its secret, which nobody is ever told again."""

    source: Source
    secret: str = field(repr=False)


async def register(
    unit: Unit, caller: Caller, sealer: Sealer, *, name: str, channel: str, account: str | None, secret: str | None
) -> SourceMade:
    """A partner that may push from now on. Raises `SecretUnusable`."""
    shared = signing_secret(secret)
    made = Source(new_id(), name, channel, account, sealer.seal(shared), unit.now)
    await sources.add_source(unit.tx, made)
    logs.transition("source.registered", source=str(made.id), channel=channel, actor=caller.actor)
    return SourceMade(made, shared)


async def remove(unit: Unit, caller: Caller, source_id: UUID) -> None:
    """Nothing more is taken from it. Raises `SourceNotFound`."""
    await sources.mark_removed(unit.tx, source_id, unit.now)
    logs.transition("source.removed", source=str(source_id), actor=caller.actor)


async def believe(
    unit: Unit, sealer: Sealer, source_id: UUID, headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> Source:
    """Who pushes this. Raises `SignatureRefused`, whatever is wrong: a stranger learns nothing from the difference."""
    source = await sources.find_source(unit.tx, source_id)
    if source is None:
        raise SignatureRefused("No signature fits the body; sign the very bytes that you send.")
    signed = verify([sealer.open(source.secret_sealed)], headers, body, now=unit.now)
    if not await sources.record_call(unit.tx, source.id, signed.id, signed.at):
        raise SignatureRefused("This very call came before; sign anew when you send again.")
    return source


async def forget_calls(unit: Unit) -> int:
    """Chore: drop what is too old to be believed again; returns how many."""
    return await sources.purge_calls(unit.tx, _REMEMBERED)
