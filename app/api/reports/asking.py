"""How a report is asked for over HTTP: period, steps, groups and format.

Knows the question's shape and who may ask it. Refuses to know what makes a question valid (reports.question). A
department asks the same questions and is answered about itself.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import InModel, Instant, Text
from app.api.reports.words import Language
from app.reports.question import ASKABLE, Interval, Question

# Of the router of each report: metrics and logs know a request by what its own router calls it.
PREFIX = "/api/v1/reports"

USUAL_PERIOD = timedelta(days=30)

Reader = Annotated[Caller, allow(Permission.READ_REPORTS)]


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"
    SVG = "svg"


class SpanIn(InModel):
    """A period as a whole, and what to group by."""

    from_: Instant | None = Field(None, alias="from", description="Left out: 30 days before `to`")
    to: Instant | None = Field(None, description="Not included. Left out: now")
    group_by: Annotated[str, Text(200)] = Field(
        "", description=f"Comma-separated: {', '.join(ASKABLE)}", examples=["topic,arm"]
    )

    def question(self, caller: Caller, now: datetime) -> Question:
        """Raises `EmptyPeriod` and the like, when the question has no sense."""
        until = self.to or now
        names = tuple(name.strip() for name in self.group_by.split(",") if name.strip())
        return Question(self.from_ or until - USUAL_PERIOD, until, Interval.NONE, names, caller.department)


class ShownIn(InModel):
    """How an answer is shown."""

    format: Format = Field(Format.JSON, description="`csv` is a table for a spreadsheet, `svg` a chart")
    figure: Annotated[str, Text(50)] | None = Field(
        None, description="What a chart shows: a member of the lines. Left out: the most telling one", examples=["p90"]
    )
    lang: Language | None = Field(None, description="Language of a chart. Left out: `Accept-Language`, else Dutch")


class QuestionIn(SpanIn, ShownIn):
    interval: Interval = Field(Interval.NONE, description="Steps of the period, in UTC")

    def question(self, caller: Caller, now: datetime) -> Question:
        return replace(super().question(caller, now), interval=self.interval)


Asked = Annotated[QuestionIn, Query()]
