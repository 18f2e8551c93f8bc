"""Which weeks are unusual, how seldom one is called so that is not, and how soon one that is."""

import math
import random
from datetime import date, timedelta

import pytest

from app.reports.drift.alarm import LEAST, PAST, RARE, Drift, Finding, findings
from app.reports.drift.week import WEEK, WEEKS, Counts, Daily, weeks_of

UNTIL = date(2026, 11, 18)
DAY = timedelta(days=1)


def found(kind: Drift, before: Counts, week: Counts, past: int = 8) -> Finding:
    return next(one for one in findings({"t": [*[before] * past, week]}) if one.kind is kind)


def poisson(mean: float, chance: random.Random) -> int:
    """Knuth's, by parts so that no factor vanishes."""
    if mean > 30:
        return poisson(mean / 2, chance) + poisson(mean / 2, chance)
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


@pytest.mark.parametrize(("before", "week"), [((4, 1), (4, 3)), ((80, 4), (20, 5)), ((7, 0), (3, 2)), ((9, 9), (5, 5))])
def test_shares_are_compared_by_fishers_exact_test(before: tuple[int, int], week: tuple[int, int]) -> None:
    taken, corrected = before
    of, n = week
    then = [Counts(taken=taken, corrected=corrected), *[Counts()] * (PAST - 1)]
    [one] = [x for x in findings({"t": [*then, Counts(taken=of, corrected=n)]}) if x.kind is Drift.CORRECTED]
    hits, everything = n + corrected, of + taken
    ways = sum(math.comb(of, k) * math.comb(taken, hits - k) for k in range(n, min(hits, of) + 1))
    assert one.chance == pytest.approx(ways / math.comb(everything, hits))
    assert (one.n, one.of) == (n, of)
    assert one.usual == pytest.approx(of * corrected / taken)


def test_a_topic_that_doubles_grows() -> None:
    one = found(Drift.GROWS, Counts(posts=40), Counts(posts=80))
    assert one.alarms
    assert one.usual == pytest.approx(40, rel=0.02)
    assert not found(Drift.GROWS, Counts(posts=40), Counts(posts=52)).alarms
    assert found(Drift.GROWS, Counts(posts=40), Counts(posts=44)).calm


def test_weeks_that_scatter_ask_for_more() -> None:
    counts = [Counts(posts=n) for n in (10, 70, 20, 60, 15, 65, 30, 50)]
    [one] = [x for x in findings({"t": [*counts, Counts(posts=80)]}) if x.kind is Drift.GROWS]
    assert not one.alarms


@pytest.mark.parametrize(
    ("kind", "before", "week"),
    [
        (Drift.UNSURE, Counts(posts=100, unsure=10), Counts(posts=100, unsure=35)),
        (Drift.CORRECTED, Counts(taken=100, corrected=5), Counts(taken=100, corrected=20)),
        (Drift.HANDED_BACK, Counts(handed_over=50, handed_back=1), Counts(handed_over=50, handed_back=10)),
        (Drift.SOUR, Counts(heard=50, sour=10), Counts(heard=50, sour=30)),
        (Drift.DETRACTORS, Counts(scored=40, detractors=8), Counts(scored=40, detractors=24)),
    ],
)
def test_a_topic_that_sours_is_told_by_what_soured(kind: Drift, before: Counts, week: Counts) -> None:
    told = [one.kind for one in findings({"t": [*[before] * 8, week]}) if one.alarms]
    assert told == [kind]
    assert [one.kind for one in findings({"t": [before] * 9}) if one.alarms] == []


def test_a_few_are_no_alarm_however_unlikely() -> None:
    one = found(Drift.CORRECTED, Counts(taken=1000), Counts(taken=LEAST - 1, corrected=LEAST - 1))
    assert one.chance < 1e-9
    assert (one.alarms, one.calm) == (False, True)


def test_as_many_as_are_worth_a_look_are_an_alarm() -> None:
    one = found(Drift.CORRECTED, Counts(taken=1000), Counts(taken=LEAST, corrected=LEAST))
    assert (one.alarms, one.calm) == (True, False)


def test_hardly_more_than_usual_is_no_alarm_however_unlikely() -> None:
    one = found(Drift.GROWS, Counts(posts=4000), Counts(posts=4600))
    assert one.chance < 1e-9
    assert (one.alarms, one.calm) == (False, False)


