"""Models of topics: which is in force, how they compare, and how to put one in force or take it back.

Knows the shape of these calls. Refuses to know how a model is trained (flows.learn) and what it says about a post.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import Flag, InModel, OutModel, Text
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.flows import promote as promoting
from app.flows.learn import read_model, read_models, read_standing
from app.flows.promote import follow_model
from app.topics.versions.version import State, Version

router = APIRouter(prefix="/api/v1/topics", tags=["managers"])

Reader = Annotated[Caller, allow(Permission.READ_RULES)]
Teacher = Annotated[Caller, allow(Permission.TEACH_TOPICS)]
Number = Annotated[int, Path(ge=1, lt=2**31, description="As `/topics/models` lists it")]
Note = Annotated[str, Text(1000)]
_places = Places(int)


class TallyOut(OutModel):
    """What became of posts of a topic."""

    right: int
    wrong: int = Field(description="Given another topic")
    triage: int = Field(description="Left to a person")
    taken: int = Field(description="Posts of other topics that were given this one")


class ComparedOut(OutModel):
    labels: int = Field(description="That the topic has in all; from 30 on it may not get worse")
    before: TallyOut
    after: TallyOut


class ModelComparisonOut(OutModel):
    """How a model decided about labelled posts, beside what was in force when it was trained."""

    evidence: str = Field(
        description="`unseen`: judged on labels that neither had learned from; `known`: too few, so that all were"
    )
    against: int | None = Field(description="The model that was in force; null: phrases alone")
    posts: int = Field(description="That were judged")
    better: bool = Field(description="A wrong one counts as three in triage, and no topic may get worse")
    worse: list[str] = Field(description="Topics with 30 labels or more that it does worse on")
    before: TallyOut
    after: TallyOut
    topics: dict[str, ComparedOut]


class ModelOut(OutModel):
    number: int
    digest: str = Field(description="Names the content")
    state: State
    labels: dict[str, int] = Field(description="What it learned from, by source")
    taught_until: datetime | None = Field(description="The newest label that it learned from")
    comparison: ModelComparisonOut
    actor: str = Field(description="Who had it trained; `system`: the worker by itself", examples=["system"])
    at: datetime


class PromotionOut(OutModel):
    """What came into force."""

    model: int | None = Field(description="null: phrases decide alone")
    origin: str = Field(description="better, by_hand or rollback")
    actor: str
    note: str | None
    at: datetime


class TopicsStatusOut(OutModel):
    in_force: PromotionOut | None = Field(description="null: nothing was promoted yet")
    refused: int | None = Field(
        description="The model that should be in force and cannot be read; the last one goes on"
    )
    new: dict[str, int] = Field(description="Labels by source that the newest model has not learned from")
    enough: int = Field(description="New labels that lead to another training, the night after")


class PromoteIn(InModel):
    despite: Flag = Field(False, description="Although the comparison speaks against it")
    note: Note | None = Field(None, description="Why, for whoever looks later", examples=["Knows the new modem"])


class TakeBackIn(InModel):
    note: Note | None = Field(None, description="Why, for whoever looks later", examples=["Sends jobs to billing"])


class PromotedOut(OutModel):
    promotion: PromotionOut
    changed: bool = Field(description="False: this was in force already, and every process reads it anew")


@router.get("/status", summary="See what the topics are read with")
async def read_status(_: Reader, runtime: Serving) -> TopicsStatusOut:
    """The model in force, who put it there, and what is new to learn from since the last training."""
    standing = await read_standing(runtime)
    return TopicsStatusOut(
        in_force=PromotionOut.model_validate(standing.promotion) if standing.promotion else None,
        refused=runtime.rules.learned.refused,
        new={str(source): count for source, count in standing.new.items()},
        enough=runtime.knobs.learn_from,
    )


@router.get("/models", summary="List the models that were trained")
async def list_models(_: Reader, runtime: Serving, asked: Annotated[Paging, Query()]) -> Page[ModelOut]:
    """Newest first, each with the comparison that decided about it."""
    found = await read_models(runtime, before=_places.decode(asked.cursor), limit=asked.limit + 1)
    items, next_cursor = _places.cut(found, asked.limit, lambda one: one[0].number)
    return Page(items=[_out(*one) for one in items], next_cursor=next_cursor)


@router.get("/models/{number}", summary="Look at one model")
async def read_one(_: Reader, runtime: Serving, number: Number) -> ModelOut:
    """With the comparison that decided about it, topic by topic."""
    return _out(*await read_model(runtime, number))


@router.post("/models/{number}/promote", summary="Put a model in force")
async def promote_model(
    caller: Teacher, runtime: Serving, number: Number, asked: PromoteIn | None = None
) -> PromotedOut:
    """Every process reads topics with it within two seconds; tickets that stand are not read again.

    One that was not better, or that does worse on a topic with 30 labels or more, needs `despite`.
    """
    told = asked or PromoteIn()
    done = await runtime.run(promoting.promote, caller.actor, number, told.note, despite=told.despite)
    await follow_model(runtime)
    return PromotedOut.model_validate(done)


@router.post("/rollback", summary="Take the model in force back")
async def roll_back_model(caller: Teacher, runtime: Serving, asked: TakeBackIn | None = None) -> PromotedOut:
    """The one before it is in force again, and before the first phrases alone.

    From then on nothing comes into force by itself until somebody promotes a model.
    """
    told = asked or TakeBackIn()
    done = await runtime.run(promoting.roll_back, caller.actor, told.note)
    await follow_model(runtime)
    return PromotedOut.model_validate(done)


def _out(version: Version, state: State) -> ModelOut:
    facts = {name: getattr(version, name) for name in ModelOut.model_fields if name != "state"}
    return ModelOut.model_validate({**facts, "state": state})
