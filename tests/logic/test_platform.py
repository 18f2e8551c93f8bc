"""What a platform lets a company say, how public it is, and until when."""

from datetime import timedelta

import pytest

from app.channels.counting import Way
from app.channels.platform import (
    Manner,
    NoPrivateReplies,
    Platform,
    ReplyDoesNotFit,
    ReplyWindowClosed,
    TooManyAttachments,
    check_text,
    check_window,
)
from app.mentions.mention import Visibility
from tests.support.clock import MORNING

PUBLIC, PRIVATE = Visibility.PUBLIC, Visibility.PRIVATE
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHAT = Manner({Way.BYTES: 10}, {"standard": DAY, "human_agent": 7 * DAY}, "Ask for another message.", attachments=1)
BOTH = Platform("both", Manner({Way.GRAPHEMES: 5, Way.BYTES: 20}), CHAT)
OPEN_ONLY = Platform("open", Manner(), None)
CHAT_ONLY = Platform("chat", None, CHAT)


@pytest.mark.parametrize(
    ("platform", "visibility", "text", "facts"),
    [
        (BOTH, PUBLIC, "abcdef", {"count": 6, "limit": 5, "counted": "graphemes"}),
        (BOTH, PUBLIC, "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}" * 2, {"count": 36, "limit": 20, "counted": "bytes"}),
        (BOTH, PUBLIC, " ", {"count": 0, "limit": 5, "counted": "graphemes"}),
        (BOTH, PRIVATE, "één uurtje", {"count": 12, "limit": 10, "counted": "bytes"}),
        (CHAT_ONLY, PUBLIC, "a" * 11, {"count": 11, "limit": 10, "counted": "bytes"}),
        (OPEN_ONLY, PUBLIC, "a" * 10_001, {"count": 10_001, "limit": 10_000, "counted": "characters"}),
    ],
)
def test_what_does_not_fit_is_told_with_the_platforms_own_count(
    platform: Platform, visibility: Visibility, text: str, facts: dict[str, object]
) -> None:
    with pytest.raises(ReplyDoesNotFit) as caught:
        check_text(platform, visibility, text, 0)
    assert caught.value.facts == facts
    assert caught.value.field == "text"


def test_what_just_fits_is_said() -> None:
    check_text(BOTH, PUBLIC, "abcde", 0)
    check_text(BOTH, PRIVATE, "a" * 10, 1)


def test_a_platform_takes_so_many_attachments() -> None:
    with pytest.raises(TooManyAttachments):
        check_text(BOTH, PRIVATE, "a", 2)


def test_private_words_are_never_said_where_all_is_public() -> None:
    with pytest.raises(NoPrivateReplies):
        check_text(OPEN_ONLY, PRIVATE, "a", 0)


def test_where_nothing_is_public_what_is_called_so_is_not() -> None:
    assert not CHAT_ONLY.is_public(PUBLIC)
    assert BOTH.is_public(PUBLIC)
    assert not BOTH.is_public(PRIVATE)


@pytest.mark.parametrize(
    ("ago", "window"),
    [(HOUR, "standard"), (DAY - timedelta(microseconds=1), "standard"), (DAY, "human_agent"), (6 * DAY, "human_agent")],
)
def test_a_reply_goes_out_in_the_first_window_that_is_open(ago: timedelta, window: str) -> None:
    assert check_window(BOTH, PRIVATE, [(PRIVATE, MORNING - ago)], MORNING) == window


@pytest.mark.parametrize(
    ("platform", "way_out"),
    [(BOTH, "Ask for another message. Or answer in public."), (CHAT_ONLY, "Ask for another message.")],
)
def test_a_window_that_closed_says_when_and_names_the_way_out(platform: Platform, way_out: str) -> None:
    with pytest.raises(ReplyWindowClosed) as caught:
        check_window(platform, PRIVATE, [(PRIVATE, MORNING - 7 * DAY)], MORNING)
    assert caught.value.facts["closed_at"] == MORNING
    assert caught.value.message == f"{platform.channel} took replies until 2026-11-18 10:00Z. {way_out}"


def test_only_a_private_post_opens_the_private_window_where_there_was_one() -> None:
    posts = [(PRIVATE, MORNING - 8 * DAY), (PUBLIC, MORNING - HOUR)]
    with pytest.raises(ReplyWindowClosed):
        check_window(BOTH, PRIVATE, posts, MORNING)
    assert check_window(BOTH, PRIVATE, posts[1:], MORNING) == "standard"
    assert check_window(BOTH, PUBLIC, posts, MORNING) is None


def test_a_post_can_be_answered_until_its_last_window_closes() -> None:
    assert BOTH.open_until(PRIVATE, MORNING) == MORNING + 7 * DAY
    assert BOTH.open_until(PUBLIC, MORNING) is None
    assert OPEN_ONLY.open_until(PRIVATE, MORNING) is None
