"""How a report is answered: the question as it was understood, and lines as JSON or as a table.

Knows the members that every line and every report have. Refuses to know any figure.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import Response
from pydantic import AwareDatetime, Field

from app.api.fields import OutModel
from app.api.reports.asking import Format
from app.api.reports.table import MEDIA_TYPE, write_table
from app.reports.question import Interval, Question

DECIMALS = 4
TABLE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


class LineOut(OutModel):
    """A line has the members that were asked for: `step` with an interval, and each dimension of `group_by`."""

    step: AwareDatetime | None = Field(None, description="Start of the step; weeks begin on Monday; UTC")
    topic: str | None = None
    channel: str | None = None
    account: str | None = None
    department: str | None = None
    stage: str | None = None
    arm: str | None = None
    priority: str | None = None
    agent: str | None = None
    language: str | None = None


class ReportOut(OutModel):
    """The question as it was understood, beside its answer; the period is half-open."""

    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime
    interval: Interval
    group_by: list[str]


def answer(
    question: Question,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    wanted: Format,
    report: type[ReportOut],
) -> Response:
    """The report; each row is its step and then one value per name. Without an interval there are no steps to show."""
    if question.interval is Interval.NONE:
        rows = [row[1:] for row in rows]
    else:
        names = ("step", *names)
    rows = [tuple(round(value, DECIMALS) if isinstance(value, float) else value for value in row) for row in rows]
    if wanted is Format.CSV:
        return Response(write_table(names, rows), media_type=MEDIA_TYPE)
    told = {
        "from": question.start,
        "to": question.end,
        "interval": question.interval,
        "group_by": question.group_by,
        "items": [dict(zip(names, row, strict=True)) for row in rows],
    }
    shown = report.model_validate(told).model_dump_json(exclude_unset=True, by_alias=True)
    return Response(shown, media_type="application/json")
