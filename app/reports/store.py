"""Questions of managers put to the sums, read-only.

Knows which kinds of facts a report is made of and which lines it has. Refuses to know the formulas (figures) and how
sums come about (tally). Every function returns lines for all that the question makes, zeros included, and when all of
it was counted; docs/metrics.md tells the axes. All raise `TooManyLines`, `NotKept`.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Generic, TypeVar

from app.feedback.nps import Nps
from app.reports.attainment import Attainment, attain
from app.reports.confusion import Pair
from app.reports.figures import (
    FLOWING,
    Course,
    Look,
    Routed,
    Volume,
    Waiting,
    courses,
    routed,
    scores,
    volumes,
    waiting,
)
from app.reports.forecast import HOUR, Flow, hours_ahead
from app.reports.question import Group, Interval, Question, midnight, step_of
from app.reports.tally.cell import Cell
from app.reports.tally.fact import PROMISES, Measure
from app.reports.tally.measured import Sheet, Step
from app.reports.tally.store import Ledger, list_measured
from app.reports.waiting import HOLDERS, Held, split

T = TypeVar("T")

BEGINNING = date(2000, 1, 1)
WEEK = timedelta(weeks=1)
ROUTING = (
    *(Measure.PLACED, Measure.HANDED_OVER, Measure.HANDED_BACK, Measure.FELL_BACK, Measure.RESOLVED),
    *(Measure.REPLIED, Measure.PUBLISHED),
)
COURSE = (
    *(Measure.OPENED, Measure.FIRST_REPLY, Measure.RESOLUTION, Measure.HANDED_OVER, Measure.HANDED_BACK),
    Measure.SCORED,
)


@dataclass(frozen=True, slots=True)
class Counted(Generic[T]):
    """The lines of an answer, which was right at `as_of`."""

    as_of: datetime
    lines: Sequence[tuple[Step, Group, T]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Of a group: how many the question reached, how many of them answered, and how many were not asked, by reason."""

    invited: int
    answered: int
    not_invited: Mapping[str, int]


async def list_volume(ledger: Ledger, question: Question) -> Counted[Volume]:
    return await _counted(ledger, question, FLOWING, volumes)


async def list_nps(ledger: Ledger, question: Question) -> Counted[Nps]:
    """The scores of customers, by when their tickets were resolved."""
    return await _counted(ledger, question, (Measure.ASKED, Measure.SCORED), scores)


async def list_routed(ledger: Ledger, question: Question) -> Counted[Routed]:
    return await _counted(ledger, question, ROUTING, routed)


async def list_courses(ledger: Ledger, question: Question) -> Counted[Course]:
    return await _counted(ledger, question, COURSE, courses)


async def get_course(ledger: Ledger, question: Question, channels: Collection[str]) -> Course:
    """How all tickets of these channels fared together, without steps and groups."""
    asked = replace(question, interval=Interval.NONE, group_by=("channel",))
    measured = await list_measured(ledger, asked, COURSE)
    [course] = courses(measured.laid(asked, [()], lambda one: () if one.group[0] in channels else None).sums)
    return course


async def list_attainment(ledger: Ledger, question: Question) -> Counted[Attainment]:
    """Promises kept and broken, by when that became certain; the last member of each group is the metric."""
    measured = await list_measured(ledger, question, PROMISES)
    groups = None if question.group_by else [(metric,) for metric in PROMISES]
    sheet = measured.laid(question, groups, lambda one: (*one.group, one.measure))
    return _lines(measured.as_of, sheet, attain(sheet.sums()))


async def list_asked(ledger: Ledger, question: Question) -> Counted[Asked]:
    """Who was asked for a score, and why others were not, by when their tickets were resolved."""
    measured = await list_measured(ledger, question, (Measure.ASKED, Measure.UNASKED))
    sheet = measured.laid(question)
    reached = sheet.sums(Measure.ASKED)
    reasons = sorted({one.detail for one in measured.found if one.measure is Measure.UNASKED})
    unasked = {reason: sheet.sums(Measure.UNASKED, reason).n.tolist() for reason in reasons}
    found = [
        Asked(invited, answered, {reason: counts[place] for reason, counts in unasked.items() if counts[place]})
        for place, (invited, answered) in enumerate(zip(reached.n.tolist(), reached.good.tolist(), strict=True))
    ]
    return _lines(measured.as_of, sheet, found)


