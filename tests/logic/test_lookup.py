"""When it is open whether something arrived, and what an adapter's words about it are worth."""

from datetime import timedelta

import pytest

from app.delivery.lookup import Found, leaves_in_doubt, read
from app.delivery.retrying import Fault, Outcome


def outcome(status: int | None = None, fault: Fault | None = None, answer: str = "") -> Outcome:
    return Outcome(timedelta(0), status=status, fault=fault, answer=answer)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_behind_a_server_that_failed_it_may_have_arrived(status: int) -> None:
    assert leaves_in_doubt(outcome(status))


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 404, 408, 410, 422, 429])
def test_who_answers_anything_else_has_decided(status: int) -> None:
    assert not leaves_in_doubt(outcome(status))


@pytest.mark.parametrize("fault", Fault)
def test_only_what_was_sent_may_have_arrived(fault: Fault) -> None:
    assert leaves_in_doubt(outcome(fault=fault)) is (fault in {Fault.TIMED_OUT, Fault.CONNECTION_BROKEN, Fault.OURS})


@pytest.mark.parametrize(
    ("status", "answer", "found"),
    [
        (200, '{"published": true, "external_id": "9"}', Found.THERE),
        (200, '{"published": true}', Found.THERE),
        (200, '{"published": false}', Found.NOT_THERE),
        (404, '{"published": false}', Found.NOT_THERE),
        (405, "", Found.UNASKABLE),
        (501, "<h1>Unsupported method ('GET')</h1>", Found.UNASKABLE),
        (404, "Cannot GET /publish", Found.UNTOLD),  # a server that never heard of look-ups
        (404, '{"detail": "Not Found"}', Found.UNTOLD),
        (404, '{"published": true}', Found.UNTOLD),
        (200, "OK", Found.UNTOLD),
        (200, "{}", Found.UNTOLD),
        (200, '{"published": "no"}', Found.UNTOLD),
        (200, "[]", Found.UNTOLD),
        (200, "\ud800", Found.UNTOLD),
        (202, '{"published": true}', Found.UNTOLD),  # still at it
        (409, '{"published": false}', Found.UNTOLD),
        (500, '{"published": false}', Found.UNTOLD),
        (None, "", Found.UNTOLD),
    ],
)
def test_only_plain_words_of_a_look_up_are_believed(status: int | None, answer: str, found: Found) -> None:
    assert read(outcome(status, answer=answer)) is found
