"""Whether reports agree with themselves and with what stands, over HTTP.

Knows how a comparison is shown. Refuses to know what is compared (reports.agreement).
"""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from app.access.role import Caller, Permission
from app.api.auth import allow
from app.api.fields import InModel, Instant, OutModel
from app.api.reports.asking import PREFIX, USUAL_PERIOD
from app.api.serving import Serving
from app.reports.agreement.agreement import Count
from app.reports.agreement.store import list_agreements
from app.reports.tally.fact import Measure

router = APIRouter(prefix=PREFIX)


class PeriodIn(InModel):
    from_: Instant | None = Field(None, alias="from", description="Left out: 30 days before `to`")
    to: Instant | None = Field(None, description="Not included. Left out: now")


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


class ReconcileOut(OutModel):
    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime
    as_of: AwareDatetime = Field(description="What happened by then is counted")
    agrees: bool
    items: list[AgreementOut]


@router.get("/reconcile", summary="Whether all reports agree with what stands")
async def reconcile(
    _: Annotated[Caller, allow(Permission.RECONCILE_REPORTS)], runtime: Serving, asked: Annotated[PeriodIn, Query()]
) -> ReconcileOut:
    """Every kind of fact of a period, counted in five ways at one moment. Reads every row of the period: takes seconds.

    Where something does not agree, `webcare reports rebuild` counts anew.
    """
    end = asked.to or runtime.now()
    start = asked.from_ or end - USUAL_PERIOD
    async with runtime.reading(reports=True) as tx:
        compared = await list_agreements(tx, start, end)
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
    return ReconcileOut(
        **{"from": start}, to=end, as_of=compared.as_of, agrees=all(one.agrees for one in items), items=items
    )


def _shown(count: Count) -> CountOut:
    return CountOut(n=count.n, good=count.good, total=count.total)
