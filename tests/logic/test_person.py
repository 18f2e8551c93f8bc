"""Who is one person, and who is never guessed to be."""

from uuid import UUID

import pytest

from app.mentions.people.person import CustomerNumbersDiffer, by_number, is_by_hand, joined

NEW = UUID(int=7)
SANNE, JOOST = by_number("K-1"), by_number("K-2")
BY_HAND, OTHER_BY_HAND = joined(None, None, NEW), joined(None, None, UUID(int=8))


@pytest.mark.parametrize(
    ("one", "other", "person"),
    [
        (None, None, BY_HAND),
        (BY_HAND, None, BY_HAND),
        (None, BY_HAND, BY_HAND),
        (OTHER_BY_HAND, BY_HAND, OTHER_BY_HAND),
        (SANNE, None, SANNE),
        (BY_HAND, SANNE, SANNE),
        (SANNE, BY_HAND, SANNE),
        (SANNE, SANNE, SANNE),
    ],
)
def test_two_authors_become_one_person(one: str | None, other: str | None, person: str) -> None:
    assert joined(one, other, NEW) == person


def test_two_numbers_are_two_customers() -> None:
    with pytest.raises(CustomerNumbersDiffer):
        joined(SANNE, JOOST, NEW)


def test_what_only_colleagues_said_is_known_as_that() -> None:
    assert [is_by_hand(person) for person in (None, SANNE, BY_HAND)] == [False, False, True]
