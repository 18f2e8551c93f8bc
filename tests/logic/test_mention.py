"""Who posted: told by the platform's own id, else by the handle, and by nothing that several people may share."""

import pytest

from app.mentions.mention import Author
from tests.support.mentions import mention


@pytest.mark.parametrize(
    ("author", "key"),
    [
        (Author("u-1", "Jan"), "id:u-1"),
        (Author(handle="@Jan"), "handle:jan"),
        (Author(display_name="Jan"), None),
        (Author(handle="@"), None),
    ],
)
def test_an_author_is_told_by_id_or_handle(author: Author, key: str | None) -> None:
    assert author.key == key


def test_people_of_whom_nothing_is_told_are_not_one_person() -> None:
    one, other = (mention(author=Author(handle="@")) for _ in range(2))
    assert one.author_key != other.author_key
