"""Who works here: what a caller is, what each agent can take, and in which team.

Knows the shape of a profile. Refuses to know what it is used for (queue, replies, reports) and how names come about
(tokens).
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from app.access.profile import Profile
from app.access.role import Caller, Permission, Role, actor_of
from app.access.store import get_agent, list_agents
from app.api.auth import allow, recognise
from app.api.fields import Flag, InModel, Name, OutModel
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.flows.admit import equip
from app.runtime import Runtime
from app.tickets.queue.store import list_at_work

router = APIRouter(prefix="/api/v1", tags=["agents"])

Anybody = Annotated[Caller, Depends(recognise)]
Lead = Annotated[Caller, allow(Permission.MANAGE_AGENTS)]
Names = Annotated[list[Name], Field(max_length=200)]

_places = Places(Name)


class ProfileIn(InModel):
    """What an agent can take: the next ticket has one of these values, or none yet. An empty list is every value."""

    languages: Names = Field([], description="As ISO 639 has them", examples=[["nl", "en"]])
    topics: Names = Field([], description="Slugs, of those that `/rules` lists", examples=[["number_porting"]])
    channels: Names = Field([], description="As mentions name them", examples=[["x", "whatsapp"]])
    departments: Names = Field([], description="Slugs of owners", examples=[["billing"]])
    needs_review: Flag = Field(False, description="Whether a colleague approves every reply first")
    team: Name | None = Field(None, description="With whom reports count them; null: with nobody", examples=["evening"])

    def to_profile(self) -> Profile:
        return Profile(
            languages=tuple(self.languages),
            topics=tuple(self.topics),
            channels=tuple(self.channels),
            departments=tuple(self.departments),
            needs_review=self.needs_review,
            team=self.team,
        )


class ProfileOut(OutModel):
    languages: list[str]
    topics: list[str]
    channels: list[str]
    departments: list[str]
    needs_review: bool
    team: str | None


class AgentOut(ProfileOut):
    name: str = Field(examples=["anna"])
    actor: str = Field(description="As tickets and events name them", examples=["agent:anna"])
    present: bool = Field(description="At work: with a ticket at hand")
    at_hand: int = Field(description="Tickets with a lease that lasts", examples=[2])


class MeOut(OutModel):
    name: str = Field(examples=["anna"])
    role: Role
    department: str | None = Field(description="For the role department: its own", examples=[None])
    actor: str = Field(description="As tickets and events name the caller", examples=["agent:anna"])
    permissions: list[Permission]
    profile: ProfileOut | None = Field(description="null: not an agent")


@router.get("/me", summary="Read who the token is")
async def read_me(caller: Anybody) -> MeOut:
    """For every role."""
    return MeOut(
        name=caller.name,
        role=caller.role,
        department=caller.department,
        actor=caller.actor,
        permissions=sorted(caller.permissions),
        profile=ProfileOut.model_validate(caller.profile) if caller.role is Role.AGENT else None,
    )


@router.get("/agents", summary="List the agents")
async def read_agents(_: Lead, runtime: Serving, asked: Annotated[Paging, Query()]) -> Page[AgentOut]:
    """Everybody with a living token of the role agent, by name: what they can take, and who is at work."""
    async with runtime.reading() as tx:
        found = await list_agents(tx, after=_places.decode(asked.cursor) or "", limit=asked.limit + 1)
        at_work = await list_at_work(tx, runtime.now())
    agents, next_cursor = _places.cut(found, asked.limit, lambda agent: agent[0])
    return Page(items=[_agent(name, known, at_work) for name, known in agents], next_cursor=next_cursor)


@router.get("/agents/{name}", summary="Read what an agent can take")
async def read_agent(_: Lead, runtime: Serving, name: Name) -> AgentOut:
    """What they can take, and whether a colleague looks at their replies; blank where nobody said anything."""
    return await _read(runtime, name)


@router.put("/agents/{name}", summary="Say what an agent can take")
async def write_agent(_: Lead, runtime: Serving, name: Name, asked: ProfileIn) -> AgentOut:
    """All of the profile; what is left out is blank from now on. It holds within a second.

    Reports by team count all that an agent ever did with the present team.
    """
    await runtime.run_idempotent(equip, name, asked.to_profile())
    return await _read(runtime, name)


async def _read(runtime: Runtime, name: str) -> AgentOut:
    async with runtime.reading() as tx:
        return _agent(name, await get_agent(tx, name), await list_at_work(tx, runtime.now()))


def _agent(name: str, known: Profile, at_work: dict[str, int]) -> AgentOut:
    actor = actor_of(Role.AGENT, name)
    at_hand = at_work.get(actor, 0)
    facts = ProfileOut.model_validate(known).model_dump()
    return AgentOut(name=name, actor=actor, present=at_hand > 0, at_hand=at_hand, **facts)
