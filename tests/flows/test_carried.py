"""Whatever people, PR, the channel and time do to replies, each stands with its delivery as `ReplyState` lists it."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from asyncpg import Record
from sqlalchemy import func, text, update

from app.access.profile import Profile
from app.access.role import Caller, Role
from app.answers.reply import Hold, ReplyState
from app.delivery.sender import Sender
from app.delivery.store import claim_due
from app.escalation.embargoes.embargo import Scope
from app.escalation.store import Wanted, list_escalations
from app.escalation.tables import embargo
from app.flows import answer, mend, press, review, subscribe, work
from app.flows.dispatch import dispatch
from app.flows.hold import follow_embargoes
from app.flows.mend import Seen
from app.flows.record import record_one
from app.flows.say import Speech
from app.kit.db import Database
from app.kit.errors import WebcareError
from app.kit.ids import new_id
from app.mentions.mention import Visibility
from app.runtime import Runtime, Unit
from app.tickets import lifecycle
from app.tickets.store import claim_ticket
from tests.support.clock import Clock
from tests.support.mentions import mention
from tests.support.outbox import AN_HOUR, wait
from tests.support.patience import PATIENT
from tests.support.tickets import ticket_of

ANNA, BRAM = (Caller(new_id(), name, Role.AGENT) for name in ("anna", "bram"))
NEW = Caller(new_id(), "new", Role.AGENT, profile=Profile(needs_review=True))
EVA, ROOT = Caller(new_id(), "eva", Role.PR), Caller(new_id(), "root", Role.ADMIN)
FALLBACK = "We zoeken dit uit en komen er vandaag op terug."

# What the channel answers to what is to be said, and to a look-up. A post of the name `refused` cannot be recorded.
NAMED = [{}, {"external_id": "9001"}, {"external_id": "refused"}]
SAID = [(422, {}), (410, {}), (500, {}), *((200, name) for name in NAMED)]
TOLD = [(404, {"published": False}), (404, {}), (405, {}), *((200, {"published": True, **name}) for name in NAMED)]
REFUSE = text("ALTER TABLE mention_key ADD CONSTRAINT refused CHECK (external_id <> 'refused')")
REFUSE_NOTHING = text("ALTER TABLE mention_key DROP CONSTRAINT refused")

# Every reply, whether an embargo reaches it, its last delivery, and how many carry it that were not taken back.
STANDING = """
    SELECT r.id, r.state, r.held_for, r.visibility, r.text, r.actor, t.state AS ticket,
        EXISTS (SELECT FROM embargo e
            WHERE e.released_at IS NULL AND (e.ticket_id = t.id OR e.topic = t.topic)) AS barred,
        d.id AS delivery_id, d.state AS carried, d.in_doubt, d.lease_token IS NOT NULL AS claimed,
        (SELECT count(*) FROM delivery o JOIN message n ON n.id = o.message_id
         WHERE n.subject_id = r.id AND o.state <> 'cancelled') AS copies
    FROM reply r JOIN ticket t ON t.id = r.ticket_id LEFT JOIN LATERAL (
        SELECT d.* FROM delivery d JOIN message m ON m.id = d.message_id WHERE m.subject_id = r.id
        ORDER BY d.id DESC LIMIT 1) d ON true
    ORDER BY r.id"""


def listed() -> dict[str, tuple[set[str], set[bool]]]:
    """By reply: how its last delivery may stand, and whether it may be held for something, as the table has it."""
    lines = [line.strip().strip("|").split("|") for line in (ReplyState.__doc__ or "").splitlines() if "|" in line]
    rows = [[cell.strip() for cell in cells] for cells in lines[2:]]
    for_something = {"something": {True}, "nothing": {False}, "anything": {True, False}}
    return {state: (set(carried.split(", ")), for_something[held]) for state, carried, held in rows}


LISTED = listed()
AT_LEAST, AT_MOST = 200, 2000  # acts


def carried(reply: Record) -> str:
    """How the last delivery of a reply stands, in the table's words."""
    if reply["carried"] is None:
        return "none"
    if reply["claimed"]:
        return "under way" if reply["in_doubt"] and reply["carried"] == "open" else "claimed for nothing"
    return f"{reply['carried']} in doubt" if reply["in_doubt"] else str(reply["carried"])


