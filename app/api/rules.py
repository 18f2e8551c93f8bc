"""The rules: which are in force, which were, what others would do, and how to put them in force.

Knows the shape of these calls. Refuses to know how rules are read (rulebook) and how every process comes to follow
them (flows.rules).
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import Count, InModel, Name, OutModel, Text
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.flows import rules as activating
from app.flows.rules import Activated, propose
from app.flows.simulate import simulate
from app.routing.ownership import Stage
from app.routing.rules.store import list_versions
from app.rulebook import Rulebook, RulebookInvalid

router = APIRouter(prefix="/api/v1/rules", tags=["admin"])

Admin = Annotated[Caller, allow(Permission.MANAGE_RULES)]
Reader = Annotated[Caller, allow(Permission.READ_RULES)]
Note = Annotated[str, Text(1000)]

MOST = 20_000  # mentions in one simulation over HTTP; `webcare rules simulate` takes any number
_places = Places(int)


class DepartmentOut(OutModel):
    slug: str
    name: dict[str, str] = Field(description="By language")
    process: str


class TopicOut(OutModel):
    slug: str
    name: dict[str, str] = Field(description="By language")


class OwnershipOut(OutModel):
    topic: str
    channels: list[str] | None = Field(description="None: on every channel that no other line names")
    department: str
    stage: Stage
    percent: int | None = Field(description="Of a pilot: how many of a hundred tickets are answered first-hand")


class ResolutionOut(OutModel):
    code: str
    name: dict[str, str] = Field(description="By language")
    automatic: bool = Field(description="Given by webcare itself; not to be chosen")


class RulesOut(OutModel):
    digest: str = Field(description="Names the content; every decision carries the digest of its rules")
    channels: list[str]
    departments: list[DepartmentOut]
    topics: list[TopicOut]
    ownership: list[OwnershipOut]
    resolutions: list[ResolutionOut]


class FilesIn(InModel):
    """Rules that are not in the folder: the text of every file by its name, or of those that differ."""

    files: dict[Name, Annotated[str, Text(500_000)]] | None = Field(
        None,
        description="By name, such as `routes.yaml`; files left out are as they are in force. Null: the whole folder "
        "WEBCARE_RULES_DIR, read again",
        examples=[{"routes.yaml": "routes: {}"}],
    )


class ReloadIn(FilesIn):
    note: Note | None = Field(None, description="Why, for whoever reads the list of versions", examples=["Pilot 50 %"])


class RollbackIn(InModel):
    to: Annotated[Count, Field(ge=1, lt=2**31)] = Field(
        description="Number of the version, as `/rules/versions` lists it", examples=[3]
    )
    note: Note | None = Field(None, description="Why")


class SimulateIn(FilesIn):
    last: Annotated[Count, Field(ge=1, le=MOST)] = Field(2000, description="How many of the newest questions")


class RulesVersionOut(OutModel):
    """Rules that came into force. The newest is in force."""

    number: int
    digest: str = Field(description="Names the content; decisions carry it")
    origin: str = Field(description="folder, sent, rollback or step")
    actor: str = Field(examples=["admin:sam"])
    note: str | None
    at: datetime


class ActivatedOut(OutModel):
    version: RulesVersionOut
    changed: bool = Field(description="False: this was in force already")


class ProblemOut(OutModel):
    file: str = Field(examples=["topics.yaml"])
    line: int = Field(examples=[12])
    message: str
    way_out: str


class ValidatedOut(OutModel):
    valid: bool
    digest: str | None
    problems: list[ProblemOut]


class FateOut(OutModel):
    topic: str | None
    department: str | None
    stage: str | None
    arm: str | None
    priority: str
    promises: dict[str, float] = Field(description="Business seconds by metric")
    why: tuple[str, ...] = Field(description="The decision in words")


class ChangeOut(OutModel):
    mention_id: UUID
    ticket_id: UUID | None
    now: FateOut
    proposed: FateOut


class ShiftOut(OutModel):
    department: str | None = Field(description="null: triage")
    now: int
    proposed: int
    kept: int = Field(description="Mentions that it has under both")


class PledgeOut(OutModel):
    metric: str
    sooner: int = Field(description="Mentions whose promise would be shorter")
    later: int = Field(description="Mentions whose promise would be longer")
    now: float = Field(description="Mean promise in business seconds")
    proposed: float


class SimulatedOut(OutModel):
    """Nothing was written. `changes` holds the newest 100 of `changed`."""

    now: str = Field(description="Digest of the rules in force")
    proposed: str = Field(description="Digest of the proposed rules")
    mentions: int
    changed: int
    departments: list[ShiftOut]
    pledges: list[PledgeOut]
    changes: list[ChangeOut]


@router.get("", summary="Read the rules in force")
async def read_rules(_: Reader, runtime: Serving) -> RulesOut:
    """Departments, topics and the oil stain: which department answers which topic on which channel, and how far."""
    return _rules(runtime.rulebook)


@router.get("/versions", summary="List the rules that came into force")
async def read_versions(_: Reader, runtime: Serving, asked: Annotated[Paging, Query()]) -> Page[RulesVersionOut]:
    """Newest first; the first is in force."""
    async with runtime.reading() as tx:
        found = await list_versions(tx, before=_places.decode(asked.cursor), limit=asked.limit + 1)
    items, next_cursor = _places.cut(found, asked.limit, lambda version: version.number)
    return Page(items=[RulesVersionOut.model_validate(one) for one in items], next_cursor=next_cursor)


@router.post("/validate", summary="Check rules")
async def validate_rules(_: Reader, runtime: Serving, asked: FilesIn) -> ValidatedOut:
    """Every problem with its file, line and way out; nothing comes into force."""
    try:
        rulebook = await propose(runtime, asked.files)
    except RulebookInvalid as error:
        problems = [ProblemOut.model_validate(problem) for problem in error.problems]
        return ValidatedOut(valid=False, digest=None, problems=problems)
    return ValidatedOut(valid=True, digest=rulebook.digest, problems=[])


@router.post("/simulate", summary="See what rules would do")
async def simulate_rules(_: Admin, runtime: Serving, asked: SimulateIn) -> SimulatedOut:
    """Decide the newest questions again, under the rules in force and these; nothing is written."""
    proposed = await propose(runtime, asked.files)
    return SimulatedOut.model_validate(await simulate(runtime, proposed, asked.last))


@router.post("/reload", summary="Put rules in force")
async def reload_rules(caller: Admin, runtime: Serving, asked: ReloadIn | None = None) -> ActivatedOut:
    """Every process goes by them within two seconds; what runs already keeps the promises that it began with."""
    told = asked or ReloadIn()
    return _activated(await activating.reload(runtime, caller, told.files, told.note))


@router.post("/rollback", summary="Put earlier rules in force again")
async def roll_back_rules(caller: Admin, runtime: Serving, asked: RollbackIn) -> ActivatedOut:
    """Every process follows within two seconds; running promises keep their policies."""
    return _activated(await activating.roll_back(runtime, caller, asked.to, asked.note))


def _activated(done: Activated) -> ActivatedOut:
    return ActivatedOut.model_validate(done)


def _rules(rulebook: Rulebook) -> RulesOut:
    return RulesOut(
        digest=rulebook.digest,
        channels=sorted(rulebook.accounts),
        departments=[DepartmentOut.model_validate(one) for one in rulebook.departments.values()],
        topics=[TopicOut.model_validate(one) for one in rulebook.topics.values()],
        ownership=[
            OwnershipOut(
                topic=one.topic,
                channels=None if one.channels is None else sorted(one.channels),
                department=one.department,
                stage=one.stage,
                percent=one.percent,
            )
            for one in rulebook.routing.ownerships
        ],
        resolutions=[ResolutionOut.model_validate(one) for one in rulebook.resolutions.values()],
    )
