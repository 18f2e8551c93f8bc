"""Intervals of shares, medians and differences, against published figures and against chance itself."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.feedback.nps import score
from app.reports.comparing import LEAST, Bounded, difference, is_certain, median_shares, share
from app.reports.figures import scored


def ends(bounded: Bounded | None) -> tuple[float, float, float]:
    assert bounded is not None
    return (round(bounded.value, 4), round(bounded.low, 4), round(bounded.high, 4))


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_wilsons_interval(count: int, n: int, low: float, high: float) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3."""
    assert ends(share(count, n)) == (round(count / n, 4), low, high)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 10), 0.6075, 1.0)],
)
def test_a_difference_of_shares_has_newcombes_interval(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10."""
    assert ends(difference(share(*one), share(*other)))[1:] == (low, high)


def test_nothing_is_no_figure_and_differs_from_nothing() -> None:
    assert share(0, 0) is None
    assert difference(share(1, 2), None) is difference(None, share(1, 2)) is None
    assert is_certain(None) is None


def test_a_score_of_customers_is_compared_by_its_own_interval_or_not_at_all() -> None:
    found = score(promoters=50, passives=30, detractors=20, invited=400)
    assert ends(scored(found)) == (30.0, *(round(end, 4) for end in (found.low or 0, found.high or 0)))
    assert is_certain(difference(scored(found), scored(score(20, 30, 50, 400)))) is True
    assert scored(score(promoters=5, passives=3, detractors=1, invited=9)) is None


def test_a_difference_is_certain_when_zero_lies_outside() -> None:
    assert is_certain(difference(share(56, 70), share(48, 80))) is True
    assert is_certain(difference(share(56, 70), share(55, 70))) is False
    assert is_certain(Bounded(1, 0, 2)) is is_certain(Bounded(-1, -2, 0)) is False


@given(st.integers(0, 500), st.integers(1, 500), st.integers(0, 500), st.integers(1, 500))
def test_a_difference_the_other_way_round_is_its_mirror(a: int, n: int, b: int, m: int) -> None:
    one, other = share(min(a, n), n), share(min(b, m), m)
    there, back = difference(one, other), difference(other, one)
    assert there is not None
    assert back is not None
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.low <= there.value <= there.high


@pytest.mark.parametrize(("n", "low", "high"), [(0, 0.0, 1.0), (3, 0.0, 1.0), (100, 0.402, 0.598)])
def test_a_median_lies_between_two_order_statistics(n: int, low: float, high: float) -> None:
    assert median_shares(n) == pytest.approx((0.5, low, high), abs=1e-4)


def test_of_the_least_values_all_together_just_hold_their_median() -> None:
    """They miss it when all lie on one side of it, as so many tosses of a coin do."""
    assert 2 / 2**LEAST < 0.05 < 2 / 2 ** (LEAST - 1)


def sample(random: Random, n: int) -> Bounded:
    values = sorted(random.lognormvariate(7, 1) for _ in range(n))
    return Bounded(*(values[min(n - 1, int(share * n))] for share in median_shares(n)))


@pytest.mark.parametrize("n", [20, 200])
def test_the_interval_of_two_medians_holds_their_difference_as_often_as_it_says(n: int) -> None:
    """The true difference of two samples of one distribution is zero."""
    random = Random(7)
    apart = [difference(sample(random, n), sample(random, n)) for _ in range(400)]
    held = sum(is_certain(one) is False for one in apart) / len(apart)
    assert 0.92 <= held <= 0.99