@dataclass
class House:
    """Two customers with the same trouble, to whom everybody replies, by chance; most of what is tried is refused."""

    runtime: Runtime
    clock: Clock
    chance: random.Random
    tickets: list[UUID] = field(default_factory=list)
    replies: list[Record] = field(default_factory=list)
    let_go: set[UUID] = field(default_factory=set)
    done: list[str] = field(default_factory=list)
    met: set[tuple[str, str]] = field(default_factory=set)
    meanwhile: bool = False

    async def begin(self) -> None:
        publisher = Sender(httpx.AsyncClient(transport=httpx.MockTransport(self.channel)), deadline=PATIENT)
        self.runtime = replace(self.runtime, publisher=publisher)
        self.tickets = [await self.posted(by) for by in ("sanne", "bo")]

    async def posted(self, by: str) -> UUID:
        return (await ticket_of(self.runtime, mention(by=by, at=self.clock()))).id

    async def channel(self, request: httpx.Request) -> httpx.Response:
        """PR may be quicker than its answer."""
        if self.meanwhile:
            self.meanwhile = False
            await self.pr_keeps_replies_back()
        status, content = self.chance.choice(SAID if request.method == "POST" else TOLD)
        return httpx.Response(status, stream=httpx.Response(status, json=content).stream)

    async def run(self, flow: Callable[..., Awaitable[Any]], *asked: Any, **named: Any) -> bool:
        self.clock.pass_(seconds=1)
        try:
            await self.runtime.run(flow, *asked, **named)
        except WebcareError:
            return False
        return True

    @property
    def one(self) -> UUID:
        return self.chance.choice(self.tickets)

    async def somebody_replies(self) -> None:
        by, how = self.chance.choice([ANNA, BRAM, NEW, EVA]), self.chance.choice([*Visibility, Visibility.PUBLIC])
        await self.run(answer.reply, by, self.one, None, Speech(self.chance.choice(["Dag!", FALLBACK]), how))

    async def pr_keeps_replies_back(self) -> None:
        scope, fallback = self.chance.choice([Scope.TICKET, Scope.TOPIC]), self.chance.choice([None, FALLBACK])
        asked = self.one

        async def keep_back(unit: Unit) -> None:
            await work.escalate(unit, ANNA, asked, None, "Filmt mee")
            [raised] = await list_escalations(unit.tx, Wanted(ticket_id=asked), limit=1)
            await press.embargo(unit, EVA, raised.id, scope, unit.now + timedelta(days=1), fallback)

        await self.run(keep_back)

    async def pr_keeps_them_back_no_longer(self) -> None:
        async with self.runtime.reading() as tx:
            raised = await list_escalations(tx, Wanted(), limit=10)
        for one in raised:
            await self.run(press.release, EVA, one.id, self.chance.choice([None, "Nee"]))

    async def pr_closes(self) -> None:
        async with self.runtime.reading() as tx:
            raised = await list_escalations(tx, Wanted(), limit=10)
        for one in raised:
            await self.run(press.close, EVA, one.id, "eerder bellen")

    async def its_time_is_over(self) -> None:
        over = update(embargo).values(until=func.now() - AN_HOUR)
        await self.run(lambda unit: unit.tx.execute(over))

    async def marks_follow(self) -> None:
        await self.run(follow_embargoes, 100)
        await self.look()
        for reply in self.replies:
            if reply["state"] == "held" and Hold.EMBARGO in reply["held_for"]:
                assert reply["barred"], self.told(reply)
            waits = reply["barred"] and reply["visibility"] == "public" and carried(reply) == "open"
            permitted = reply["id"] in self.let_go or reply["actor"] == EVA.actor or reply["text"] == FALLBACK
            assert permitted or not waits, self.told(reply)

    async def somebody_decides(self) -> None:
        reply = self.chance.choice(self.replies[-6:])
        by = self.chance.choice([BRAM, EVA])
        if self.chance.random() < 0.2:
            await self.run(review.reject, by, reply["id"], "Nee")
        elif await self.run(review.approve, by, reply["id"], despite=True) and by is EVA:
            self.let_go.add(reply["id"])

    async def somebody_tries_again(self) -> None:
        reply = self.chance.choice(self.replies[-6:])
        by = self.chance.choice([BRAM, EVA])
        if await self.run(mend.retry, by, reply["id"]) and by is EVA:
            self.let_go.add(reply["id"])

    async def the_operator_tries_again(self) -> None:
        reply = self.chance.choice(self.replies[-6:])
        if await self.run(subscribe.retry, ROOT, reply["delivery_id"]):
            self.let_go.add(reply["id"])

    async def somebody_looks_on_the_channel(self) -> None:
        reply = self.chance.choice(self.replies[-6:])
        seen, name = self.chance.choice(list(Seen)), self.chance.choice([None, "9002"])
        await self.run(mend.settle, BRAM, reply["id"], seen, name)

    async def a_worker_sends(self) -> None:
        self.meanwhile = self.chance.random() < 0.2
        self.clock.pass_(seconds=1)
        await wait(self.runtime.database, AN_HOUR)
        await dispatch(self.runtime, 10)

    async def a_worker_dies(self) -> None:
        await wait(self.runtime.database, AN_HOUR)
        await self.run(lambda unit: claim_due(unit.tx, limit=10, lease=AN_HOUR, per_lane=8, publishing=True))

    async def a_ticket_is_resolved(self) -> None:
        await self.run(work.resolve, ANNA, self.one, None, "solved", None)

    async def a_ticket_is_closed(self) -> None:
        place = self.chance.randrange(len(self.tickets))

        async def close(unit: Unit) -> None:
            await record_one(unit, lifecycle.close(await claim_ticket(unit.tx, self.tickets[place]), unit.now))

        await self.run(close)
        self.tickets[place] = await self.posted(("sanne", "bo")[place])

    async def act(self) -> None:
        act = self.chance.choice(ACTS if self.replies else ACTS[:5])
        self.done.append(act.__name__)
        await act(self)
        await self.look()

    async def look(self) -> None:
        async with self.runtime.reading() as tx:
            self.replies = list(await tx.fetch(STANDING))
        for reply in self.replies:
            deliveries, held = LISTED[reply["state"]]
            self.met.add((reply["state"], carried(reply)))
            assert carried(reply) in deliveries, self.told(reply)
            assert bool(reply["held_for"]) in held, self.told(reply)
            assert reply["copies"] <= 1, self.told(reply)

    def told(self, reply: Record) -> str:
        """What stands together although it should not, and how it came to that."""
        return f"{carried(reply)}: {dict(reply)} after {self.done[-12:]}"


