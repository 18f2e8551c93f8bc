"""Who is the same person on several channels: what we were told, and what follows from that.

Knows the two ways to be told: a partner gives the same customer's number with posts on two channels, or a colleague
says so. The same name, handle or picture makes nobody the same person. Refuses to know who may say it, and what for.
"""

from uuid import UUID

from app.kit.errors import Conflict

_BY_NUMBER = "customer:"
_BY_HAND = "person:"


class CustomerNumbersDiffer(Conflict):
    """Both are customers whom we know by different numbers."""


def by_number(customer_ref: str) -> str:
    """The person whom a partner knows by this number."""
    return f"{_BY_NUMBER}{customer_ref}"


def is_by_hand(person: str | None) -> bool:
    """Whether only colleagues said who this is."""
    return person is not None and person.startswith(_BY_HAND)


def joined(one: str | None, other: str | None, new_id: UUID) -> str:
    """The person that two authors are from now on; None: nobody said yet who it is.

    A customer's number says more than a colleague, and two numbers are two customers. Raises `CustomerNumbersDiffer`.
    """
    numbered = {person for person in (one, other) if person and not is_by_hand(person)}
    if len(numbered) > 1:
        raise CustomerNumbersDiffer("They are customers with different numbers; one of the numbers must be wrong.")
    return next(iter(numbered), None) or one or other or f"{_BY_HAND}{new_id}"