async def list_waiting(ledger: Ledger, question: Question) -> Counted[Waiting]:
    """What waits is what came since the beginning of time without having gone: each line adds up those before it."""
    before = Counter[Group]()
    if question.start > (beginning := midnight(BEGINNING, question.zone)):
        past = replace(question, start=beginning, end=question.start, interval=Interval.NONE)
        sheet = (await list_measured(ledger, past, [Measure.BACKLOG])).laid(past)
        before = Counter(dict(zip((group for _, group in sheet.lines), sheet.sums().total.tolist(), strict=True)))
    measured = await list_measured(ledger, question, [Measure.BACKLOG])
    groups = {*before, *(one.group for one in measured.found)} if question.group_by else [()]
    sheet = measured.laid(question, groups)
    changed, found = sheet.sums(), list[Waiting]()
    for (_, group), n, total in zip(sheet.lines, changed.n.tolist(), changed.total.tolist(), strict=True):
        found.append(waiting(before[group], n, total))
        before[group] = found[-1].open
    return _lines(measured.as_of, sheet, found)


async def list_held(ledger: Ledger, question: Question) -> Counted[Held]:
    """Where the waiting time went; the last member of each group is the holder."""
    measured = await list_measured(ledger, question, [Measure.HELD], durations=False)
    sheet = measured.laid(question, each=len(HOLDERS))
    held = [sheet.sums(Measure.HELD, holder) for holder in HOLDERS]
    counts = zip(*(zip(one.n.tolist(), (one.total / 1000).tolist(), strict=True) for one in held), strict=True)
    lines = [
        (step, (*group, holder), part)
        for (step, group), found in zip(sheet.lines, counts, strict=True)
        for holder, part in split(dict(zip(HOLDERS, found, strict=True))).items()
    ]
    return Counted(measured.as_of, lines)


async def list_pairs(ledger: Ledger, question: Question) -> tuple[datetime, dict[Pair, int]]:
    """How many tickets were taken for one topic at first and have another now, the same one included."""
    asked = replace(question, group_by=("topic",), interval=Interval.NONE)
    measured = await list_measured(ledger, asked, [Measure.UNDERSTOOD])
    return measured.as_of, {
        (line.detail or None, line.group[0]): cell.n for line, cell in measured.cells.items() if cell.n
    }


async def list_flows(
    ledger: Ledger, now: datetime, until: datetime, weeks: int, department: str | None
) -> tuple[tuple[Flow, ...], ...]:
    """What came and went in the hours from now on to `until`, in each of so many weeks before that were counted.

    The same hour is the one at which clocks showed the same, however they were changed in between.
    """
    zone = ledger.zone
    this_hour = step_of(now, Interval.HOUR, zone)
    hours, local = hours_ahead(this_hour, until), this_hour.astimezone(zone)
    # Within one zone, datetimes add as wall times.
    starts = [(local - week * WEEK).astimezone(UTC) for week in range(1, weeks + 1)]
    question = Question(starts[-1], this_hour, Interval.HOUR, department=department, zone=zone)
    cells = (await list_measured(ledger, question, [Measure.BACKLOG])).cells
    began = min((line.step for line in cells if line.step is not None), default=this_hour)
    found = {line.step: cell for line, cell in cells.items()}
    return tuple(
        tuple(_flow(found.get(start + hour * HOUR, Cell())) for hour in range(hours))
        for start in starts
        if start >= began and hours
    )


async def _counted(
    ledger: Ledger, question: Question, kinds: Sequence[Measure], made: Callable[[Look], Sequence[T]]
) -> Counted[T]:
    measured = await list_measured(ledger, question, kinds)
    sheet = measured.laid(question)
    return _lines(measured.as_of, sheet, made(sheet.sums))


def _lines(as_of: datetime, sheet: Sheet, found: Sequence[T]) -> Counted[T]:
    return Counted(as_of, [(step, group, one) for (step, group), one in zip(sheet.lines, found, strict=True)])


def _flow(changed: Cell) -> Flow:
    return Flow((changed.n + changed.total) // 2, (changed.n - changed.total) // 2)
