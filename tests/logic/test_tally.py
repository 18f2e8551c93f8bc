"""Buckets, cells, cuts and stretches: what sums are made of, without a database."""

import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import quantiles
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.reports.question import DIMENSIONS, UNIVERSAL, Dimensions, Interval, Question, step_after, step_of
from app.reports.tally.cell import Cell, cell_of, summed
from app.reports.tally.cut import KEPT, Cut, Grain, find_cut, stretches
from app.reports.tally.fact import Fact, Measure, differing
from app.reports.tally.folding import Place, fold, parted
from app.reports.tally.histogram import (
    Histogram,
    Histograms,
    added,
    bucket_of,
    counts_of,
    histogram_of,
    joined,
    percentiles_of,
    unpacked,
)
from app.reports.tally.measured import Line
from app.reports.tally.parts import Parts

NOBODY = Dimensions(*[None] * len(DIMENSIONS))
START = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
DURATIONS = st.integers(0, 90 * 86_400_000)
# With days of 23 and 25 hours in March, clocks put forward at midnight, hours that begin at the half or the quarter,
# and clocks that are put back by half an hour.
PLACES = ("UTC", "Europe/Amsterdam", "Asia/Beirut", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe")
ZONES = st.sampled_from([ZoneInfo(name) for name in PLACES])
MOMENTS = st.integers(0, 60 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))
# Of few kinds, so that many fall together: durations, what is told only beside topics, and what goes below zero.
FACTS = st.builds(
    Fact,
    st.sampled_from([Measure.RESOLUTION, Measure.UNDERSTOOD, Measure.BACKLOG]),
    MOMENTS,
    st.builds(lambda topic, channel: NOBODY._replace(topic=topic, channel=channel), *[st.sampled_from("ab")] * 2),
    st.sampled_from(["", "x"]),
    st.booleans(),
    st.none() | DURATIONS,
    st.none() | DURATIONS,
)


SHARES = (0.5, 0.99)
FOLDED = 40  # examples: each is some hundreds of sums


def together(histograms: list[Histogram]) -> Histograms:
    return unpacked([one.packed for one in histograms])


def spread_of(durations: list[int]) -> Histogram:
    return added(histogram_of(bucket_of(one), 1) for one in durations)


@given(st.lists(DURATIONS, min_size=1, max_size=60), st.floats(0, 1))
def test_a_percentile_is_within_two_percent_of_the_exact_one(durations: list[int], share: float) -> None:
    ordered = sorted(durations)
    rank = share * (len(ordered) - 1)
    lower, upper = ordered[int(rank)], ordered[min(int(rank) + 1, len(ordered) - 1)]
    exact = (lower + (rank % 1) * (upper - lower)) / 1000
    assert spread_of(durations).percentiles([share]) == pytest.approx((exact,), rel=0.02, abs=1e-9)


@given(st.lists(st.lists(DURATIONS, max_size=20), max_size=5))
def test_percentiles_of_many_are_those_of_each(several: list[list[int]]) -> None:
    histograms = [spread_of(durations) for durations in several]
    expected = [one.percentiles(SHARES) or (None, None) for one in histograms]
    assert list(zip(*percentiles_of(together(histograms), SHARES), strict=True)) == expected
    own = [(0.0, number / 5) for number in range(len(histograms))]
    expected = [one.percentiles(each) or (None, None) for one, each in zip(histograms, own, strict=True)]
    assert list(zip(*percentiles_of(together(histograms), own), strict=True)) == expected


def test_what_went_below_zero_spoils_no_other() -> None:
    below, usual = histogram_of(bucket_of(1000), -5), spread_of([60_000])
    assert percentiles_of(together([below, usual]), [0.5]) == [[None, *(usual.percentiles([0.5]) or ())]]


def test_percentiles_are_those_of_statistics_on_what_is_usual() -> None:
    source = random.Random(7)
    durations = [int(source.lognormvariate(14, 1.5)) for _ in range(5000)]
    exact = quantiles(durations, n=100, method="inclusive")
    found = spread_of(durations).percentiles([0.5, 0.9, 0.99])
    assert found == pytest.approx([exact[49] / 1000, exact[89] / 1000, exact[98] / 1000], rel=0.02)


