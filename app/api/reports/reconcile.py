"""Whether reports agree with themselves and with what stands, over HTTP.

Knows how a comparison is shown. Refuses to know what is compared (reports.agreement).
"""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import OutModel
from app.api.reports.answering import SpanOut, span
from app.api.reports.asking import PREFIX, PeriodIn
from app.api.serving import Serving
from app.reports.agreement.agreement import Count
from app.reports.agreement.store import list_agreements
from app.reports.question import Question
from app.reports.tally.fact import Measure
from app.reports.tally.keeping.store import get_tallied

router = APIRouter(prefix=PREFIX)


class CountOut(OutModel):
    n: int = Field(description="How many there are", examples=[120])
    good: int = Field(description="How many of them were good: promises kept, customers who answered", examples=[97])
    total: int = Field(description="The sum of their values; of durations in milliseconds", examples=[86400000])


class AgreementOut(OutModel):
    name: Measure = Field(description="The kind of fact, as in `/reports/metrics`")
    agrees: bool = Field(description="Whether all of these are the same")
    headline: CountOut = Field(description="Asked about as one number")
    charts: dict[str, CountOut] = Field(description="By interval, the sum of the steps")
    groupings: dict[str, CountOut] = Field(description="By dimension, the sum of the lines")
    drill_down: CountOut = Field(description="The facts behind it, one by one")
    anew: CountOut = Field(description="Counted in the tables that the work is done in, by statements of their own")


class ReconcileOut(SpanOut):
    agrees: bool
    items: list[AgreementOut]


@router.get("/reconcile", summary="Whether all reports agree with what stands")
async def reconcile(
    _: Annotated[Caller, allow(Permission.RECONCILE_REPORTS)], runtime: Serving, asked: Annotated[PeriodIn, Query()]
) -> ReconcileOut:
    """Every kind of fact of a period, counted in five ways at one moment. Reads every row of the period: takes seconds.

    Where something does not agree, `webcare reports rebuild` counts anew.
    """
    async with runtime.reading(reports=True) as tx:
        zone = (await get_tallied(tx)).zone
        question = Question(*asked.period(runtime.now(), zone), zone=zone)
        compared = await list_agreements(tx, question)
    items = [
        AgreementOut(
            name=one.measure,
            agrees=one.agrees,
            headline=_shown(one.headline),
            charts={interval: _shown(count) for interval, count in one.charts.items()},
            groupings={name: _shown(count) for name, count in one.groupings.items()},
            drill_down=_shown(one.drill_down),
            anew=_shown(one.anew),
        )
        for one in compared.agreements
    ]
    agrees = all(one.agrees for one in items)
    return ReconcileOut.model_validate({**span(question, compared.as_of), "agrees": agrees, "items": items})


def _shown(count: Count) -> CountOut:
    return CountOut(n=count.n, good=count.good, total=count.total)
