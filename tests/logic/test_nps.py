"""The NPS and its interval, against worked examples."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.feedback import nps


@pytest.mark.parametrize(
    ("n", "promoters", "detractors", "centre", "margin"),
    [
        (100, 50, 20, 29.1, 15.1),
        (10, 8, 1, 53.8, 39.1),
    ],
)
def test_interval_agrees_with_worked_examples(
    n: int, promoters: int, detractors: int, centre: float, margin: float
) -> None:
    low, high = nps.interval(n, promoters, detractors)
    assert (low + high) / 2 == pytest.approx(centre, abs=0.05)
    assert (high - low) / 2 == pytest.approx(margin, abs=0.05)


def test_every_score_is_of_one_band() -> None:
    of = [nps.band_of(given).value for given in range(11)]
    assert of == ["detractor"] * 7 + ["passive"] * 2 + ["promoter"] * 2
    assert sorted(given for scores in nps.BANDS.values() for given in scores) == list(range(11))


def test_score_is_the_plain_figure_inside_the_adjusted_interval() -> None:
    result = nps.score(promoters=50, passives=30, detractors=20, invited=400)
    assert (result.n, result.nps, result.response_rate) == (100, 30.0, 0.25)
    assert result.low == pytest.approx(14.1, abs=0.1)
    assert result.high == pytest.approx(44.2, abs=0.1)


def test_nine_answers_are_withheld_and_ten_are_not() -> None:
    nine = nps.score(promoters=9, passives=0, detractors=0, invited=12)
    assert (nine.n, nine.promoters, nine.response_rate) == (9, 9, 0.75)
    assert (nine.nps, nine.low, nine.high) == (None, None, None)
    assert nps.score(promoters=10, passives=0, detractors=0, invited=12).nps == 100.0


def test_nobody_invited_has_no_response_rate() -> None:
    empty = nps.score(promoters=0, passives=0, detractors=0, invited=0)
    assert (empty.n, empty.nps, empty.response_rate) == (0, None, None)


def test_agreement_of_everybody_still_leaves_doubt() -> None:
    low, high = nps.interval(10, 10, 0)
    assert low < 60
    assert high == 100.0


@given(st.tuples(*[st.integers(0, 5000)] * 3).filter(lambda counts: sum(counts) >= nps.MIN_N))
@settings(max_examples=50)
def test_the_interval_holds_the_figure_and_mirrors_it(counts: tuple[int, int, int]) -> None:
    promoters, passives, detractors = counts
    result = nps.score(promoters, passives, detractors, invited=20_000)
    mirrored = nps.score(detractors, passives, promoters, invited=20_000)
    assert result.low is not None
    assert result.nps is not None
    assert result.high is not None
    assert -100 <= result.low <= result.nps <= result.high <= 100
    assert mirrored.low == pytest.approx(-result.high)