def test_nothing_has_no_percentiles() -> None:
    assert Histogram().percentiles([0.5]) is None


@given(st.lists(DURATIONS), st.lists(DURATIONS))
def test_histograms_can_be_added_in_any_parts_and_taken_out_again(some: list[int], others: list[int]) -> None:
    whole = added([spread_of(some), spread_of(others)])
    assert whole == spread_of(some + others)
    taken = [histogram_of(bucket_of(one), -1) for one in others]
    assert added([whole, *taken]) == spread_of(some)


@given(st.lists(st.lists(st.lists(DURATIONS, max_size=5), min_size=1, max_size=3), min_size=1, max_size=5))
def test_histograms_that_are_laid_out_join_as_they_are_added(groups: list[list[list[int]]]) -> None:
    parts = [[spread_of(durations) for durations in group] for group in groups]
    begins = np.cumsum([0, *(len(group) for group in parts[:-1])])
    found = joined(together([one for group in parts for one in group]), begins)
    assert found.each() == [added(group) for group in parts]
    assert counts_of(found).tolist() == [sum(map(len, group)) for group in groups]


@settings(max_examples=FOLDED)
@given(st.lists(st.tuples(FACTS, st.sampled_from([1, 1, -1])), max_size=30), ZONES)
def test_an_answer_is_the_sum_of_its_facts(changes: list[tuple[Fact, int]], zone: ZoneInfo) -> None:
    question = Question(START, START + timedelta(days=30), Interval.WEEK, ("topic",), only={"channel": "a"}, zone=zone)
    parts, cells = Parts(question), defaultdict[Line, list[Cell]](list)
    parts.add_facts(changes[:3], None)
    parts.add_facts(changes[3:], None)
    for fact, sign in changes:
        if fact.of.channel == "a" and fact.at < question.end:
            line = Line(step_of(fact.at, Interval.WEEK, zone), (fact.of.topic,), fact.measure, fact.detail)
            cells[line].append(cell_of(fact, sign))
    sums = {line: summed(several) for line, several in cells.items()}
    assert parts.measured(START, lambda group: group).cells == {
        line: cell for line, cell in sums.items() if cell != Cell()
    }


def test_what_is_taken_out_leaves_no_trace() -> None:
    fact = Fact(Measure.RESOLUTION, START, NOBODY, good=True, value=60_000, lasted=90_000)
    assert summed([cell_of(fact), cell_of(fact, -1)]) == Cell()
    assert list(fold([(fact, 1), (fact, -1)], UNIVERSAL)) == []


@given(st.lists(FACTS, max_size=12), st.lists(FACTS, max_size=12), st.lists(FACTS, max_size=4))
def test_counting_again_changes_what_differs_and_nothing_else(
    then: list[Fact], now: list[Fact], both: list[Fact]
) -> None:
    before = dict(enumerate(then + both, start=1))
    gone, new = differing(before, both + now)
    assert Counter(fact for number, fact in before.items() if number not in gone) + Counter(new) == Counter(both + now)
    assert not {before[number] for number in gone} & set(new)


@settings(max_examples=FOLDED)
@given(st.lists(FACTS, max_size=30), st.integers(0, 30))
def test_folding_in_two_parts_is_folding_once(facts: list[Fact], cut_at: int) -> None:
    whole = dict(fold(((fact, 1) for fact in facts), UNIVERSAL))
    parts = [dict(fold(((fact, 1) for fact in part), UNIVERSAL)) for part in (facts[:cut_at], facts[cut_at:])]
    places = parts[0].keys() | parts[1].keys()
    assert {place: summed(part.get(place, Cell()) for part in parts) for place in places} == whole


@settings(max_examples=FOLDED)
@given(st.lists(FACTS, max_size=30), ZONES)
def test_folding_week_by_week_is_folding_once_and_gives_each_sum_once(facts: list[Fact], zone: ZoneInfo) -> None:
    week, begun, whole = step_of(START, Grain.WEEK, zone), dict[Place, Cell](), dict[Place, Cell]()
    for _ in range(15):  # the last week is in the middle of a month
        end = step_after(week, Grain.WEEK, zone)
        over, begun = parted(fold(((fact, 1) for fact in facts if week <= fact.at < end), zone), begun, end, zone)
        assert not whole.keys() & dict(over).keys()
        whole |= over
        week = end
    assert (whole, begun) == (dict(fold(((fact, 1) for fact in facts), zone)), {})


