"""A person names a department: how far it answers for itself then."""

from uuid import UUID

import pytest

from app.routing.by_hand import RULE, UnknownDepartment, decided, place_by_department
from app.routing.decision import Routing, as_record, in_words
from app.routing.ownership import Department, Owned, Owning, Stage

TICKET = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
SLUGS = ("webcare", "supply_chain", "billing")
RULES = Routing(
    routes=(),
    ownerships=(
        Owning("late", None, "supply_chain", Stage.LIVE),
        Owning("bill", None, "billing", Stage.CENTRAL),
    ),
    departments={slug: Department(slug, {"en": slug}, "a process", "office") for slug in SLUGS},
)


@pytest.mark.parametrize(
    ("department", "topic", "stage"),
    [
        ("supply_chain", "late", Stage.LIVE),
        ("billing", "late", Stage.ADVISE),
        ("billing", "bill", Stage.ADVISE),
        ("billing", None, Stage.ADVISE),
        ("billing", "a topic that the rules had once", Stage.ADVISE),
        ("webcare", "late", Stage.CENTRAL),
    ],
)
def test_a_department_answers_for_itself_where_it_owns_the_topic(
    department: str, topic: str | None, stage: Stage
) -> None:
    owned = place_by_department(RULES, department, topic, "x", TICKET, webcare="webcare")

    assert (owned.department, owned.stage) == (department, stage)
    assert owned.rule == ("ownership: late anywhere" if stage is Stage.LIVE else RULE)


def test_a_department_that_there_is_not_is_named() -> None:
    with pytest.raises(UnknownDepartment, match="bakery"):
        place_by_department(RULES, "bakery", None, "x", TICKET, webcare="webcare")


def test_a_persons_choice_reads_as_one() -> None:
    owned = Owned("billing", Stage.ADVISE, None, RULE)
    decision = decided(
        owned, "bill", actor="agent:anna", reason="it is a bill", priority="normal", tags=(), digest="0123456789ab"
    )
    assert in_words(as_record(decision)) == [
        "agent:anna placed it with billing: it is a bill",
        "placed by hand, rulebook 0123456789ab",
    ]
