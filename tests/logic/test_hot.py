"""Which topics a meeting hears of."""

from app.reports.standing.hot import hottest


def test_a_topic_is_hot_when_other_weeks_make_its_day_unlikely() -> None:
    days = {"delivery": [25, 9, 10, 8, 9], "invoice": [20, 10, 11, 9, 13], "outage": [40, 5, 6, 4, 5]}
    assert [one.topic for one in hottest(days)] == ["outage", "delivery"]


def test_few_posts_are_not_hot_and_no_past_says_nothing() -> None:
    assert hottest({"new": [4, 0, 0, 0, 0], "unknown": [50]}) == ()
    assert [one.topic for one in hottest({"new": [5, 0, 0, 0, 0]})] == ["new"]


def test_what_is_usual_is_told_beside_it() -> None:
    [one] = hottest({"new": [9, 1, 0, 1, 0]})
    assert (one.posts, one.usual, one.unlikely < 0.01) == (9, 0.625, True)