# By how often they happen.
ACTS = (
    *(House.somebody_replies,) * 5,
    *(House.pr_keeps_replies_back,) * 2,
    House.pr_keeps_them_back_no_longer,
    House.pr_closes,
    House.its_time_is_over,
    *(House.marks_follow,) * 3,
    *(House.somebody_decides,) * 3,
    *(House.somebody_tries_again,) * 3,
    House.the_operator_tries_again,
    *(House.somebody_looks_on_the_channel,) * 2,
    *(House.a_worker_sends,) * 5,
    *(House.a_worker_dies,) * 2,
    House.a_ticket_is_resolved,
    House.a_ticket_is_closed,
)


@pytest.fixture
async def refusing(database: Database) -> AsyncIterator[None]:
    """A database that does not take every post of ours."""
    await database.transact(lambda tx: tx.execute(REFUSE))
    yield
    await database.transact(lambda tx: tx.execute(REFUSE_NOTHING))


@pytest.mark.usefixtures("refusing")
async def test_every_reply_stands_with_its_delivery_as_listed(runtime: Runtime, clock: Clock) -> None:
    """At least so long that each line of the table was met."""
    clock.at = datetime.now(UTC)  # embargoes end by the database's own clock
    schedule = {"webhook_schedule": (timedelta(0), timedelta(minutes=5), timedelta(minutes=5))}
    house = House(replace(runtime, knobs=runtime.knobs.model_copy(update=schedule)), clock, random.Random(4))
    await house.begin()
    all_ = {(state, stands) for state, (deliveries, _) in LISTED.items() for stands in deliveries}
    acts = 0
    while acts < AT_LEAST or house.met < all_:
        assert acts < AT_MOST, all_ - house.met
        await house.act()
        acts += 1