@settings(max_examples=FOLDED)
@given(st.lists(st.tuples(FACTS, st.sampled_from([1, 1, -1])), max_size=30), ZONES)
def test_sums_are_kept_by_steps_as_clocks_have_them(changes: list[tuple[Fact, int]], zone: ZoneInfo) -> None:
    parts = defaultdict[Place, list[Cell]](list)
    for fact, sign in changes:
        for cut in KEPT:
            group, detail = (
                tuple(getattr(fact.of, name) for name in cut.dimensions),
                cut.told(fact.measure, fact.detail),
            )
            for grain in cut.grains:
                step = step_of(fact.at, grain, zone)
                parts[Place(cut.name, grain, fact.measure, step, group, detail)].append(cell_of(fact, sign))
    sums = {place: summed(cells) for place, cells in parts.items()}
    assert dict(fold(changes, zone)) == {place: cell for place, cell in sums.items() if cell != Cell()}


@settings(max_examples=FOLDED)
@given(st.lists(FACTS, min_size=1, max_size=30))
def test_each_cut_and_grain_holds_every_fact_once(facts: list[Fact]) -> None:
    cells = dict(fold(((fact, 1) for fact in facts), UNIVERSAL))
    for cut in KEPT:
        for grain in cut.grains:
            assert sum(cell.n for place, cell in cells.items() if place[:2] == (cut.name, grain)) == len(facts)


def test_what_a_ticket_was_taken_for_is_told_only_beside_its_topic() -> None:
    facts = [Fact(Measure.UNDERSTOOD, START, NOBODY, topic) for topic in ("bill", "network", "")]
    cells = dict(fold(((fact, 1) for fact in facts), UNIVERSAL))
    told = {
        cut.name: {place.detail: cell.n for place, cell in cells.items() if place[:2] == (cut.name, Grain.DAY)}
        for cut in KEPT
    }
    apart = {"bill": 1, "network": 1, "": 1}
    assert told == {cut.name: apart if "topic" in cut.dimensions else {"": 3} for cut in KEPT}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ((), ""),
        (("department",), "department"),
        (("topic",), "topic"),
        (("topic", "department"), "topic+department"),
        (("arm", "stage"), "stage+arm+department"),
        (("channel", "topic"), "topic+channel+stage+arm"),
        (("account", "topic"), None),
    ],
)
def test_the_smallest_cut_that_has_all_is_found(asked: tuple[str, ...], found: str | None) -> None:
    cut = find_cut(asked)
    assert (cut and cut.name) == found


def test_cuts_hold_dimensions_that_there_are_and_stand_by_their_size() -> None:
    assert {name for cut in KEPT for name in cut.dimensions} == set(DIMENSIONS)
    assert [len(cut.dimensions) for cut in KEPT] == sorted(len(cut.dimensions) for cut in KEPT)


@given(MOMENTS, st.integers(1, 400 * 86_400), st.sampled_from(Interval), st.sampled_from(KEPT) | st.none(), ZONES)
def test_stretches_cover_the_period_once_in_whole_steps(
    start: datetime, seconds: int, interval: Interval, cut: Cut | None, zone: ZoneInfo
) -> None:
    end = start + timedelta(seconds=seconds)
    parts = stretches(start, end, interval, cut, zone)
    assert (parts[0].start, parts[-1].end) == (start, end)
    assert all(one.end == other.start for one, other in pairwise(parts))
    for one in parts:
        if one.grain is not None:
            assert cut is not None
            assert one.grain in cut.grains
            assert [step_of(end, one.grain, zone) for end in (one.start, one.end)] == [one.start, one.end]
            assert one.grain is not Grain.WEEK or interval is Interval.WEEK  # a week may lie in two months


def test_two_years_are_read_by_the_month() -> None:
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, 12, tzinfo=UTC)
    assert [part.grain for part in stretches(start, end, Interval.NONE, KEPT[0], UNIVERSAL)] == [
        Grain.MONTH,
        Grain.DAY,
        Grain.HOUR,
    ]
