"""Two Net Promoter Scores side by side, over HTTP: how far apart, and whether that is more than noise.

Knows which pairs can be asked for. Refuses to know the arithmetic (reports.comparing).
"""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.fields import OutModel
from app.api.reports.answering import TABLE, Figure, LineOut, SpanOut, span, tabulate
from app.api.reports.asking import PREFIX, Format, Reader, SpanIn, TabledIn
from app.api.serving import Serving
from app.feedback import nps
from app.feedback.nps import Nps
from app.reports.comparing import difference, is_certain
from app.reports.figures import scored
from app.reports.question import Group, Question
from app.reports.store import list_nps
from app.reports.tally.store import Ledger, get_ledger
from app.routing.ownership import Arm

router = APIRouter(prefix=PREFIX)

APART = ("difference", "low", "high", "more_than_noise")
NOBODY = nps.score(0, 0, 0, invited=0)


class Versus(StrEnum):
    PREVIOUS = "previous"
    ARM = "arm"


class ComparisonIn(SpanIn, TabledIn):
    versus: Versus = Field(
        Versus.PREVIOUS,
        description="What it is held against: `previous` is the period of as many days, or of the same length, before;"
        " `arm` holds what a pilot's departments answered first-hand against what webcare published for them",
    )


class ScoreOut(OutModel):
    n: int = Field(description="Answers")
    promoters: int
    passives: int
    detractors: int
    invited: int
    nps: Figure | None = Field(description="Null below 10 answers", examples=[42.0])
    low: Figure | None
    high: Figure | None
    response_rate: Figure | None


class ComparisonLineOut(LineOut):
    this: ScoreOut = Field(description="The period that was asked about, or what was answered first-hand")
    other: ScoreOut = Field(description="The period before, or what webcare published")
    difference: Figure | None = Field(
        description="nps of `this` less that of `other`; null when either is withheld", examples=[12.0]
    )
    low: Figure | None = Field(description="Lower end of the 95 % interval of the difference", examples=[2.5])
    high: Figure | None = Field(description="Upper end", examples=[21.5])
    more_than_noise: bool | None = Field(description="Whether zero lies outside the interval", examples=[True])


class ComparisonOut(SpanOut):
    versus: Versus
    items: list[ComparisonLineOut]


@router.get(
    "/nps/compare",
    response_model=ComparisonOut,
    response_model_exclude_unset=True,
    responses=TABLE,
    summary="Whether scores differ by more than noise",
)
async def compare_nps(
    caller: Reader, runtime: Serving, asked: Annotated[ComparisonIn, Query()]
) -> ComparisonOut | Response:
    """The difference of two scores with its interval, by when the tickets were resolved.

    In a table the figures of both have their name in front: `this_nps`, `other_nps`.
    """
    async with runtime.reading(reports=True) as tx:
        ledger = await get_ledger(tx)
        question = asked.question(caller, runtime.now(), ledger.zone)
        if asked.versus is Versus.ARM:
            question = replace(question, group_by=tuple(name for name in question.group_by if name != "arm"))
            as_of, one, other = await _by_arm(ledger, question)
        else:
            (as_of, one), (_, other) = await _by_group(ledger, question), await _by_group(ledger, question.before())
    groups = one.keys() | other.keys() if question.group_by else {()}
    items = [
        _line(question, group, one.get(group, NOBODY), other.get(group, NOBODY)) for _, group in question.lines(groups)
    ]
    if asked.format is Format.CSV:
        return tabulate(_columns(question), [_row(question, one) for one in items], question, asked.lang)
    return ComparisonOut.model_validate({**span(question, as_of), "versus": asked.versus, "items": items})


def _columns(question: Question) -> list[str]:
    sides = [f"{side}_{name}" for side in ("this", "other") for name in ScoreOut.model_fields]
    return [*question.group_by, *sides, *APART]


def _row(question: Question, line: ComparisonLineOut) -> list[object]:
    told = line.model_dump()
    sides = [told[side][name] for side in ("this", "other") for name in ScoreOut.model_fields]
    return [*(told[name] for name in question.group_by), *sides, *(told[name] for name in APART)]


async def _by_group(ledger: Ledger, question: Question) -> tuple[datetime, dict[Group, Nps]]:
    counted = await list_nps(ledger, question)
    return counted.as_of, {group: figures for _, group, figures in counted.lines}


async def _by_arm(ledger: Ledger, question: Question) -> tuple[datetime, dict[Group, Nps], dict[Group, Nps]]:
    as_of, found = await _by_group(ledger, replace(question, group_by=(*question.group_by, "arm")))
    first_hand, advised = (
        {group[:-1]: figures for group, figures in found.items() if group[-1] == arm}
        for arm in (Arm.FIRST_HAND, Arm.CONTROL)
    )
    return as_of, first_hand, advised


def _line(question: Question, group: Group, one: Nps, other: Nps) -> ComparisonLineOut:
    apart = difference(scored(one), scored(other))
    return ComparisonLineOut(
        **dict(zip(question.group_by, group, strict=True)),
        this=ScoreOut.model_validate(one),
        other=ScoreOut.model_validate(other),
        difference=apart and apart.value,
        low=apart and apart.low,
        high=apart and apart.high,
        more_than_noise=is_certain(apart),
    )
