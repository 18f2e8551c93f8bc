from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.tickets.custody import Custody, Holder, Interval, hand_over, held, seconds_by_holder

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)


def after(minutes: int) -> datetime:
    return T0 + timedelta(minutes=minutes)


def test_a_hand_over_is_appended() -> None:
    custody = hand_over((), Holder.WEBCARE, None, T0)

    assert hand_over(custody, Holder.DEPARTMENT, "billing", after(5)) == (
        Custody(Holder.WEBCARE, None, T0),
        Custody(Holder.DEPARTMENT, "billing", after(5)),
    )


def test_the_same_holder_again_adds_nothing() -> None:
    custody = hand_over((), Holder.DEPARTMENT, "billing", T0)

    assert hand_over(custody, Holder.DEPARTMENT, "billing", after(5)) is custody
    assert len(hand_over(custody, Holder.DEPARTMENT, "network", after(5))) == 2


def test_a_hand_over_before_the_last_one_happens_with_it() -> None:
    custody = hand_over((), Holder.TRIAGE, None, after(5))

    assert hand_over(custody, Holder.WEBCARE, None, T0)[-1] == Custody(Holder.WEBCARE, None, after(5))


def test_an_interval_ends_where_the_next_begins() -> None:
    custody = (
        Custody(Holder.TRIAGE, None, T0),
        Custody(Holder.WEBCARE, None, after(10)),
        Custody(Holder.PR, None, after(10)),
        Custody(Holder.CUSTOMER, None, after(25)),
    )

    assert held(custody, after(60)) == (
        Interval(Holder.TRIAGE, None, T0, after(10)),
        Interval(Holder.PR, None, after(10), after(25)),
        Interval(Holder.CUSTOMER, None, after(25), after(60)),
    )
    assert held(custody, after(20)) == (
        Interval(Holder.TRIAGE, None, T0, after(10)),
        Interval(Holder.PR, None, after(10), after(20)),
    )
    assert held(custody, T0) == ()
    assert held((), after(20)) == ()


def test_seconds_of_nobody_are_not_part_of_a_ticket() -> None:
    custody = (
        Custody(Holder.WEBCARE, None, T0),
        Custody(Holder.CUSTOMER, None, after(1)),
        Custody(Holder.WEBCARE, None, after(3)),
        Custody(Holder.NOBODY, None, after(10)),
    )

    assert seconds_by_holder(custody, after(60)) == {Holder.WEBCARE: 480.0, Holder.CUSTOMER: 120.0}


@given(
    st.lists(st.tuples(st.sampled_from(Holder), st.integers(-5, 200)), min_size=1, max_size=12),
    st.integers(0, 300),
)
@settings(max_examples=100)
def test_the_parts_add_up_to_the_life(moves: list[tuple[Holder, int]], end: int) -> None:
    custody = hand_over((), Holder.TRIAGE, None, T0)
    for holder, minutes in moves:
        custody = hand_over(custody, holder, None, after(minutes))

    parts = held(custody, after(end))

    assert sum((part.end - part.start for part in parts), timedelta()) == timedelta(minutes=end)
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
