"""Reports of promises and of scores, read-only.

Knows which sums they are made of and which lines they have. Refuses to know how sums come about (tally). Every
function returns figures for all lines that the question makes, zeros included, and when all of it was counted;
docs/metrics.md tells the axes and formulas.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.feedback import nps
from app.feedback.nps import Nps
from app.kit.db import Reading
from app.reports.attainment import Attainment, attain
from app.reports.question import Group, Question
from app.reports.tally.counting import SCORES
from app.reports.tally.fact import PROMISES, Measure
from app.reports.tally.store import list_measured

Step = datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Of a group: how many the question reached, how many of them answered, and how many were not asked, by reason."""

    invited: int
    answered: int
    not_invited: Mapping[str, int]


async def list_nps(tx: Reading, question: Question) -> tuple[datetime, list[tuple[Step, Group, Nps]]]:
    """The scores of customers, by when their tickets were resolved. Raises `TooManyLines`, `NotKept`."""
    measured = await list_measured(tx, question, [Measure.ASKED, Measure.SCORED])

    def scored(step: Step, group: Group) -> Nps:
        promoters, passives, detractors = (measured.of(step, group, Measure.SCORED, kind).n for kind in SCORES)
        return nps.score(promoters, passives, detractors, invited=measured.of(step, group, Measure.ASKED).n)

    groups = {line.group for line in measured.cells} if question.group_by else {()}
    return measured.as_of, [(step, group, scored(step, group)) for step, group in question.lines(groups)]


async def list_asked(tx: Reading, question: Question) -> tuple[datetime, list[tuple[Step, Group, Asked]]]:
    """Who was asked for a score, and why others were not, by when their tickets were resolved.

    Raises `TooManyLines`, `NotKept`.
    """
    measured = await list_measured(tx, question, [Measure.ASKED, Measure.UNASKED])
    unasked: dict[tuple[Step, Group], dict[str, int]] = {}
    for line, cell in measured.cells.items():
        if line.measure is Measure.UNASKED:
            unasked.setdefault((line.step, line.group), {})[line.detail] = cell.n

    def asked(step: Step, group: Group) -> Asked:
        cell = measured.of(step, group, Measure.ASKED)
        return Asked(cell.n, cell.good, dict(sorted(unasked.get((step, group), {}).items())))

    groups = {line.group for line in measured.cells} if question.group_by else {()}
    return measured.as_of, [(step, group, asked(step, group)) for step, group in question.lines(groups)]


async def list_attainment(tx: Reading, question: Question) -> tuple[datetime, list[tuple[Step, Group, Attainment]]]:
    """Promises kept and broken, by when that became certain; the last member of each group is the metric.

    Raises `TooManyLines`, `NotKept`.
    """
    measured = await list_measured(tx, question, PROMISES)
    groups: set[Group] = {(*line.group, line.measure) for line in measured.cells}
    if not question.group_by:
        groups = {(metric,) for metric in PROMISES}
    lines = question.lines(groups)
    figures = attain([measured.of(step, group[:-1], Measure(group[-1] or "")) for step, group in lines])
    return measured.as_of, [(step, group, found) for (step, group), found in zip(lines, figures, strict=True)]
