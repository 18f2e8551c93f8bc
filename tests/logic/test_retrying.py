"""What follows from an attempt: one table."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.delivery.retrying import Delivered, Fault, GaveUp, Gone, Outcome, RetryIn, Schedule, Verdict, judge

NOW = datetime(2026, 7, 27, 12, tzinfo=UTC)
SCHEDULE = Schedule(waits=tuple(timedelta(seconds=s) for s in (0, 5, 300)), rest=timedelta(seconds=30))
TOOK = timedelta(milliseconds=80)


def seconds(delay: float, rest: float = 0) -> RetryIn:
    return RetryIn(timedelta(seconds=delay), timedelta(seconds=rest))


def answered(status: int, retry_after: str | None = None) -> Outcome:
    return Outcome(TOOK, status=status, retry_after=retry_after)


@pytest.mark.parametrize(
    ("outcome", "used", "verdict"),
    [
        pytest.param(answered(200), 1, Delivered(), id="200"),
        pytest.param(answered(299), 3, Delivered(), id="299 at the last attempt"),
        pytest.param(answered(301), 1, seconds(5), id="a redirect is a failure"),
        pytest.param(answered(199), 1, seconds(5), id="below 200"),
        pytest.param(answered(400), 1, seconds(5), id="400 may be mended by the receiver"),
        pytest.param(answered(500), 2, seconds(300), id="the second wait"),
        pytest.param(answered(500), 3, GaveUp(), id="used up"),
        pytest.param(answered(500), 4, GaveUp(), id="by hand after that"),
        pytest.param(answered(410), 1, Gone(), id="410"),
        pytest.param(answered(410), 3, Gone(), id="410 at the last attempt"),
        pytest.param(answered(408), 1, seconds(5, 30), id="408 slows the endpoint"),
        pytest.param(answered(429), 1, seconds(5, 30), id="429 slows the endpoint"),
        pytest.param(answered(502), 1, seconds(5, 30), id="502 slows the endpoint"),
        pytest.param(answered(504), 1, seconds(5, 30), id="504 slows the endpoint"),
        pytest.param(answered(503), 1, seconds(5), id="503 does not"),
        pytest.param(Outcome(TOOK, fault=Fault.TIMED_OUT), 1, seconds(5, 30), id="a timeout slows the endpoint"),
        pytest.param(Outcome(TOOK, fault=Fault.UNREACHABLE), 1, seconds(5, 30), id="who is not there is left alone"),
        pytest.param(Outcome(TOOK, fault=Fault.NAME_UNKNOWN), 1, seconds(5, 30), id="who has no address as well"),
        pytest.param(Outcome(TOOK, fault=Fault.CONNECTION_BROKEN), 1, seconds(5), id="this message may have broken it"),
        pytest.param(answered(429, "120"), 1, seconds(120, 120), id="Retry-After in seconds"),
        pytest.param(answered(503, "120"), 1, seconds(120), id="of a 503 it is for this message alone"),
        pytest.param(answered(429, "3"), 2, seconds(300, 3), id="never shortens the schedule"),
        pytest.param(answered(429, "Mon, 27 Jul 2026 12:10:00 GMT"), 1, seconds(600, 600), id="Retry-After as a date"),
        pytest.param(answered(429, "Mon, 27 Jul 2026 11:00:00 GMT"), 1, seconds(5, 30), id="a date that has passed"),
        pytest.param(answered(429, "999999"), 1, seconds(86400, 86400), id="at most a day"),
        pytest.param(answered(429, "9" * 5000), 1, seconds(86400, 86400), id="absurdly long"),
        pytest.param(answered(429, "-5"), 1, seconds(5, 30), id="negative"),
        pytest.param(answered(429, "soon"), 1, seconds(5, 30), id="words"),
        pytest.param(answered(429, ""), 1, seconds(5, 30), id="empty"),
    ],
)
def test_verdict(outcome: Outcome, used: int, verdict: Verdict) -> None:
    assert judge(outcome, used=used, schedule=SCHEDULE, chance=0.5, now=NOW) == verdict


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 240), (0.5, 300), (0.75, 330)])
def test_waits_spread_by_a_fifth_both_ways(chance: float, wait: float) -> None:
    assert judge(answered(500), used=2, schedule=SCHEDULE, chance=chance, now=NOW) == seconds(wait)


@settings(max_examples=100)
@given(st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d [+-]?\w+"))
def test_no_retry_after_is_too_strange(written: str) -> None:
    verdict = judge(answered(429, written), used=1, schedule=SCHEDULE, chance=0.5, now=NOW)
    assert isinstance(verdict, RetryIn)
    assert timedelta(0) <= verdict.delay <= SCHEDULE.longest


@pytest.mark.parametrize(
    "written",
    [
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 99999999999999999999:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
    ],
)
def test_a_moment_that_no_clock_comes_to_asks_for_nothing(written: str) -> None:
    assert judge(answered(500, written), used=1, schedule=SCHEDULE, chance=0.5, now=NOW) == judge(
        answered(500), used=1, schedule=SCHEDULE, chance=0.5, now=NOW
    )
