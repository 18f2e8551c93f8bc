"""Who was asked how we did, and who was not and why, over HTTP. Refuses to know who is asked."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.reports.answering import TABLE, LineOut, SpanOut, span, tabulate
from app.api.reports.asking import PREFIX, Format, Reader, SpanIn, TabledIn
from app.api.serving import Serving
from app.feedback.invitation import Reason
from app.reports.store import list_asked
from app.reports.tally.store import get_ledger

router = APIRouter(prefix=PREFIX)


class AskedIn(SpanIn, TabledIn):
    """A question about the period as a whole."""


class SilenceOut(LineOut):
    invited: int = Field(description="Customers whom the question reached")
    answered: int = Field(description="Those of them who gave a score")
    silent: int = Field(description="Those who did not, or not yet")
    not_invited: dict[str, int] = Field(
        description=f"Resolved tickets about which nobody was asked, by reason: {', '.join(Reason)}",
        examples=[{"cool_down": 12, "not_sampled": 207}],
    )


class AskedReportOut(SpanOut):
    items: list[SilenceOut]


@router.get(
    "/nps/asked",
    response_model=AskedReportOut,
    response_model_exclude_unset=True,
    responses=TABLE,
    summary="Who was asked for a score, and who was not",
)
async def read_asked(caller: Reader, runtime: Serving, asked: Annotated[AskedIn, Query()]) -> AskedReportOut | Response:
    """By when the tickets were resolved; a ticket of which it is not decided yet is not counted.

    A table has a column for each reason: `not_invited_cool_down`.
    """
    async with runtime.reading(reports=True) as tx:
        ledger = await get_ledger(tx)
        question = asked.question(caller, runtime.now(), ledger.zone)
        counted = await list_asked(ledger, question)
    items = [
        SilenceOut(
            **dict(zip(question.group_by, group, strict=True)),
            invited=one.invited,
            answered=one.answered,
            silent=one.invited - one.answered,
            not_invited=dict(one.not_invited),
        )
        for _, group, one in counted.lines
    ]
    if asked.format is Format.CSV:
        names = [*question.group_by, "invited", "answered", "silent", *(f"not_invited_{reason}" for reason in Reason)]
        rows = [
            [*group, one.invited, one.answered, one.silent, *(one.not_invited.get(reason, 0) for reason in Reason)]
            for (_, group, _), one in zip(counted.lines, items, strict=True)
        ]
        return tabulate(names, rows, question, asked.lang)
    return AskedReportOut.model_validate({**span(question, counted.as_of), "items": items})
