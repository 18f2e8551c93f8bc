"""What is agreed to say is put down, and withdrawn.

Knows who may speak about which topic. Refuses to know what a statement holds back (say).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from app.access.role import Caller, Forbidden, Role
from app.answers.statements import store
from app.answers.statements.statement import (
    NotYourTopic,
    Statement,
    StatementWithdrawn,
    check_statement,
)
from app.kit import logs
from app.kit.ids import new_id
from app.routing.by_hand import check_channels, check_names
from app.runtime import Unit


async def agree(
    unit: Unit,
    caller: Caller,
    *,
    topics: Sequence[str],
    channels: Sequence[str] | None,
    texts: Mapping[str, str],
    never_say: Sequence[str],
    begins_at: datetime | None,
    valid_until: datetime | None,
) -> Statement:
    """A statement that holds from `begins_at`, None: from now. A department makes them about its own topics.

    Raises `UnknownTopic`, `UnknownChannel`, `NotYourTopic`, `PhraseUnusable`, `StatementEndsBeforeItBegins`.
    """
    _check_reach(unit, caller, topics, channels)
    made = Statement(
        id=new_id(),
        topics=tuple(dict.fromkeys(topics)),
        channels=None if channels is None else tuple(dict.fromkeys(channels)),
        texts=texts,
        never_say=tuple(never_say),
        begins_at=begins_at or unit.now,
        valid_until=valid_until,
        owner=caller.department,
        actor=caller.actor,
        made_at=unit.now,
    )
    check_statement(made)
    await store.add_statement(unit.tx, made)
    logs.transition("statement.made", statement=str(made.id), topics=list(made.topics), actor=caller.actor)
    return made


async def withdraw(unit: Unit, caller: Caller, statement_id: UUID) -> Statement:
    """It holds no longer; what it held back stays held.

    Raises `StatementNotFound`, `Forbidden`, `StatementWithdrawn`.
    """
    standing = await store.get_statement(unit.tx, statement_id)
    if caller.department is not None and standing.owner != caller.department:
        roles = [str(role) for role in (Role.PR, Role.MANAGER, Role.ADMIN)]
        raise Forbidden("Only who made a statement withdraws it, or PR, a manager or an admin.", roles=roles)
    if not await store.mark_withdrawn(unit.tx, statement_id, caller.actor, unit.now):
        raise StatementWithdrawn(f"It was withdrawn by {standing.withdrawn_by} before.")
    logs.transition("statement.withdrawn", statement=str(statement_id), actor=caller.actor)
    return replace(standing, withdrawn_at=unit.now, withdrawn_by=caller.actor)


def _check_reach(unit: Unit, caller: Caller, topics: Sequence[str], channels: Sequence[str] | None) -> None:
    rules = unit.rulebook
    for topic in topics:
        check_names(rules.routing, topic, None, topics=rules.topics)
        owners = {owning.department for owning in rules.routing.ownerships if owning.topic == topic}
        if caller.department is not None and caller.department not in owners:
            raise NotYourTopic(f"'{topic}' is owned by {', '.join(sorted(owners))}.", field="topics")
    check_channels(channels or (), named=rules.accounts)
