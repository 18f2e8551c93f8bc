"""How a report is answered: the question as it was understood, and lines as JSON, as a table or as a chart.

Knows the members that every line and every report have. Refuses to know any figure.
"""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Annotated, Any

import numpy as np
from fastapi import Request, Response
from pydantic import AfterValidator, AwareDatetime, Field

from app.access.role import Caller
from app.api.fields import OutModel
from app.api.reports import table
from app.api.reports.asking import Format, QuestionIn, ShownIn
from app.api.reports.chart import MEDIA_TYPE, draw
from app.api.reports.lines import Lines
from app.api.reports.picture import plot
from app.api.reports.table import Spelling
from app.api.reports.words import Language, language_of, speak
from app.kit.wire import dump
from app.reports.question import Interval, Question
from app.reports.tally.store import Ledger, get_ledger
from app.runtime import Runtime

DECIMALS = 4
Figure = Annotated[float, AfterValidator(lambda value: _rounded([value])[0])]  # as in the lines of every report
_TEXT = {"schema": {"type": "string"}}
TABLE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": _TEXT}}}
FORMATS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": _TEXT, MEDIA_TYPE: _TEXT}}}
# A chart that is opened by itself shows what it brings along and runs nothing.
SAFE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


class LineOut(OutModel):
    """A line has the members that were asked for: `step` with an interval, and each dimension of `group_by`."""

    step: AwareDatetime | None = Field(None, description="Start of the step, as an instant; weeks begin on Monday")
    topic: str | None = None
    channel: str | None = None
    account: str | None = None
    department: str | None = None
    stage: str | None = None
    arm: str | None = None
    priority: str | None = None
    agent: str | None = None
    language: str | None = None
    team: str | None = Field(None, description="Of the agent, as their profile says now; null: of none")


class SpanOut(OutModel):
    """The period as it was understood, half-open, beside the answer."""

    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime
    time_zone: str = Field(description="In which days, weeks and months begin", examples=["Europe/Amsterdam"])
    as_of: AwareDatetime = Field(description="What happened by then is counted; the present moment but for a rush")


class ReportOut(SpanOut):
    interval: Interval
    group_by: list[str]


async def tell(
    gather: Callable[[Ledger, Question], Awaitable[Lines]],
    asked: QuestionIn,
    caller: Caller,
    request: Request,
    runtime: Runtime,
) -> Response:
    """A report whose lines `gather` makes of the question, in the format that was asked for.

    Raises `EmptyPeriod`, `UnknownDimension`, `TooManyLines`, `NotKept`, `UnknownFigure`.
    """
    async with runtime.reading(reports=True) as tx:
        ledger = await get_ledger(tx)
        lines = await gather(ledger, asked.question(caller, runtime.now(), ledger.zone))
    return await answer(lines, asked, request, runtime)


async def answer(
    lines: Lines,
    asked: ShownIn,
    request: Request,
    runtime: Runtime,
    *,
    told: Mapping[str, Any] | None = None,
    drawn: Lines | None = None,
) -> Response:
    """The report in the format that was asked for: JSON with what else is `told`, a table, or a chart.

    JSON is written as it stands: to check thousands of lines against their model took as long as to read them. A chart
    is of `drawn`, where the same figures are laid out otherwise to be seen. Raises `UnknownFigure`.
    """
    drawn = drawn or lines
    figure = drawn.figure(asked.figure)  # of a format that shows all of them as well: a wrong name is a mistake
    if asked.format is Format.SVG:
        speech = speak(language_of(request, asked.lang), runtime.rulebook)
        svg = await to_thread(draw, plot(drawn, figure, speech))
        return Response(svg, media_type=MEDIA_TYPE, headers=SAFE)
    question, names = lines.question, ("step", *lines.names)
    columns = [_rounded(column) for column in zip(*lines.rows, strict=True)]
    if question.interval is Interval.NONE:
        names, columns = names[1:], columns[1:]
    rows = zip(*columns, strict=True)
    if asked.format is Format.CSV:
        return tabulate(names, rows, question, asked.lang)
    whole = {
        **{name: _rounded([value])[0] for name, value in (told or {}).items()},
        **span(question, lines.as_of),
        "interval": question.interval,
        "group_by": question.group_by,
        "items": [dict(zip(names, row, strict=True)) for row in rows],
    }
    return Response(dump(whole), media_type="application/json")


def tabulate(
    names: Sequence[str], rows: Iterable[Sequence[Any]], question: Question, language: Language | None
) -> Response:
    """Rows as a table, whose figures are rounded already."""
    spelling = table.DUTCH if language is Language.NL else table.PLAIN
    local = [[_local(one, question, spelling) for one in row] for row in rows]
    return Response(table.write(names, local, spelling), media_type=table.MEDIA_TYPE)


def _local(value: Any, question: Question, spelling: Spelling) -> Any:
    """A step as people tell it, whose days begin at midnight; to who reckons with dates, the day."""
    if not isinstance(value, datetime):
        return value
    at = value.astimezone(question.zone)
    return at.date() if spelling.dates and question.interval is not Interval.HOUR else at


def _rounded(column: Sequence[Any]) -> Sequence[Any]:
    """With figures as they are told; all at once, as an answer has tens of thousands."""
    kinds = set(map(type, column))
    if float not in kinds:
        return column
    rounded: list[float | None] = (np.round(np.array(column, dtype=float), DECIMALS) + 0.0).tolist()  # 0.0 for -0.0
    if NoneType in kinds:
        return [None if given is None else figure for given, figure in zip(column, rounded, strict=True)]
    return rounded


def span(question: Question, as_of: datetime) -> dict[str, Any]:
    """The members of `SpanOut`."""
    return {"from": question.start, "to": question.end, "time_zone": question.zone.key, "as_of": as_of}
