"""What a wish about tags makes of those that stand."""

import pytest

from app.tickets.tagging import AT_MOST, Tagging, TooManyTags

STANDING = ("vip", "winkel")


@pytest.mark.parametrize(
    ("wish", "tags"),
    [
        (Tagging(), STANDING),
        (Tagging(tags=()), ()),
        (Tagging(tags=("b", "a", "b")), ("b", "a")),
        (Tagging(add=("storing", "vip")), ("vip", "winkel", "storing")),
        (Tagging(remove=("vip", "nooit")), ("winkel",)),
        (Tagging(tags=("a",), add=("b",), remove=("a",)), ("b",)),
        (Tagging(add=("x",), remove=("x",)), STANDING),
    ],
)
def test_tags_are_those_that_were_wished_for_each_once(wish: Tagging, tags: tuple[str, ...]) -> None:
    assert wish.of(STANDING) == tags


def test_a_ticket_does_not_become_a_list_of_tags() -> None:
    full = tuple(map(str, range(AT_MOST)))

    assert Tagging(add=("0",)).of(full) == full
    with pytest.raises(TooManyTags):
        Tagging(add=("one more",)).of(full)
