"""One act on many tickets: each in a transaction of its own, with a result or a problem of its own.

Knows the acts that make sense on many, by `do`, and who may. Refuses to know what any of them leads to. A refusal
touches no other ticket, and a call that is sent again with its key does what it did not do yet.
"""

import asyncio
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.access.role import Caller, Permission, require
from app.answers.macros.macro import Language
from app.api.acting import shown
from app.api.agents import AssignIn, NoteIn, PatchIn, RerouteIn, ResolveIn, SnoozeIn, WaitIn
from app.api.combining import MergeIn
from app.api.fields import InModel, OutModel
from app.api.idempotency import Once, Repeating
from app.api.problems import Problem, describe
from app.api.replies import ReplyIn, references
from app.api.tickets import Reader, TicketLine
from app.flows import answer, combine, compose, work
from app.flows.say import Speech
from app.kit.errors import WebcareError
from app.kit.wire import dump
from app.mentions.mention import Visibility
from app.runtime import Unit
from app.tickets.ticket import Ticket

router = APIRouter(prefix="/api/v1", tags=["agents"])

AT_MOST = 500
AT_ONCE = 4  # of this call: half of what a process has of connections, so that colleagues' calls go on


class Act(InModel, ABC):
    """One of those below. `needs` is what the caller must be allowed to do."""

    needs: ClassVar[Permission] = Permission.WORK_TICKETS

    @abstractmethod
    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        """Do it to one ticket, as its own call would. Raises what that raises."""


class AssignAll(AssignIn, Act):
    needs = Permission.ASSIGN_TICKETS
    do: Literal["assign"]

    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        return await work.assign(unit, caller, ticket_id, None, self.to, self.reason)


class ReleaseAll(Act):
    do: Literal["release"]

    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        return await work.release(unit, caller, ticket_id, None)


class UpdateAll(PatchIn, Act):
    do: Literal["update"]

    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        return await work.update(unit, caller, ticket_id, None, priority=self.priority, tags=self.tagging())


class NoteAll(NoteIn, Act):
    needs = Permission.SETTLE_TICKETS
    do: Literal["note"]

    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        return await work.note(unit, caller, ticket_id, None, self.text, references(self.attachments))


class ReplyAll(ReplyIn, Act):
    do: Literal["reply"]

    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        said, _ = await answer.reply(unit, caller, ticket_id, None, self.speech())
        return said


class MacroAll(Act):
    """Reply with a macro, made ready for each ticket; one for which a value is missing is refused."""

    do: Literal["macro"]
    macro_id: UUID = Field(description="As `/macros` lists it", examples=["019ab8f0-2c41-7d52-9a3e-5f1c7b20d4bb"])
    language: Language | None = Field(None, description="Left out: that of the ticket", examples=["nl"])
    visibility: Visibility | None = Field(None, description="Left out: as each customer asked")

    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        made = await compose.render(unit, caller, self.macro_id, ticket_id, self.language)
        speech = Speech(made.filled.text, self.visibility, macro_id=self.macro_id)
        said, _ = await answer.reply(unit, caller, ticket_id, None, speech)
        return said


class RerouteAll(RerouteIn, Act):
    do: Literal["reroute"]

    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        return await work.reroute(
            unit, caller, ticket_id, None, topic=self.topic, department=self.department, reason=self.reason
        )


class WaitAll(WaitIn, Act):
    needs = Permission.SETTLE_TICKETS
    do: Literal["wait"]

    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        return await work.wait(unit, caller, ticket_id, None, self.until)


class SnoozeAll(SnoozeIn, Act):
    do: Literal["snooze"]

    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        return await work.snooze(unit, caller, ticket_id, None, self.until)


class ResolveAll(ResolveIn, Act):
    needs = Permission.SETTLE_TICKETS
    do: Literal["resolve"]

    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        return await work.resolve(unit, caller, ticket_id, None, self.code, self.note)


class MergeAll(MergeIn, Act):
    do: Literal["merge"]

    async def on(self, unit: Unit, caller: Caller, ticket_id: UUID) -> Ticket:
        return await combine.merge(unit, caller, ticket_id, None, self.into, confirmed=self.confirm)


AnyAct = Annotated[
    AssignAll
    | ReleaseAll
    | UpdateAll
    | NoteAll
    | ReplyAll
    | MacroAll
    | RerouteAll
    | WaitAll
    | SnoozeAll
    | ResolveAll
    | MergeAll,
    Field(discriminator="do"),
]


def _named_once(ticket_ids: list[UUID]) -> list[UUID]:
    if len(set(ticket_ids)) < len(ticket_ids):
        raise PydanticCustomError("named_twice", "A ticket stands here twice; name each once.")
    return ticket_ids


class BulkIn(InModel):
    ticket_ids: Annotated[list[UUID], Field(min_length=1, max_length=AT_MOST), AfterValidator(_named_once)] = Field(
        description=f"At most {AT_MOST}, each once", examples=[["019ab8f0-2c41-7d52-9a3e-5f1c7b20d4aa"]]
    )
    act: AnyAct = Field(
        description="What is done to each: `do` names it, and what else stands here is what its own call takes",
        examples=[{"do": "resolve", "code": "no_answer_needed"}],
    )


class DoneOut(OutModel):
    """One of the two is null."""

    ticket_id: UUID
    ticket: TicketLine | None = Field(description="As it stands then")
    problem: Problem | None = Field(description="Why nothing was done to it")


class BulkOut(OutModel):
    items: list[DoneOut] = Field(description="In the order of `ticket_ids`")
    done: int = Field(examples=[1])
    refused: int = Field(examples=[0])


@router.post(
    "/tickets/bulk",
    responses={200: {"model": BulkOut}},
    response_class=Response,
    summary="Do the same to many tickets",
)
async def act_on_many(caller: Reader, once: Repeating, asked: BulkIn) -> Response:
    """Each ticket by itself, with the rights and the refusals of the act's own call.

    An `Idempotency-Key` holds for each ticket: sent again, what was done is answered as it was then, and what was
    refused is tried again.
    """
    require(caller, asked.act.needs)
    free = asyncio.Semaphore(AT_ONCE)

    async def attempt(ticket_id: UUID) -> dict[str, object]:
        async with free:
            return await _attempt(caller, once.part(str(ticket_id)), asked.act, ticket_id)

    async with asyncio.TaskGroup() as group:
        attempts = [group.create_task(attempt(ticket_id)) for ticket_id in asked.ticket_ids]
    items = [one.result() for one in attempts]
    refused = sum(item["problem"] is not None for item in items)
    told = {"items": items, "done": len(items) - refused, "refused": refused}
    return Response(dump(told), media_type="application/json")


async def _attempt(caller: Caller, once: Once, act: Act, ticket_id: UUID) -> dict[str, object]:
    try:
        done = await once.run(caller, 200, shown, act.on, caller, ticket_id)
    except WebcareError as error:
        return {"ticket_id": ticket_id, "ticket": None, "problem": describe(error)}
    return {"ticket_id": ticket_id, "ticket": orjson.Fragment(bytes(done.body)), "problem": None}
