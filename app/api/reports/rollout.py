"""The oil stain in figures, over HTTP: the arms of pilots side by side, and what each step did.

Knows the members of the answers. Refuses to know how figures are compared (reports.comparing).
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, Field

from app.api.fields import OutModel
from app.api.reports.answering import FORMATS, LineOut, ReportOut, answer
from app.api.reports.asking import PREFIX, Reader, ShownIn, SpanIn
from app.api.reports.lines import Lines
from app.api.serving import Serving
from app.flows.compare import Stepped, compare_steps
from app.reports.dictionary import Unit, figures_of
from app.reports.figures import COMPARED, Apart, Course, hold_against
from app.reports.question import Group, Question
from app.reports.store import list_courses
from app.reports.tally.store import Ledger, get_ledger
from app.routing.ownership import Arm

router = APIRouter(prefix=PREFIX)

FIGURES = {name: Unit.COUNT for name in Apart._fields if name != "figure"}
NOBODY = Course(0, *((0, None) for _ in COMPARED))
STEPS = 50


class ArmsIn(SpanIn, ShownIn):
    """The arms stand side by side whatever is grouped by."""


class ApartOut(OutModel):
    """One figure of two groups: shares 0 to 1, medians in seconds of business time, NPS -100 to 100."""

    figure: str = Field(description=f"One of {', '.join(COMPARED)}", examples=["first_reply_met"])
    n: int = Field(description="Cases")
    value: float | None = Field(description="null: too few cases to tell")
    low: float | None = Field(description="Lower end of the 95 % interval")
    high: float | None
    other_n: int
    other_value: float | None
    other_low: float | None
    other_high: float | None
    difference: float | None = Field(description="value - other_value")
    difference_low: float | None = Field(description="Lower end of its 95 % interval")
    difference_high: float | None
    more_than_noise: bool | None = Field(description="Whether zero lies outside the interval of the difference")


class ArmsOut(ApartOut, LineOut):
    """Tickets that their department answers first-hand, against the `other` ones: those that webcare publishes."""


class RolloutOut(ReportOut):
    items: list[ArmsOut]


class BeforeAfterOut(OutModel):
    """A step of a line; `figures` since it was taken, against the `other` ones: before it."""

    topic: str
    channels: list[str] | None = Field(description="null: all that no other line of the topic names")
    department: str
    at: AwareDatetime
    before: str = Field(examples=["advise"])
    after: str = Field(examples=["pilot 30 %"])
    since: AwareDatetime = Field(description="From when on the time before it counts")
    until: AwareDatetime = Field(description="Until when the time after it counts")
    figures: list[ApartOut]


class StepsOut(OutModel):
    items: list[BeforeAfterOut]


@router.get("/rollout", response_model=RolloutOut, responses=FORMATS, summary="How the arms of pilots differ")
async def read_rollout_report(
    caller: Reader, runtime: Serving, request: Request, asked: Annotated[ArmsIn, Query()]
) -> Response:
    """First reply, resolution, hand-back and NPS of both arms, each with its interval and that of the difference."""
    async with runtime.reading(reports=True) as tx:
        ledger = await get_ledger(tx)
        lines, drawn = await gather_arms(ledger, asked.question(caller, runtime.now(), ledger.zone))
    return await answer(lines, asked, request, runtime, drawn=drawn)


@router.get("/rollout/steps", summary="What each step of the oil stain did")
async def read_steps(caller: Reader, runtime: Serving) -> StepsOut:
    """The newest steps first, ahead and back. Up to four weeks (`window` in ownership.yaml) on either side of each."""
    steps = await compare_steps(runtime, runtime.now(), caller.department, STEPS)
    return StepsOut(items=[_told(one) for one in steps])


async def gather_arms(ledger: Ledger, question: Question) -> tuple[Lines, Lines]:
    """The differences, and the arms as they are drawn. Raises `TooManyLines`."""
    groups = tuple(name for name in question.group_by if name != "arm")
    counted = await list_courses(ledger, replace(question, group_by=(*groups, "arm")))
    courses = {group: course for _, group, course in counted.lines}
    asked = replace(question, group_by=groups)
    found: set[Group] = {group[:-1] for group in courses if group[-1] is not None} if groups else {()}
    rows = [
        (None, *group, *apart)
        for _, group in asked.lines(found, each=len(COMPARED))
        for apart in hold_against(*(courses.get((*group, arm), NOBODY) for arm in (Arm.FIRST_HAND, Arm.CONTROL)))
    ]
    lines = Lines("rollout", asked, counted.as_of, (*groups, "figure"), FIGURES, rows, shown="difference")
    arms = [(None, *group, *_values(course)) for group, course in courses.items() if group[-1] is not None]
    return lines, replace(
        lines, keys=(*groups, "arm"), figures=figures_of("rollout"), rows=arms, shown="first_reply_met"
    )


def _values(course: Course) -> tuple[float | None, ...]:
    return (course.n, *(None if figure is None else figure.value for _, figure in course[1:]))


def _told(one: Stepped) -> BeforeAfterOut:
    taken = one.taken
    return BeforeAfterOut(
        topic=taken.topic,
        channels=None if taken.channels is None else sorted(taken.channels),
        department=one.department,
        at=taken.at,
        before=str(taken.before),
        after=str(taken.after),
        since=one.since,
        until=one.until,
        figures=[ApartOut.model_validate(apart) for apart in one.figures],
    )
