"""Who is asked, when and once; read as sentences."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.feedback.answering import Answer, Wrong, read_answer
from app.feedback.invitation import (
    Asking,
    Facts,
    FeedbackRules,
    Invite,
    Reason,
    Skip,
    decide,
    draw_lot,
)
from app.feedback.page import Palette, Texts
from app.routing.ownership import Arm, draw_arm

RESOLVED_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
DUTCH = Texts(*["woorden"] * 18)
PLAIN = Palette(*["#000000"] * 6)
RULES = FeedbackRules(
    cool_down=timedelta(days=90),
    delay=timedelta(hours=2),
    expires=timedelta(days=14),
    changeable=timedelta(hours=1),
    follow_up=timedelta(hours=16),
    light=PLAIN,
    dark=PLAIN,
    texts={"nl": DUTCH, "en": DUTCH},
    channels={
        "whatsapp": Asking(reply_window=timedelta(hours=24)),
        "reviews": Asking(share=0.0),
        "forum": Asking(delay=timedelta()),
    },
    skip_resolutions=frozenset({"spam"}),
)
FACTS = Facts(
    ticket_id=UUID("01900000-0000-7000-8000-000000000001"),
    channel="x",
    resolution="solved",
    resolved_at=RESOLVED_AT,
    last_post_at=RESOLVED_AT - timedelta(hours=1),
    last_asked_at=None,
    escalated=False,
    opted_out=False,
)


def test_a_resolved_ticket_is_asked_about_after_the_delay() -> None:
    assert decide(RULES, FACTS) == Invite(due_at=RESOLVED_AT + timedelta(hours=2))


def test_a_channel_may_ask_sooner_or_later_than_the_others() -> None:
    assert decide(RULES, replace(FACTS, channel="forum")) == Invite(due_at=RESOLVED_AT)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(FACTS, escalated=True), Reason.ESCALATED),
        (replace(FACTS, opted_out=True), Reason.OPTED_OUT),
        (replace(FACTS, resolution="spam"), Reason.RESOLUTION),
        (replace(FACTS, last_asked_at=RESOLVED_AT - timedelta(days=89)), Reason.COOL_DOWN),
        (replace(FACTS, last_asked_at=RESOLVED_AT + timedelta(hours=1)), Reason.COOL_DOWN),
        (replace(FACTS, channel="whatsapp", last_post_at=RESOLVED_AT - timedelta(hours=22)), Reason.REPLY_WINDOW),
        (replace(FACTS, channel="reviews"), Reason.NOT_SAMPLED),
    ],
    ids=lambda value: value.value if isinstance(value, Reason) else "",
)
def test_some_are_not_asked(facts: Facts, reason: Reason) -> None:
    assert decide(RULES, facts) == Skip(reason)


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, last_asked_at=RESOLVED_AT + RULES.delay - timedelta(days=90)),
        replace(FACTS, channel="whatsapp", last_post_at=RESOLVED_AT - timedelta(hours=21)),
        replace(FACTS, resolution=None),
    ],
    ids=["cool-down is over", "reply window is open", "no resolution code"],
)
def test_what_is_just_allowed_is_asked(facts: Facts) -> None:
    assert isinstance(decide(RULES, facts), Invite)


def test_a_larger_sample_keeps_everybody_of_a_smaller_one() -> None:
    ids = [UUID(int=n) for n in range(2000)]
    quarter = {n for n in ids if draw_lot(n) < 0.25}
    half = {n for n in ids if draw_lot(n) < 0.5}
    assert quarter < half
    assert len(quarter) == pytest.approx(500, abs=60)


def test_the_lot_never_changes() -> None:
    assert draw_lot(FACTS.ticket_id) == 0.19299232251048748


def test_the_sample_does_not_know_the_arm() -> None:
    sampled = [n for n in (UUID(int=n) for n in range(2000)) if draw_lot(n) < 0.5]
    first_hand = sum(draw_arm(n, 50) is Arm.FIRST_HAND for n in sampled)
    assert first_hand / len(sampled) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("wanted", "spoken"), [(("en", "nl"), "en"), ((None, "en"), "en"), (("fy",), "nl"), ((), "nl")]
)
def test_a_customer_is_spoken_to_in_a_language_that_there_is(wanted: tuple[str | None, ...], spoken: str) -> None:
    assert RULES.speaks(*wanted) == spoken


@pytest.mark.parametrize(
    ("score", "comment", "answer"),
    [
        ("0", "", Answer(0, None)),
        ("10", "x" * 2000, Answer(10, "x" * 2000)),
        ("8", " snel\r\ngeholpen\x00 ", Answer(8, "snel\ngeholpen")),
        ("7", "\r\n" * 1500 + "x", Answer(7, "x")),
    ],
)
def test_a_form_makes_an_answer(score: str, comment: str, answer: Answer) -> None:
    assert read_answer(score, comment) == answer


@pytest.mark.parametrize("score", ["", "11", "-1", "7.0", "٣", "tien", "9" * 5000])
def test_only_the_scale_makes_a_score(score: str) -> None:
    assert read_answer(score, "") == Wrong(score=True, comment=False)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert read_answer("", "x" * 2001) == Wrong(score=True, comment=True)
    assert read_answer("9", "x" * 2001) == Wrong(score=False, comment=True)
