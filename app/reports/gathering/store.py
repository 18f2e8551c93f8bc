"""Questions of managers put to the sums, read-only.

Knows which kinds of facts a report is made of and which lines it has. Refuses to know the formulas (figures) and how
sums come about (tally). Every function returns lines for all that the question makes, zeros included, and when all of
it was counted. All raise `TooManyLines`, `NotKept`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from app.kit.db import Reading
from app.reports.confusion import Pair
from app.reports.forecast import HOUR, Flow, hours_ahead
from app.reports.gathering.figures import Course, Routed, Sums, Volume, Waiting, course, routed, volume, waiting
from app.reports.question import Group, Interval, Question, midnight, step_of
from app.reports.tally.cell import Cell, summed
from app.reports.tally.fact import Measure
from app.reports.tally.store import Measured, list_measured
from app.reports.waiting import HOLDERS, Held, split

T = TypeVar("T")
Step = datetime | None

BEGINNING = date(2000, 1, 1)
WEEK = timedelta(weeks=1)
FLOWING = (Measure.MENTIONED, Measure.OPENED, Measure.REPLIED, Measure.RESOLVED, Measure.REOPENED)
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


async def list_volume(tx: Reading, question: Question) -> Counted[Volume]:
    return await _counted(tx, question, FLOWING, volume)


async def list_routed(tx: Reading, question: Question) -> Counted[Routed]:
    return await _counted(tx, question, ROUTING, routed)


async def list_courses(tx: Reading, question: Question) -> Counted[Course]:
    return await _counted(tx, question, COURSE, course)


async def get_course(tx: Reading, question: Question, channels: Collection[str]) -> Course:
    """How all tickets of these channels fared together, without steps and groups."""
    asked = replace(question, interval=Interval.NONE, group_by=("channel",))
    cells = (await list_measured(tx, asked, COURSE)).cells

    def sums(measure: Measure, detail: str | None = None) -> Cell:
        lines = (line for line in cells if line.measure is measure and line.group[0] in channels)
        return summed(cells[line] for line in lines if detail in (None, line.detail))

    return course(sums)


async def list_waiting(tx: Reading, question: Question) -> Counted[Waiting]:
    """What waits is what came since the beginning of time without having gone: each line adds up those before it."""
    before = Counter[Group]()
    if question.start > (beginning := midnight(BEGINNING, question.zone)):
        past = replace(question, start=beginning, end=question.start, interval=Interval.NONE)
        for line, cell in (await list_measured(tx, past, [Measure.BACKLOG])).cells.items():
            before[line.group] += cell.total
    measured = await list_measured(tx, question, [Measure.BACKLOG])
    look_up = _index(measured)
    lines: list[tuple[Step, Group, Waiting]] = []
    for step, group in question.lines(_groups(question, [*before, *(line.group for line in measured.cells)])):
        found = waiting(before[group], look_up(step, group))
        before[group] = found.open
        lines.append((step, group, found))
    return Counted(measured.as_of, lines)


async def list_held(tx: Reading, question: Question) -> Counted[Held]:
    """Where the waiting time went; the last member of each group is the holder."""
    measured = await list_measured(tx, question, [Measure.HELD])
    lines: list[tuple[Step, Group, Held]] = []
    for step, group in question.lines(_groups(question, [line.group for line in measured.cells]), len(HOLDERS)):
        cells = {holder: measured.of(step, group, Measure.HELD, holder) for holder in HOLDERS}
        parts = split({holder: (cell.n, cell.total / 1000) for holder, cell in cells.items() if cell.n})
        lines += [(step, (*group, holder), part) for holder, part in parts.items()]
    return Counted(measured.as_of, lines)


async def list_pairs(tx: Reading, question: Question) -> tuple[datetime, dict[Pair, int]]:
    """How many tickets were taken for one topic at first and have another now, the same one included."""
    asked = replace(question, group_by=("topic",), interval=Interval.NONE)
    measured = await list_measured(tx, asked, [Measure.UNDERSTOOD])
    return measured.as_of, {
        (line.detail or None, line.group[0]): cell.n for line, cell in measured.cells.items() if cell.n
    }


async def list_flows(
    tx: Reading, now: datetime, until: datetime, weeks: int, department: str | None, zone: ZoneInfo
) -> tuple[tuple[Flow, ...], ...]:
    """What came and went in the hours from now on to `until`, in each of so many weeks before that were counted.

    The same hour is the one at which clocks in `zone` showed the same, however they were changed in between.
    """
    this_hour = step_of(now, Interval.HOUR, zone)
    hours, local = hours_ahead(this_hour, until), this_hour.astimezone(zone)
    # Within one zone, datetimes add as wall times.
    starts = [(local - week * WEEK).astimezone(UTC) for week in range(1, weeks + 1)]
    question = Question(starts[-1], this_hour, Interval.HOUR, department=department, zone=zone)
    cells = (await list_measured(tx, question, [Measure.BACKLOG])).cells
    began = min((line.step for line in cells if line.step is not None), default=this_hour)
    found = {line.step: cell for line, cell in cells.items()}
    return tuple(
        tuple(_flow(found.get(start + hour * HOUR, Cell())) for hour in range(hours))
        for start in starts
        if start >= began and hours
    )


async def _counted(tx: Reading, question: Question, kinds: Sequence[Measure], made: Callable[[Sums], T]) -> Counted[T]:
    measured = await list_measured(tx, question, kinds)
    groups = _groups(question, [line.group for line in measured.cells])
    look_up = _index(measured)
    return Counted(
        measured.as_of, [(step, group, made(look_up(step, group))) for step, group in question.lines(groups)]
    )


def _index(measured: Measured) -> Callable[[Step, Group], Sums]:
    """Gives, for a line, what looks up its sums; without a detail the sum of all details."""
    index = defaultdict[tuple[Step, Group, Measure], dict[str, Cell]](dict)
    for line, cell in measured.cells.items():
        index[line.step, line.group, line.measure][line.detail] = cell

    def sums(step: Step, group: Group, measure: Measure, detail: str | None = None) -> Cell:
        details = index.get((step, group, measure), {})
        return summed(details.values()) if detail is None else details.get(detail, Cell())

    return lambda step, group: partial(sums, step, group)


def _flow(changed: Cell) -> Flow:
    return Flow((changed.n + changed.total) // 2, (changed.n - changed.total) // 2)


def _groups(question: Question, found: Iterable[Group]) -> set[Group]:
    """Those that there is anything for; a question about no groups has one line, also for nothing."""
    return set(found) if question.group_by else {()}
