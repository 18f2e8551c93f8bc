"""Posts are counted once, too many of them make one incident, and those that follow join it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, literal, select, update

from app.escalation.embargoes.embargo import Scope as Reach
from app.escalation.incidents import store as incidents
from app.escalation.incidents.incident import Incident, IncidentState, Scope, Subject
from app.escalation.tables import sweep, volume
from app.flows.receive import receive
from app.flows.spikes import watch_volumes
from app.kit.clock import utc_now
from app.kit.ids import moment_of, new_id
from app.runtime import Runtime, Unit
from app.tickets.store import get_ticket
from tests.flows.test_escalate import codes, queue
from tests.flows.test_hold import kept_back, said, standing
from tests.flows.test_record import heard, listening
from tests.support.clock import Clock
from tests.support.mentions import LATE_PARCEL, mention

LATE = Subject(Scope.TOPIC, "delivery_delay")
ANY = timedelta(microseconds=1)  # each look is a slot of its own
MILLISECOND = timedelta(milliseconds=1)  # ids know no finer moment
TURN = 30  # seconds before the turn of an hour, far more than a test takes


@pytest.fixture(autouse=True)
async def one_hour() -> None:
    """Posts are counted by the hour of the wall clock: a test that would meet its turn begins after it."""
    left = 3600 - utc_now().timestamp() % 3600
    if left < TURN:
        await asyncio.sleep(left)


@pytest.fixture
def clock() -> Clock:
    """Hours are those of the database, so this clock goes with it."""
    return Clock(utc_now())


async def look(runtime: Runtime, every: timedelta = ANY) -> int:
    """Once the database's clock is past all that was posted and looked at: the machine may have set it back since."""
    after_posts = literal(moment_of(new_id()) + MILLISECOND, sweep.c.slot_at.type)
    is_past = select(func.now() > func.greatest(after_posts, func.max(sweep.c.slot_at)))

    async def unit(unit: Unit) -> int | None:
        return await watch_volumes(unit, every, timedelta()) if await unit.tx.scalar(is_past) else None

    while (changed := await runtime.run(unit)) is None:
        await asyncio.sleep(0.01)
    return changed


async def remember(runtime: Runtime, posts: int = 0, weeks: int = 8, subject: Subject = LATE) -> None:
    """So many posts an hour about the subject, at this time of the week, in the weeks before."""

    async def unit(unit: Unit) -> None:
        hour = utc_now().replace(minute=0, second=0, microsecond=0)
        past = [hour - timedelta(weeks=week, hours=near) for week in range(1, weeks + 1) for near in (-1, 0, 1)]
        named = {"scope": subject.scope, "name": subject.name, "n": posts}
        await unit.tx.insert(volume, [named | {"hour_at": at} for at in past])

    await runtime.run(unit)


async def post(runtime: Runtime, count: int, by: str = "u", **facts: Any) -> None:
    """After all that was counted, by the clock that ids are made by."""
    async with runtime.reading() as tx:
        counted_until = await tx.scalar(select(sweep.c.counted_until))
    while counted_until is not None and moment_of(new_id()) <= counted_until:
        await asyncio.sleep(0.01)
    at = utc_now()
    await receive(runtime, [mention(LATE_PARCEL, by=f"{by}{n}", at=at, **facts) for n in range(count)])


async def volumes(runtime: Runtime) -> dict[tuple[str, str], int]:
    async with runtime.reading() as tx:
        rows = await tx.rows(select(volume))
    return {(row.scope, row.name): row.n for row in rows if row.n}


async def found(runtime: Runtime) -> tuple[Incident, ...]:
    async with runtime.reading() as tx:
        return await incidents.list_incidents(tx, state=None, limit=10)


async def attached(runtime: Runtime, one: Incident) -> list[bool]:
    async with runtime.reading() as tx:
        return [each.proves for each in await incidents.list_attached(tx, one.id, limit=100)]


async def test_each_post_is_counted_once_by_topic_account_and_area(runtime: Runtime) -> None:
    await post(runtime, 3, account="@poldermobiel", area="Zwolle")
    await look(runtime)
    await post(runtime, 2, by="v")
    await look(runtime)
    await look(runtime)
    assert await volumes(runtime) == {
        ("topic", "delivery_delay"): 5,
        ("account", "x/@poldermobiel"): 3,
        ("area", "Zwolle"): 3,
    }


async def test_a_slot_is_taken_once(runtime: Runtime) -> None:
    await post(runtime, 3)
    await asyncio.gather(*(look(runtime, timedelta(days=1)) for _ in range(8)))
    await look(runtime, timedelta(days=1))
    assert await volumes(runtime) == {("topic", "delivery_delay"): 3}


