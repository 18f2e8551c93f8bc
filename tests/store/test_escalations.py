"""Escalations among others: which is open, which is asked for, and that an act on one leaves the rest alone."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from app.escalation.incidents.incident import Incident, Scope, Subject
from app.escalation.incidents.store import add_incident
from app.escalation.store import (
    Escalation,
    EscalationMovedOn,
    EscalationNotFound,
    EscalationState,
    Given,
    Wanted,
    add_escalations,
    claim_escalation,
    find_open,
    get_escalation,
    list_escalations,
    list_open,
    list_tickets,
    mark_acknowledged,
    mark_closed,
)
from app.kit.db import Database, Transaction
from app.kit.ids import new_id
from tests.support.clock import MORNING as NOW
from tests.support.standing import add_ticket

HOUR = timedelta(hours=1)
EVA = "pr:eva"


@dataclass
class Desk:
    """What PR has: of one ticket an escalation that is over and one that nobody saw, of another one in hand, and one
    of an incident that is due just now.
    """

    over: UUID
    overdue: UUID
    in_hand: UUID
    of_incident: UUID
    ticket: UUID
    other: UUID
    incident: UUID

    @property
    def all(self) -> list[UUID]:
        return [self.over, self.overdue, self.in_hand, self.of_incident]


@pytest.fixture
async def desk(database: Database) -> Desk:
    async def arrange(tx: Transaction) -> Desk:
        over, overdue, in_hand, of_incident = sorted(new_id() for _ in range(4))
        ticket, other = [(await add_ticket(tx, NOW)).id for _ in range(2)]
        outage = Incident(new_id(), Subject(Scope.TOPIC, "outage"), "raised", NOW, 9, 1.0, 0.0)
        await add_incident(tx, outage)
        desk = Desk(over, overdue, in_hand, of_incident, ticket, other, outage.id)
        rows = (
            (desk.over, ticket, None, EscalationState.CLOSED, NOW - HOUR),
            (desk.overdue, ticket, None, EscalationState.RAISED, NOW - HOUR),
            (desk.of_incident, None, outage.id, EscalationState.RAISED, NOW),
            (desk.in_hand, other, None, EscalationState.ACKNOWLEDGED, NOW - HOUR),
        )
        raised = [Escalation(a, b, c, state, NOW - 2 * HOUR, due_at) for a, b, c, state, due_at in rows]
        given = [
            Given(ticket, "legal", desk.over, "system", "a lawyer", {}, NOW - 3 * HOUR),
            Given(ticket, "by_hand:4f2a09", desk.overdue, EVA, "films along", {}, NOW - HOUR),
            Given(ticket, "reach", desk.overdue, "system", "12000 followers", {}, NOW - 2 * HOUR),
            Given(other, "media", desk.in_hand, "system", "a programme", {}, NOW),
        ]
        await add_escalations(tx, raised, given)
        return desk

    return await database.transact(arrange)


async def test_of_each_subject_the_open_one_is_found(database: Database, desk: Desk) -> None:
    async with database.reading() as tx:
        assert await list_open(tx, [desk.ticket, desk.other]) == {
            desk.ticket: desk.overdue,
            desk.other: desk.in_hand,
        }
        assert await list_open(tx, [desk.other]) == {desk.other: desk.in_hand}
        assert await find_open(tx, desk.ticket) == desk.overdue
        assert await find_open(tx, desk.incident) == desk.of_incident
        assert await find_open(tx, new_id()) is None
        assert await list_tickets(tx, [desk.in_hand, desk.of_incident]) == {desk.in_hand: desk.other}


async def test_one_comes_with_its_own_reasons_in_their_order(database: Database, desk: Desk) -> None:
    async with database.reading() as tx:
        found = await get_escalation(tx, desk.overdue)
        with pytest.raises(EscalationNotFound):
            await get_escalation(tx, new_id())
    assert (found.id, found.subject_id) == (desk.overdue, desk.ticket)
    assert [one.code for one in found.reasons] == ["reach", "by_hand:4f2a09"]
    claimed = await database.transact(lambda tx: claim_escalation(tx, desk.of_incident))
    assert (claimed.id, claimed.subject_id, claimed.reasons) == (desk.of_incident, desk.incident, ())


async def test_pr_sees_what_it_asks_for_the_oldest_first(database: Database, desk: Desk) -> None:
    asked = [
        (Wanted(), desk.all),
        (Wanted(state=EscalationState.RAISED), [desk.overdue, desk.of_incident]),
        (Wanted(reason="by_hand"), [desk.overdue]),
        (Wanted(reason="media"), [desk.in_hand]),
        (Wanted(reason="hand"), []),
        (Wanted(overdue_at=NOW), [desk.overdue]),
        (Wanted(ticket_id=desk.ticket), [desk.over, desk.overdue]),
        (Wanted(ticket_id=desk.ticket, reason="legal"), [desk.over]),
    ]
    async with database.reading() as tx:
        for wanted, expected in asked:
            found = await list_escalations(tx, wanted, limit=10)
            assert [one.id for one in found] == expected, wanted
        page = await list_escalations(tx, Wanted(), limit=2)
        rest = await list_escalations(tx, Wanted(), limit=10, after=page[-1].id)
    assert [one.id for one in (*page, *rest)] == desk.all
    assert len(page) == 2


async def test_an_act_on_one_leaves_the_others_as_they_are(database: Database, desk: Desk) -> None:
    await database.transact(lambda tx: mark_acknowledged(tx, desk.overdue, EVA, NOW))
    await database.transact(lambda tx: mark_closed(tx, desk.in_hand, EVA, "sooner", NOW))

    async with database.reading() as tx:
        found = {one.id: one for one in await list_escalations(tx, Wanted(), limit=10)}
    assert [found[one].state for one in desk.all] == ["closed", "acknowledged", "closed", "raised"]
    assert (found[desk.overdue].acknowledged_by, found[desk.overdue].acknowledged_at) == (EVA, NOW)
    assert (found[desk.in_hand].closed_by, found[desk.in_hand].lesson) == (EVA, "sooner")
    with pytest.raises(EscalationMovedOn, match="acknowledged already"):
        await database.transact(lambda tx: mark_acknowledged(tx, desk.overdue, EVA, NOW))
    with pytest.raises(EscalationMovedOn, match="closed already"):
        await database.transact(lambda tx: mark_closed(tx, desk.over, EVA, "sooner", NOW))
