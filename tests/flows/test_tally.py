"""Sums are what counting everything anew would give, whatever people do to tickets and whenever a worker dies."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select, text

from app.feedback.answering import Answer
from app.feedback.invitation import State
from app.feedback.store import add_invitations, record_response
from app.flows import answer, tally
from app.flows import rebuild as rebuilding
from app.flows.record import record_one
from app.kit.db import Reading, Transaction
from app.reports.agreement.agreement import Count
from app.reports.agreement.store import list_agreements
from app.reports.question import UNIVERSAL, Interval, Question, midnight
from app.reports.tables import fact, rollup
from app.reports.tally.fact import Measure
from app.reports.tally.keeping.store import claim_tallied, get_tallied
from app.reports.tally.measured import Measured
from app.reports.tally.store import MAX_WAITING, get_ledger, list_measured
from app.runtime import Runtime, Unit
from app.tickets.bounce import HandBackCode
from app.tickets.ticket import Event, Step, Ticket
from tests.flows.test_audit import PLACES, SUPPLY, House
from tests.store.test_reports import invitation_of
from tests.support.standing import add_ticket

START = datetime(2026, 3, 2, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Amsterdam")  # of the rules
WEEK = midnight(START.date(), ZONE), midnight(START.date() + timedelta(days=7), ZONE)
MONTH = Question(START, START + timedelta(days=30), Interval.DAY, ("topic",), zone=ZONE)
FACTS = tuple(column for column in fact.c if column.name not in {"edition", "number"})
SUMS = tuple(column for column in rollup.c if column.name != "edition")


class Killed(Exception):
    pass


async def sums(tx: Reading) -> Mapping[str, list[tuple[object, ...]]]:
    """Everything that is kept in the edition that is read, in an order of its own."""
    edition = (await get_tallied(tx)).edition
    return {
        table.name: sorted(map(tuple, await tx.rows(select(*columns).where(table.c.edition == edition))), key=repr)
        for table, columns in ((fact, FACTS), (rollup, SUMS))
    }


async def rebuild(runtime: Runtime) -> dict[str, tuple[int, int]]:
    """In parts of a few tickets; what was told last of each thing."""
    heard: dict[str, tuple[int, int]] = {}

    def told(what: str, done: int, total: int) -> None:
        heard[what] = (done, total)

    await rebuilding.rebuild(runtime, told, together=3)
    return heard


async def catch_up(runtime: Runtime, limit: int = 50) -> None:
    while await runtime.run(tally.tally, limit):
        pass


async def measured(runtime: Runtime, question: Question, *measures: Measure) -> Measured:
    async with runtime.reading(reports=True) as tx:
        return await list_measured(await get_ledger(tx), question, measures)


class Counted(House):
    """The house of the audit, with workers that count now and then, and die in between."""

    @rule(limit=st.integers(1, 20))
    def a_worker_counts(self, limit: int) -> None:
        self.runner.run(self.runtime.run(tally.tally, limit))

    @rule(limit=st.integers(1, 20))
    def a_worker_dies_before_its_commit(self, limit: int) -> None:
        async def killed(unit: Unit) -> None:
            await tally.tally(unit, limit)
            raise Killed

        with pytest.raises(Killed):
            self.runner.run(self.runtime.run(killed))

    @rule(one=PLACES)
    def a_department_hands_back(self, one: int) -> None:
        chosen = self.tickets[one % len(self.tickets)]
        self.run(
            lambda unit: answer.hand_back(
                unit,
                SUPPLY,
                chosen.id,
                None,
                "r",
                code=HandBackCode.WRONG_TOPIC,
                topic=None,
                department=None,
                note=None,
            )
        )

    @precondition(lambda self: any(ticket.resolved_at for ticket in self.tickets))
    @rule(one=PLACES, state=st.sampled_from(State), score=st.integers(0, 10))
    def a_customer_is_asked(self, one: int, state: State, score: int) -> None:
        resolved = [ticket for ticket in self.tickets if ticket.resolved_at]
        chosen = resolved[one % len(resolved)]
        self.run(self._ask, chosen, state, score)

    async def _ask(self, unit: Unit, ticket: Ticket, state: State, score: int) -> None:
        """Whoever changes an invitation says so on its ticket."""
        assert ticket.resolved_at is not None
        asked = invitation_of(ticket, ticket.resolved_at, state)
        await add_invitations(unit.tx, [asked])
        stands = await unit.tx.fetch("SELECT FROM invitation WHERE id = $1", asked.id)
        if stands and state is State.ANSWERED:
            await record_response(unit.tx, asked.id, Answer(score, None), unit.now)
        await record_one(unit, Step(ticket, ticket, (Event("feedback.invited", "system"),)))

    def teardown(self) -> None:
        self.runner.run(self.compare())

    async def agree(self) -> None:
        async with self.runtime.reading(reports=True) as tx:
            question = Question(self.now - timedelta(days=300), self.now + timedelta(hours=1), zone=ZONE)
            compared = await list_agreements(tx, question)
        assert [one for one in compared.agreements if not one.agrees] == []

    async def compare(self) -> None:
        question = Question(self.now - timedelta(days=300), self.now, Interval.DAY, ("topic", "department"), zone=ZONE)
        await self.agree()
        before = (await measured(self.runtime, question, *Measure)).cells
        await catch_up(self.runtime)
        assert (await measured(self.runtime, question, *Measure)).cells == before
        async with self.runtime.reading() as tx:
            counted = await sums(tx)
        await self.agree()
        await rebuild(self.runtime)
        async with self.runtime.reading() as tx:
            assert await sums(tx) == counted
        assert await self.runtime.run(tally.tally, 1000) == 0


def test_counting_as_it_happens_gives_what_counting_anew_gives(runtime: Runtime, database_url: str) -> None:
    Counted.stand_up(runtime, database_url)


@pytest.mark.parametrize(
    ("spoil", "shows"),
    [
        ("SELECT", set()),
        ("UPDATE rollup SET n = n + 1 WHERE cut = 'topic' AND grain = 'day'", {"groupings"}),
        ("UPDATE rollup SET total = total + 1 WHERE cut = '' AND grain = 'day'", {"headline", "charts"}),
        ("DELETE FROM rollup WHERE cut = '' AND grain = 'week'", {"charts"}),
        ("DELETE FROM fact WHERE measure = 'opened'", {"drill_down"}),
        ("UPDATE ticket SET opened_at = opened_at - interval '1 year'", {"anew"}),
    ],
)
async def test_what_somebody_changed_by_hand_does_not_agree(runtime: Runtime, spoil: str, shows: set[str]) -> None:
    await runtime.database.transact(lambda tx: _open(tx, 3))
    await catch_up(runtime)
    await runtime.database.transact(lambda tx: tx.execute(text(spoil)))
    async with runtime.reading(reports=True) as tx:
        compared = await list_agreements(tx, Question(*WEEK, zone=ZONE))
    [opened] = [one for one in compared.agreements if one.measure is Measure.OPENED]
    assert opened.agrees is (not shows)
    right = Count(3, 0, 0)
    wrong = {name for name in ("headline", "drill_down", "anew") if getattr(opened, name) != right}
    wrong |= {name for name in ("charts", "groupings") if set(getattr(opened, name).values()) != {right}}
    assert wrong == shows


async def test_workers_at_the_same_time_count_nothing_twice(runtime: Runtime) -> None:
    await runtime.database.transact(lambda tx: _open(tx, 40))
    await asyncio.gather(*(catch_up(runtime, 7) for _ in range(4)))
    await catch_up(runtime)
    async with runtime.reading() as tx:
        counted = await sums(tx)
    assert sum(row[FACTS.index(fact.c.measure)] == "opened" for row in counted["fact"]) == 40
    await rebuild(runtime)
    async with runtime.reading() as tx:
        assert await sums(tx) == counted


async def test_what_waits_is_counted_along_until_there_is_too_much_of_it(runtime: Runtime) -> None:
    await runtime.database.transact(lambda tx: _open(tx, MAX_WAITING - 1))
    few = await measured(runtime, MONTH, Measure.OPENED)
    assert sum(cell.n for cell in few.cells.values()) == MAX_WAITING - 1
    await runtime.database.transact(lambda tx: _open(tx, 1))
    many = await measured(runtime, MONTH, Measure.OPENED)
    assert (many.cells, many.as_of) == ({}, START)
    await catch_up(runtime, 1000)
    all_ = await measured(runtime, MONTH, Measure.OPENED)
    assert sum(cell.n for cell in all_.cells.values()) == MAX_WAITING
    assert min(few.as_of, all_.as_of) > START


async def test_a_rebuild_tells_how_far_it_is(runtime: Runtime) -> None:
    await runtime.database.transact(lambda tx: _open(tx, 5))
    assert await rebuild(runtime) == {
        "tickets": (5, 5),
        "kinds of facts": (len(Measure), len(Measure)),
        "pieces tidied up": (2, 2),
    }


@pytest.mark.parametrize("died_at", ["tickets", "kinds of facts"])
async def test_a_rebuild_that_dies_changes_nothing_that_is_read(runtime: Runtime, died_at: str) -> None:
    await runtime.database.transact(lambda tx: _open(tx, 5))
    await catch_up(runtime)
    await runtime.database.transact(lambda tx: tx.execute(text("UPDATE rollup SET n = n + 1")))

    def told(what: str, _: int, __: int) -> None:
        if what == died_at:
            raise Killed

    async with runtime.reading() as tx:
        before = await sums(tx)
    with pytest.raises(Killed):
        await rebuilding.rebuild(runtime, told, together=3)
    async with runtime.reading() as tx:
        assert await sums(tx) == before
    await rebuild(runtime)
    async with runtime.reading() as tx:
        assert await sums(tx) != before
        editions = await tx.rows(text("SELECT edition FROM fact UNION SELECT edition FROM rollup"))
        assert {tuple(row) for row in editions} == {((await get_tallied(tx)).edition,)}


async def test_days_are_those_of_the_rules_once_everything_was_counted_anew(runtime: Runtime) -> None:
    """Whichever days sums are kept by, a question about others is answered as well."""
    await runtime.database.transact(lambda tx: claim_tallied(tx, UNIVERSAL))
    late = START + timedelta(days=1, hours=23, minutes=30)
    await runtime.database.transact(lambda tx: add_ticket(tx, late))
    await runtime.database.transact(lambda tx: add_ticket(tx, late + timedelta(hours=1)))
    await catch_up(runtime)
    told = {}
    for zone in (UNIVERSAL, ZONE):
        async with runtime.reading() as tx:
            assert (await get_tallied(tx)).zone == zone
        told[zone] = [
            {line.step: cell.n for line, cell in (await measured(runtime, question, Measure.OPENED)).cells.items()}
            for question in (replace(MONTH, zone=zone) for zone in (UNIVERSAL, ZONE))
        ]
        await rebuild(runtime)
    day = START + timedelta(days=2)
    assert told[UNIVERSAL] == told[ZONE] == [{day - timedelta(days=1): 1, day: 1}, {day - timedelta(hours=1): 2}]


async def test_what_happens_during_a_rebuild_is_counted_behind_it(runtime: Runtime) -> None:
    await runtime.database.transact(lambda tx: _open(tx, 3))
    made = await runtime.run(rebuilding.begin_edition)
    await runtime.database.transact(lambda tx: _open(tx, 2))
    await catch_up(runtime)
    await rebuild(runtime)
    with pytest.raises(rebuilding.RebuiltAgain):
        await runtime.run(rebuilding.put_in_force, made)
    await catch_up(runtime)
    counted = await measured(runtime, MONTH, Measure.OPENED)
    assert sum(cell.n for cell in counted.cells.values()) == 5


async def test_a_restored_database_is_counted_from_where_it_stands(runtime: Runtime) -> None:
    await runtime.database.transact(lambda tx: _open(tx, 3))
    await catch_up(runtime)
    await runtime.database.transact(lambda tx: tx.execute(text("UPDATE tally SET xact = xact + 1000000")))
    await runtime.database.transact(lambda tx: _open(tx, 2))
    await catch_up(runtime)
    counted = await measured(runtime, MONTH, Measure.OPENED)
    assert sum(cell.n for cell in counted.cells.values()) == 5


async def _open(tx: Transaction, count: int) -> None:
    for _ in range(count):
        await add_ticket(tx, START)