async def test_looking_from_many_processes_counts_once_and_opens_one_incident(runtime: Runtime) -> None:
    await remember(runtime)
    await post(runtime, 12)
    assert sum(await asyncio.gather(*(look(runtime) for _ in range(8)))) == 1
    assert (await volumes(runtime))["topic", "delivery_delay"] >= 12
    [one] = await found(runtime)
    assert (one.subject, one.observed, one.state) == (LATE, 12, IncidentState.OPEN)


async def test_what_nobody_counted_for_long_is_caught_up_with_a_day_at_a_time(runtime: Runtime) -> None:
    """Whatever stands in the database by then, a look is short; and it judges no hour that is not counted yet."""
    await remember(runtime)
    await post(runtime, 12)
    await look(runtime)
    [one] = await found(runtime)
    late = update(sweep).values(counted_until=utc_now() - timedelta(days=2, hours=1))
    await runtime.database.transact(lambda tx: tx.execute(late))
    await runtime.database.transact(lambda tx: tx.execute(delete(volume).where(volume.c.n > 0)))

    counted = []
    for _ in range(3):
        await look(runtime)
        counted.append((await volumes(runtime)).get(("topic", "delivery_delay"), 0))

    assert counted == [0, 0, 12]
    assert await found(runtime) == (one,), "no posts where none are counted yet is no calm"


async def test_without_a_past_nothing_is_a_spike(runtime: Runtime) -> None:
    await post(runtime, 30)
    assert await look(runtime) == 0


async def test_the_usual_is_no_spike(runtime: Runtime) -> None:
    await remember(runtime, posts=3_000_000)  # also in the first second of an hour
    await post(runtime, 12)
    assert await look(runtime) == 0


async def test_an_incident_has_its_proof_and_stands_in_prs_queue(runtime: Runtime) -> None:
    await remember(runtime)
    await post(runtime, 12)
    assert await look(runtime) == 1

    [one] = await found(runtime)
    assert (one.severity, one.department, await attached(runtime, one)) == ("raised", "supply_chain", [True] * 12)
    [raised] = await queue(runtime)
    assert (raised.incident_id, raised.ticket_id, codes(raised)) == (one.id, None, ["spike"])
    assert raised.reasons[0].figures["observed"] == 12


async def test_posts_that_follow_join_the_incident(runtime: Runtime) -> None:
    await remember(runtime)
    await post(runtime, 12)
    await look(runtime)
    await post(runtime, 2, by="v")
    assert await look(runtime) == 0
    [one] = await found(runtime)
    assert sorted(await attached(runtime, one)) == [False] * 2 + [True] * 12


async def test_departments_and_pr_hear_of_an_incident_once(runtime: Runtime) -> None:
    hooks = [await listening(runtime, department) for department in ("supply_chain", "pr", "billing")]
    await remember(runtime)
    await post(runtime, 12)
    await look(runtime)
    told = [[kind for kind, _ in await heard(runtime, hook)] for hook in hooks]
    assert [one.count("incident.opened") for one in told] == [1, 1, 0]
    [body] = [body for kind, body in await heard(runtime, hooks[1]) if kind == "incident.opened"]
    assert '"severity":"raised"' in body


async def test_an_incident_ends_by_itself_when_it_was_calm_for_long(runtime: Runtime, clock: Clock) -> None:
    await remember(runtime)
    await post(runtime, 12)
    await look(runtime)

    async def later(unit: Unit) -> None:
        """The hour is another one, in which nobody posts."""
        await unit.tx.execute(volume.delete().where(volume.c.n == 12))

    await runtime.run(later)
    await look(runtime)
    clock.at = utc_now() + timedelta(hours=3)
    assert await look(runtime) == 1

    [one] = await found(runtime)
    assert (one.state, one.closed_by) == (IncidentState.CLOSED, "system")
    await post(runtime, 12, by="w")
    assert await look(runtime) == 0  # it rests


async def test_an_embargo_on_an_incident_reaches_all_of_its_tickets(runtime: Runtime) -> None:
    await remember(runtime)
    await post(runtime, 8)
    await look(runtime)
    [raised] = await queue(runtime)
    [one] = await found(runtime)

    await kept_back(runtime, raised, Reach.INCIDENT)

    async with runtime.reading() as tx:
        tickets = [each.ticket_id for each in await incidents.list_attached(tx, one.id, limit=100)]
        first = await get_ticket(tx, tickets[0])
    assert (await standing(runtime, first)).embargoed
    assert (await said(runtime, first)).state == "held"
