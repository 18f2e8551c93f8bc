"""The figures of reports on work, routing and arms, made of sums of facts.

Knows the formula of each figure; docs/metrics.md tells them in words. Refuses to know where sums stand and which lines
an answer has. Every function takes what looks up the sums of a kind of fact, or of one of its details, for all lines at
once, and gives the figures of each line.
"""

from typing import NamedTuple, Protocol

from app.feedback import nps
from app.feedback.nps import Band, Nps
from app.reports.comparing import LEAST, Bounded, difference, is_certain, median_shares, share
from app.reports.tally.counting import REUSED
from app.reports.tally.fact import Measure
from app.reports.tally.histogram import counts_of, percentiles_of
from app.reports.tally.measured import Sums, shares
from app.routing.decision import TRIAGE

Known = tuple[int, Bounded | None]  # cases, and the figure that is made of them

OWNERSHIP, ROUTE = "ownership", "route"


class Look(Protocol):
    """What looks up the sums of a kind of fact for all lines; without a detail those of all."""

    def __call__(self, measure: Measure, detail: str | None = None, /) -> Sums: ...


class Volume(NamedTuple):
    """How much there was: customers' posts, tickets that were opened, what was said, and what was settled."""

    mentions: int
    opened: int
    replied: int
    resolved: int
    reopened: int


class Routed(NamedTuple):
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


class Waiting(NamedTuple):
    """What waited for us at the end of a step, and what came and went in it: `came` and `went` also by reopening."""

    open: int
    came: int
    went: int


class Course(NamedTuple):
    """How a group of tickets fared, each figure with its interval: shares 0 to 1, medians in seconds of business time.

    Of each figure `n` are its cases; the figure is None where there are too few to tell.
    """

    n: int
    first_reply_met: Known
    first_reply: Known
    resolution_met: Known
    resolution: Known
    hand_back: Known
    nps: Known


class Apart(NamedTuple):
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


FLOWING = (Measure.MENTIONED, Measure.OPENED, Measure.REPLIED, Measure.RESOLVED, Measure.REOPENED)  # as in `Volume`
COMPARED = Course._fields[1:]


def hold_against(one: Course, other: Course) -> tuple[Apart, ...]:
    """Each figure of two courses side by side."""
    found = []
    for name, (n, figure), (other_n, other_figure) in zip(COMPARED, one[1:], other[1:], strict=True):
        apart = difference(figure, other_figure)
        told = (*(n, *_ends(figure)), *(other_n, *_ends(other_figure)), *_ends(apart))
        found.append(Apart(name, *told, is_certain(apart)))
    return tuple(found)


def _ends(figure: Bounded | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if figure is None else (figure.value, figure.low, figure.high)


def volumes(look: Look) -> list[Volume]:
    return list(map(Volume, *(look(kind).n.tolist() for kind in FLOWING)))


def scores(look: Look) -> list[Nps]:
    classes = (look(Measure.SCORED, kind).n.tolist() for kind in Band)
    return list(map(nps.score, *classes, look(Measure.ASKED).n.tolist()))


def routed(look: Look) -> list[Routed]:
    ownership, route, triage = (look(Measure.PLACED, source).n for source in (OWNERSHIP, ROUTE, TRIAGE))
    n, over, back = look(Measure.PLACED).n, look(Measure.HANDED_OVER).n, look(Measure.HANDED_BACK).n
    settled, said, published = look(Measure.RESOLVED), look(Measure.REPLIED), look(Measure.PUBLISHED)
    figures = {
        "n": n.tolist(),
        "ownership": ownership.tolist(),
        "route": route.tolist(),
        "triage": triage.tolist(),
        "ownership_share": shares(ownership, n),
        "route_share": shares(route, n),
        "triage_share": shares(triage, n),
        "handed_over": over.tolist(),
        "handed_back": back.tolist(),
        "hand_back_rate": shares(back, over),
        "fell_back": look(Measure.FELL_BACK).n.tolist(),
        "hops": shares(settled.total, settled.n),
        "first_hand_share": shares(said.good, said.n),
        "published": published.n.tolist(),
        "reused": look(Measure.PUBLISHED, REUSED).n.tolist(),
        "unchanged_share": shares(published.good, published.n),
        "edited_share": shares(published.total, 1000 * published.n),
    }
    return list(map(Routed, *(figures[name] for name in Routed._fields)))


def waiting(before: int, changes: int, change: int) -> Waiting:
    """`before` waited when the step began. Each of the `changes` is one ticket more, or one less: `change` together."""
    return Waiting(before + change, (changes + change) // 2, (changes - change) // 2)


def courses(look: Look) -> list[Course]:
    """The figures by which two groups of tickets are compared."""
    first_reply, resolution = look(Measure.FIRST_REPLY), look(Measure.RESOLUTION)
    over, back = look(Measure.HANDED_OVER).n, look(Measure.HANDED_BACK).n
    return list(
        map(
            Course,
            look(Measure.OPENED).n.tolist(),
            _met(first_reply),
            _medians(first_reply),
            _met(resolution),
            _medians(resolution),
            [(n, share(min(n, some), n)) for n, some in zip(over.tolist(), back.tolist(), strict=True)],
            [(one.n, scored(one)) for one in scores(look)],
        )
    )


def _met(promises: Sums) -> list[Known]:
    return [(n, share(met, n)) for n, met in zip(promises.n.tolist(), promises.good.tolist(), strict=True)]


def _medians(promises: Sums) -> list[Known]:
    counts = counts_of(promises.spread).tolist()
    found = zip(*percentiles_of(promises.spread, [median_shares(n) for n in counts]), strict=True)
    return [(n, Bounded(*ends) if n >= LEAST else None) for n, ends in zip(counts, found, strict=True)]


def scored(scores: Nps) -> Bounded | None:
    """A Net Promoter Score as a figure that can be compared; None where it is withheld."""
    if scores.nps is None or scores.low is None or scores.high is None:
        return None
    return Bounded(scores.nps, scores.low, scores.high)
