"""What the figures mean, over HTTP. Knows how a definition is shown; refuses to know any (reports.dictionary)."""

from fastapi import APIRouter
from pydantic import Field

from app.api.fields import OutModel
from app.api.reports.asking import PREFIX, Reader
from app.reports.dictionary import COUNTED, METRICS, Clock, For, Unit
from app.reports.tally.cut import KEPT
from app.reports.tally.fact import Measure

router = APIRouter(prefix=PREFIX)

COUNTING = (
    "Which values of the dimensions count. `ticket`: as they stand, stage and arm as first given; `department`: the one"
    " that it was, and the topic that it had the ticket for; `resolution`: as they stood then. The team is"
    " always the one that the agent of these is in now"
)
_EXAMPLE = COUNTED[Measure.OPENED]


class MetricOut(OutModel):
    report: str = Field(description="Which answer it is of", examples=["sla"])
    path: str = Field(description="Where that is told", examples=["/reports/sla"])
    name: str = Field(description="The member of its lines, or the word on its page", examples=["met_share"])
    formula: str = Field(examples=["met / n; null when n = 0"])
    unit: Unit
    clock: Clock = Field(description="Which time it measures: business hours, the wall, or none")
    axis: tuple[str, ...] = Field(description="At which moment it counts", examples=[[_EXAMPLE.at]])
    counts_for: tuple[For, ...] = Field(description=f"{COUNTING}. Empty where `measures` is: as it stands")
    measures: tuple[Measure, ...] = Field(description="The facts that it is made of; none: it is read as it stands")


class FactOut(OutModel):
    name: Measure
    says: str = Field(description="What one such fact is", examples=[_EXAMPLE.says])
    axis: str = Field(description="At which moment it counts", examples=[_EXAMPLE.at])
    counts_for: For = Field(description=COUNTING)


class MetricsOut(OutModel):
    items: list[MetricOut]
    facts: list[FactOut]
    kept_by: list[tuple[str, ...]] = Field(
        description="Sets of dimensions by which sums are kept: a question about some of one set is fast for any period"
    )


@router.get("/metrics", summary="What each figure counts")
async def read_dictionary(_: Reader) -> MetricsOut:
    """The dictionary of metrics: clock, date axis and formula of every figure, and the facts that they are made of."""
    return MetricsOut(
        items=[MetricOut.model_validate(one) for one in METRICS],
        facts=[
            FactOut(name=measure, says=one.says, axis=one.at, counts_for=one.counts_for)
            for measure, one in COUNTED.items()
        ],
        kept_by=[cut.askable for cut in KEPT if cut.dimensions],
    )
