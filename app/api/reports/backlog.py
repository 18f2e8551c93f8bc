"""What waits, over time and tonight, over HTTP. Knows the members; refuses to know how they come about."""

from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, Field

from app.api.reports.answering import FORMATS, LineOut, ReportOut, answer, tell
from app.api.reports.asking import PREFIX, Asked, Reader, ShownIn
from app.api.reports.lines import Lines, rows_of
from app.api.serving import Serving
from app.kit.db import Reading
from app.reports.dictionary import Unit
from app.reports.forecast import forecast
from app.reports.gathering.store import BEGINNING, list_flows, list_waiting
from app.reports.question import Interval, Question, midnight, step_after, step_of
from app.reports.tally.keeping.store import get_tallied

router = APIRouter(prefix=PREFIX)

FIGURES = dict.fromkeys(("open", "came", "went"), Unit.COUNT)
AHEAD = dict.fromkeys(("expected", "low", "high"), Unit.COUNT)
WEEKS = 8


class BacklogOut(LineOut):
    open: int = Field(description="Tickets that waited for us at the end of the step, or of the period")
    came: int = Field(description="Opened or reopened in it")
    went: int = Field(description="Resolved in it, or merged into another")


class BacklogReportOut(ReportOut):
    items: list[BacklogOut]


class ForecastIn(ShownIn):
    hours: int | None = Field(None, ge=1, le=24, description="So many hours ahead. Left out: until midnight")

    def until(self, now: datetime, zone: ZoneInfo) -> datetime:
        if self.hours is None:
            return step_after(step_of(now, Interval.DAY, zone), Interval.DAY, zone)
        return now + timedelta(hours=self.hours)


class AheadOut(LineOut):
    step: AwareDatetime = Field(description="The end of an hour")
    expected: float = Field(description="Tickets that will wait then")
    low: float = Field(description="Lower end of the 95 % interval")
    high: float = Field(description="Upper end")


class ForecastOut(ReportOut):
    """The same hours of the last weeks, put onto what waits now; no items when too few weeks were counted."""

    open: int = Field(description="Tickets that wait now")
    weeks: int = Field(description="Weeks of the past that it is made of; at least three are needed")
    items: list[AheadOut]


@router.get("/backlog", response_model=BacklogReportOut, responses=FORMATS, summary="How much waited")
async def read_backlog(caller: Reader, runtime: Serving, request: Request, asked: Asked) -> Response:
    """Tickets that are neither resolved nor closed. `/reports/backlog/now` has them by holder and age."""
    return await tell(gather_backlog, asked, caller, request, runtime)


async def gather_backlog(tx: Reading, question: Question) -> Lines:
    counted = await list_waiting(tx, question)
    rows = rows_of(counted.lines, FIGURES)
    keys = question.group_by
    return Lines("backlog", question, counted.as_of, keys, FIGURES, rows, shown="open", weight="open", adds=True)


@router.get("/backlog/forecast", response_model=ForecastOut, responses=FORMATS, summary="How much will wait tonight")
async def read_forecast(
    caller: Reader, runtime: Serving, request: Request, asked: Annotated[ForecastIn, Query()]
) -> Response:
    """From what came and went in the same hours of the last weeks; docs/metrics.md has the formula."""
    now = runtime.now()
    async with runtime.reading(reports=True) as tx:
        zone = (await get_tallied(tx)).zone
        tonight = await gather_forecast(tx, now, asked.until(now, zone), caller.department, zone)
    told = {"open": tonight.open, "weeks": tonight.weeks}
    return await answer(tonight.lines, asked, request, runtime, told=told, drawn=tonight.drawn)


@dataclass(frozen=True, slots=True)
class Tonight:
    """The backlog ahead: `open` tickets wait now; `lines` by hour, and `drawn` with a series for each end."""

    open: int
    weeks: int
    lines: Lines
    drawn: Lines


async def gather_forecast(
    tx: Reading, now: datetime, until: datetime, department: str | None, zone: ZoneInfo
) -> Tonight:
    waits = await list_waiting(tx, Question(midnight(BEGINNING, zone), now, department=department, zone=zone))
    [(_, _, waiting)] = waits.lines
    weeks = await list_flows(tx, now, until, WEEKS, department, zone)
    ahead = forecast(now, step_of(now, Interval.HOUR, zone), waiting.open, weeks)
    question = Question(now, until, Interval.HOUR, department=department, zone=zone)
    lines = Lines("forecast", question, waits.as_of, (), AHEAD, [astuple(one) for one in ahead], shown="expected")
    ends = [(one.at, name, value) for one in ahead for name, value in zip(AHEAD, astuple(one)[1:], strict=True)]
    drawn = replace(lines, keys=("end",), figures={"open": Unit.COUNT}, rows=ends, shown="open", weight="open")
    return Tonight(waiting.open, len(weeks), lines, drawn)
