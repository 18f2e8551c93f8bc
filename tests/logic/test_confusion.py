"""Topics at first against topics now."""

from app.reports.confusion import Confused, Pair, Understood, confuse, understand


def test_each_topic_says_what_became_of_it_most_frequent_first() -> None:
    pairs: dict[Pair, int] = {
        ("outage", "billing"): 1,
        (None, "outage"): 4,
        ("billing", "billing"): 2,
        ("outage", "outage"): 3,
        ("outage", None): 1,
        ("outage", "app"): 3,
        ("billing", "outage"): 0,
    }
    assert confuse(pairs) == (
        Confused("billing", "billing", 2, 1.0),
        Confused("outage", "app", 3, 0.375),
        Confused("outage", "outage", 3, 0.375),
        Confused("outage", None, 1, 0.125),
        Confused("outage", "billing", 1, 0.125),
        Confused(None, "outage", 4, 1.0),
    )


def test_what_nobody_guessed_was_not_wrong() -> None:
    pairs: dict[Pair, int] = {
        ("outage", "billing"): 1,
        ("outage", None): 1,
        (None, "outage"): 4,
        ("billing", "billing"): 6,
    }
    assert understand(pairs) == Understood(8, 6, 0.75)


def test_nothing_is_no_share() -> None:
    assert confuse({}) == ()
    assert understand({(None, None): 3}) == Understood(0, 0, None)
