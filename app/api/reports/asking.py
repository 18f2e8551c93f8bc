"""How a report is asked for over HTTP: period, steps, groups and format.

Knows the question's shape, who may ask it, and that a day begins at midnight in the time zone of reports. Refuses to
know what makes a question valid (reports.question). A department asks the same questions and is answered about itself.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import DayOrInstant, InModel, Text
from app.api.reports.words import Language
from app.reports.question import ASKABLE, Interval, Question, midnight

# Of the router of each report: metrics and logs know a request by what its own router calls it.
PREFIX = "/api/v1/reports"

USUAL_PERIOD = timedelta(days=30)

Reader = Annotated[Caller, allow(Permission.READ_REPORTS)]

_SPELLED = (
    "A table with `nl` is spelled as a Dutch spreadsheet opens it: semicolons, decimal commas, dates and the mark of"
    " UTF-8"
)


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"
    SVG = "svg"


class PeriodIn(InModel):
    """A half-open period: a day stands for its first moment in the time zone of reports."""

    from_: DayOrInstant | None = Field(None, alias="from", description="Left out: 30 days before `to`")
    to: DayOrInstant | None = Field(None, description="Not included. Left out: now")

    def period(self, now: datetime, zone: ZoneInfo, usual: timedelta = USUAL_PERIOD) -> tuple[datetime, datetime]:
        """Its two ends; `usual` is how long it is when only the last is known."""
        until = now if self.to is None else _moment(self.to, zone)
        return until - usual if self.from_ is None else _moment(self.from_, zone), until


def _moment(given: date, zone: ZoneInfo) -> datetime:
    return given if isinstance(given, datetime) else midnight(given, zone)


class SpanIn(PeriodIn):
    """A period as a whole, and what to group by."""

    group_by: Annotated[str, Text(200)] = Field(
        "", description=f"Comma-separated: {', '.join(ASKABLE)}", examples=["topic,arm"]
    )

    def question(self, caller: Caller, now: datetime, zone: ZoneInfo) -> Question:
        """Raises `EmptyPeriod` and the like, when the question has no sense."""
        names = tuple(name.strip() for name in self.group_by.split(",") if name.strip())
        return Question(*self.period(now, zone), Interval.NONE, names, caller.department, zone=zone)


class TabledIn(InModel):
    """How an answer is written of which there is no chart."""

    format: Literal[Format.JSON, Format.CSV] = Field(Format.JSON, description="`csv` is a table for a spreadsheet")
    lang: Language | None = Field(None, description=_SPELLED)


class ShownIn(InModel):
    """How an answer is shown."""

    format: Format = Field(Format.JSON, description="`csv` is a table for a spreadsheet, `svg` a chart")
    figure: Annotated[str, Text(50)] | None = Field(
        None, description="What a chart shows: a member of the lines. Left out: the most telling one", examples=["p90"]
    )
    lang: Language | None = Field(
        None, description=f"Language of a chart; left out: `Accept-Language`, else Dutch. {_SPELLED}"
    )


class QuestionIn(SpanIn, ShownIn):
    interval: Interval = Field(Interval.NONE, description="Steps of the period, as clocks in `time_zone` have them")

    def question(self, caller: Caller, now: datetime, zone: ZoneInfo) -> Question:
        return replace(super().question(caller, now, zone), interval=self.interval)


Asked = Annotated[QuestionIn, Query()]
