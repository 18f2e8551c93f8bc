import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.api.fields import Count, Instant
from app.api.paging import CursorUnreadable, Places

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
queue = Places(tuple[Instant | None, UUID])
numbers = Places(Count)


@pytest.mark.parametrize(
    "place", [(NOON, UUID(int=5)), (NOON + timedelta(microseconds=1), UUID(int=6)), (None, UUID(int=7))]
)
def test_a_cursor_brings_its_place_back(place: tuple[datetime | None, UUID]) -> None:
    assert queue.decode(queue.encode(place)) == place


def test_no_cursor_is_the_beginning() -> None:
    assert queue.decode(None) is None


def _written(json: str) -> str:
    return base64.urlsafe_b64encode(json.encode()).decode()


@pytest.mark.parametrize("cursor", ["", "!", "a", "é", "AAAA", _written("7"), _written('["9999-01-01T00:00:00Z", 1]')])
def test_a_cursor_of_no_list_or_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(CursorUnreadable) as refused:
        queue.decode(cursor)
    assert refused.value.field == "cursor"


@pytest.mark.parametrize("json", ["1180591620717411303424", "-1", "NaN", "1e999", "1.5", '"1"', "null"])
def test_a_cursor_written_by_hand_cannot_hold_what_the_database_cannot(json: str) -> None:
    with pytest.raises(CursorUnreadable):
        numbers.decode(_written(json))


def test_pages_follow_each_other_and_the_last_one_says_so() -> None:
    rows = list(range(5))
    seen: list[int] = []
    after: int | None = -1
    while after is not None:
        page, cursor = numbers.cut([row for row in rows if row > after][:3], 2, lambda row: row)
        seen += page
        after = numbers.decode(cursor)
    assert seen == rows