def test_what_there_was_none_of_is_no_share() -> None:
    new = Counts(posts=5, handed_over=5, handed_back=5)
    assert [one.kind for one in findings({"t": [*[Counts(posts=5)] * 8, new]})] == [Drift.GROWS, Drift.UNSURE]
    assert [one.kind for one in findings({"t": [*[new] * 8, Counts()]})] == [Drift.GROWS]


def test_more_may_come_back_than_was_handed_over() -> None:
    one = found(Drift.HANDED_BACK, Counts(handed_over=5, handed_back=1), Counts(handed_over=2, handed_back=6))
    assert (one.n, one.of) == (6, 6)


def test_too_short_a_past_is_not_compared_with() -> None:
    assert list(findings({"t": [Counts(posts=5)] * PAST})) == []
    assert list(findings({})) == []
    assert [one.kind for one in findings({"t": [Counts()] * 9})] == [Drift.GROWS]


def test_days_become_weeks_that_end_with_the_last_whole_day() -> None:
    days = [Daily("t", UNTIL - n * DAY, Counts(posts=1)) for n in range(15)]
    days += [
        Daily("u", UNTIL - 8 * DAY, Counts(sure=0.5, decided=1)),
        Daily("t", UNTIL - WEEKS * WEEK - DAY, Counts(9)),
    ]
    weeks = weeks_of(days, UNTIL)
    assert [one.posts for one in weeks["t"]] == [7, 7]
    assert [(one.sure, one.decided) for one in weeks["u"]] == [(0.5, 1), (0.0, 0)]
    assert weeks_of([], UNTIL) == {}
    assert len(weeks_of([Daily("t", UNTIL - WEEKS * WEEK, Counts(1))], UNTIL)["t"]) == WEEKS


def binomial(n: int, of: int, share: float) -> float:
    return math.comb(of, n) * share**n * (1 - share) ** (of - n)


@pytest.mark.parametrize("of", [10, 60])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_a_share_that_stays_the_same_raises_no_alarm_more_often_than_is_told(of: int, share: float) -> None:
    """Exactly: every outcome of this week beside typical outcomes of the weeks before, with its probability."""
    raised = 0.0
    weights = {then: binomial(then, 8 * of, share) for then in range(8 * of + 1)}
    for then in (one for one, weight in weights.items() if weight > 1e-3):
        before = [Counts(taken=8 * of, corrected=then), *[Counts()] * (PAST - 1)]
        for n in range(of, 0, -1):
            [one] = [x for x in findings({"t": [*before, Counts(taken=of, corrected=n)]}) if x.kind is Drift.CORRECTED]
            if not one.alarms:
                break
            raised += weights[then] * binomial(n, of, share)
    assert raised <= RARE


@pytest.mark.parametrize("mean", [2, 20])
def test_a_number_that_stays_the_same_raises_hardly_any_alarm(mean: float) -> None:
    """Over thirty pasts: the probability of this week's numbers from the least that raises one."""
    chance = random.Random(7)
    raised = 0.0
    for _ in range(30):
        before = [Counts(posts=poisson(mean, chance)) for _ in range(8)]
        least = next(n for n in range(int(mean), 1000) if found_in(before, Counts(posts=n), Drift.GROWS))
        raised += 1 - math.fsum(math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(least))
    assert raised / 30 <= 2 * RARE


def test_what_changes_is_nearly_always_found() -> None:
    chance = random.Random(7)
    grown = sum(
        found_in([Counts(posts=poisson(60, chance)) for _ in range(8)], Counts(posts=poisson(120, chance)), Drift.GROWS)
        for _ in range(100)
    )
    soured = sum(
        found_in(
            [Counts(taken=100, corrected=poisson(5, chance)) for _ in range(8)],
            Counts(taken=100, corrected=min(100, poisson(25, chance))),
            Drift.CORRECTED,
        )
        for _ in range(100)
    )
    assert grown >= 90
    assert soured >= 90


def found_in(before: list[Counts], week: Counts, kind: Drift) -> bool:
    return any(one.kind is kind and one.alarms for one in findings({"t": [*before, week]}))
