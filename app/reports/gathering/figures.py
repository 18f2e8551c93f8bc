"""The figures of reports on work, routing and arms, made of sums of facts.

Knows the formula of each figure; docs/metrics.md tells them in words. Refuses to know where sums stand and which lines
an answer has. Every function takes what looks up the sum of a kind of fact, and of one of its details.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.feedback.nps import Nps, score
from app.reports.comparing import Measured, difference, is_certain, median, share
from app.reports.tally.cell import Cell
from app.reports.tally.counting import REUSED, SCORES
from app.reports.tally.fact import Measure
from app.routing.decision import TRIAGE

Sums = Callable[..., Cell]  # of (measure, detail)

OWNERSHIP, ROUTE = "ownership", "route"


@dataclass(frozen=True, slots=True)
class Volume:
    """How much there was: customers' posts, tickets that were opened, what was said, and what was settled."""

    mentions: int
    opened: int
    replied: int
    resolved: int
    reopened: int


@dataclass(frozen=True, slots=True)
class Routed:
    """Of `n` tickets how they were placed at first, and what became of hand-overs. Shares are 0 to 1.

    `hops` is how often the ball went to somebody else among us until a resolution, on average. `first_hand_share` is of
    all that was said to customers. Of the departments' answers that webcare `published` so many were `reused` from
    another ticket; `edited_share` of their words was changed, on average. What has no cases is None.
    """

    n: int
    ownership: int
    route: int
    triage: int
    ownership_share: float | None
    route_share: float | None
    triage_share: float | None
    handed_over: int
    handed_back: int
    hand_back_rate: float | None
    fell_back: int
    hops: float | None
    first_hand_share: float | None
    published: int
    reused: int
    unchanged_share: float | None
    edited_share: float | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waited for us at the end of a step, and what came and went in it: `came` and `went` also by reopening."""

    open: int
    came: int
    went: int


@dataclass(frozen=True, slots=True)
class Course:
    """How a group of tickets fared, each figure with its interval: shares 0 to 1, medians in seconds of business time.

    Of each figure `n` are its cases; the figure is None where there are too few to tell.
    """

    n: int
    first_reply_met: tuple[int, Measured | None]
    first_reply: tuple[int, Measured | None]
    resolution_met: tuple[int, Measured | None]
    resolution: tuple[int, Measured | None]
    hand_back: tuple[int, Measured | None]
    nps: tuple[int, Measured | None]


@dataclass(frozen=True, slots=True)
class Apart:
    """One figure of two groups, and how much higher it is in the one than in the other.

    `n` are the cases. `more_than_noise` says whether zero lies outside the interval of the difference, None where a
    figure is not known.
    """

    figure: str
    n: int
    value: float | None
    low: float | None
    high: float | None
    other_n: int
    other_value: float | None
    other_low: float | None
    other_high: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    more_than_noise: bool | None


COMPARED = ("first_reply_met", "first_reply", "resolution_met", "resolution", "hand_back", "nps")


def hold_against(one: Course, other: Course) -> tuple[Apart, ...]:
    """Each figure of two courses side by side."""
    found = []
    for name in COMPARED:
        (n, figure), (other_n, other_figure) = getattr(one, name), getattr(other, name)
        apart = difference(figure, other_figure)
        told = (*(n, *_ends(figure)), *(other_n, *_ends(other_figure)), *_ends(apart))
        found.append(Apart(name, *told, is_certain(apart)))
    return tuple(found)


def _ends(figure: Measured | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if figure is None else (figure.value, figure.low, figure.high)


def volume(sums: Sums) -> Volume:
    kinds = (Measure.MENTIONED, Measure.OPENED, Measure.REPLIED, Measure.RESOLVED, Measure.REOPENED)
    return Volume(*(sums(kind).n for kind in kinds))


def routed(sums: Sums) -> Routed:
    ownership, route, triage = (sums(Measure.PLACED, source).n for source in (OWNERSHIP, ROUTE, TRIAGE))
    n, over, back = sums(Measure.PLACED).n, sums(Measure.HANDED_OVER).n, sums(Measure.HANDED_BACK).n
    settled, said, published = sums(Measure.RESOLVED), sums(Measure.REPLIED), sums(Measure.PUBLISHED)
    return Routed(
        n=n,
        ownership=ownership,
        route=route,
        triage=triage,
        ownership_share=_share(ownership, n),
        route_share=_share(route, n),
        triage_share=_share(triage, n),
        handed_over=over,
        handed_back=back,
        hand_back_rate=_share(back, over),
        fell_back=sums(Measure.FELL_BACK).n,
        hops=_share(settled.total, settled.n),
        first_hand_share=_share(said.good, said.n),
        published=published.n,
        reused=sums(Measure.PUBLISHED, REUSED).n,
        unchanged_share=_share(published.good, published.n),
        edited_share=_share(published.total, 1000 * published.n),
    )


def waiting(before: int, sums: Sums) -> Waiting:
    """`before` waited when the step began. Each change of the backlog is one ticket more, or one less."""
    changed = sums(Measure.BACKLOG)
    return Waiting(before + changed.total, (changed.n + changed.total) // 2, (changed.n - changed.total) // 2)


def course(sums: Sums) -> Course:
    """The figures by which two groups of tickets are compared."""
    first_reply, resolution, over = sums(Measure.FIRST_REPLY), sums(Measure.RESOLUTION), sums(Measure.HANDED_OVER).n
    promoters, passives, detractors = (sums(Measure.SCORED, kind).n for kind in SCORES)
    scores = score(promoters, passives, detractors, invited=0)
    return Course(
        n=sums(Measure.OPENED).n,
        first_reply_met=(first_reply.n, share(first_reply.good, first_reply.n)),
        first_reply=_median(first_reply),
        resolution_met=(resolution.n, share(resolution.good, resolution.n)),
        resolution=_median(resolution),
        hand_back=(over, share(min(over, sums(Measure.HANDED_BACK).n), over)),
        nps=(scores.n, scored(scores)),
    )


def _share(part: int, n: int) -> float | None:
    return part / n if n else None


def _median(cell: Cell) -> tuple[int, Measured | None]:
    def quantile(at: float) -> float:
        found = cell.spread.percentiles([at])
        assert found is not None
        return found[0]

    return cell.spread.n, median(cell.spread.n, quantile)


def scored(scores: Nps) -> Measured | None:
    """A Net Promoter Score as a figure that can be compared; None where it is withheld."""
    if scores.nps is None or scores.low is None or scores.high is None:
        return None
    return Measured(scores.nps, scores.low, scores.high)
