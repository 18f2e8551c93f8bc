"""The oil stain over HTTP: how far each department answers for each topic, how it does, and the next step.

Knows the shape of these calls. Refuses to know what is good enough (routing.readiness) and how a step is taken
(flows.rollout).
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import Flag, InModel, Name, OutModel, Text
from app.api.rules import RulesVersionOut
from app.api.serving import Serving
from app.flows.rollout import Spread, read_rollout, take_step
from app.routing.ownership import Stage

router = APIRouter(prefix="/api/v1/ownership", tags=["managers"])

Reader = Annotated[Caller, allow(Permission.READ_RULES)]
Admin = Annotated[Caller, allow(Permission.MANAGE_RULES)]


class StepOut(OutModel):
    stage: Stage
    percent: int | None = Field(description="Of a pilot: how many of a hundred tickets are answered first-hand")


class GateOut(OutModel):
    """One demand on the department."""

    name: str = Field(description="acceptance, answered, hand_back or nps")
    value: float | None = Field(description="null: there were no cases")
    cases: int
    wanted: float
    at_most: bool = Field(description="Whether `wanted` is the most, rather than the least, that is good enough")
    holds: bool | None = Field(description="null: too few cases to tell")


class FiguresOut(OutModel):
    """What became of the department's tickets since `since`."""

    handed_over: int
    judged: int
    accepted: int
    ended: int
    answered: int
    handed_back: int
    scores: int
    promoters: int
    detractors: int


class SpreadOut(OutModel):
    """One line of the oil stain."""

    topic: str
    channels: list[str] = Field(description="On which it decides")
    elsewhere: bool = Field(description="Whether it is for every channel that no other line of the topic names")
    department: str
    step: StepOut
    since: datetime = Field(description="Figures count from here: the window's beginning, or that of the present step")
    opened: int = Field(description="Tickets that came in on it")
    share: float | None = Field(description="Of all tickets in this answer; null: there are none")
    figures: FiguresOut
    gates: list[GateOut]
    ready: bool = Field(description="Whether every gate holds, so that the step ahead can be taken")
    back: StepOut | None
    ahead: StepOut | None


class OwnershipMapOut(OutModel):
    """The whole map, and how much of the traffic is answered at each stage."""

    coverage: dict[str, float] = Field(description="Share of the tickets by stage")
    items: list[SpreadOut]


class TakeStepIn(InModel):
    topic: Name = Field(examples=["delivery_delay"], description="Slug")
    channels: Annotated[list[Name], Field(min_length=1, max_length=50)] | None = Field(
        None, description="Those of the line, as the rules name them; null: the line for all others", examples=[["x"]]
    )
    direction: Literal["ahead", "back"] = Field(examples=["ahead"], description="To more or to less")
    despite: Flag = Field(False, description="Go ahead though a gate does not hold")
    note: Annotated[str, Text(1000, 1)] = Field(description="Why", examples=["Both arms score the same for a month"])


@router.get("", summary="Read the map of the oil stain")
async def read_ownership(_: Reader, runtime: Serving) -> OwnershipMapOut:
    """Who answers for what, how well, and whether it can spread. A broken gate takes a step back by itself.

    All lines that the rules have, which is why there are no pages.
    """
    spreads = await read_rollout(runtime, runtime.now())
    total = sum(one.opened for one in spreads)
    stages = {str(stage): sum(one.opened for one in spreads if one.step.stage is stage) for stage in Stage}
    return OwnershipMapOut(
        coverage={stage: count / total for stage, count in stages.items()} if total else dict.fromkeys(stages, 0.0),
        items=[_told(one, total) for one in spreads],
    )


@router.post("/step", summary="Take a step of the oil stain")
async def step_ownership(caller: Admin, runtime: Serving, asked: TakeStepIn) -> RulesVersionOut:
    """One line goes a step ahead or back, as new rules: tickets that are open stay as they are."""
    version = await take_step(
        runtime,
        caller,
        runtime.now(),
        asked.topic,
        asked.channels,
        ahead=asked.direction == "ahead",
        despite=asked.despite,
        note=asked.note,
    )
    return RulesVersionOut.model_validate(version)


def _told(spread: Spread, total: int) -> SpreadOut:
    return SpreadOut(
        topic=spread.line.topic,
        channels=list(spread.channels),
        elsewhere=spread.line.channels is None,
        department=spread.line.department,
        step=StepOut.model_validate(spread.step),
        since=spread.since,
        opened=spread.opened,
        share=spread.opened / total if total else None,
        figures=FiguresOut.model_validate(spread.figures),
        gates=[GateOut.model_validate(gate) for gate in spread.gates],
        ready=spread.ready,
        back=spread.back and StepOut.model_validate(spread.back),
        ahead=spread.ahead and StepOut.model_validate(spread.ahead),
    )
