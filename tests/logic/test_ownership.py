from uuid import UUID

import pytest

from app.routing.ownership import Arm, Owning, Stage, Unowned, draw_arm, find

TICKET = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
TICKETS = [UUID(int=TICKET.int + n) for n in range(2000)]

OIL_STAIN = (
    Owning("late", frozenset({"forum"}), "supply_chain", Stage.LIVE),
    Owning("late", None, "supply_chain", Stage.ADVISE),
    Owning("late", frozenset({"x"}), "supply_chain", Stage.PILOT, 30),
    Owning("bill", None, "billing", Stage.CENTRAL),
)


@pytest.mark.parametrize(
    ("topic", "channel", "stage", "rule"),
    [
        ("late", "forum", Stage.LIVE, "ownership: late on forum"),
        ("late", "x", Stage.PILOT, "ownership: late on x"),
        ("late", "facebook", Stage.ADVISE, "ownership: late anywhere"),
        ("bill", "forum", Stage.CENTRAL, "ownership: bill anywhere"),
    ],
)
def test_the_most_specific_line_decides(topic: str, channel: str, stage: Stage, rule: str) -> None:
    owned = find(OIL_STAIN, topic, channel, TICKET)
    assert (owned.stage, owned.rule) == (stage, rule)


def test_a_topic_that_nobody_owns_is_named() -> None:
    with pytest.raises(Unowned, match="'weather' on x"):
        find(OIL_STAIN, "weather", "x", TICKET)


def test_only_a_pilot_has_arms() -> None:
    assert find(OIL_STAIN, "late", "x", TICKET).arm is draw_arm(TICKET, 30)
    assert find(OIL_STAIN, "late", "forum", TICKET).arm is None


def test_the_arm_of_a_ticket_never_changes() -> None:
    # Worked out once with sha256sum. Another way to draw would move running tickets to the other arm.
    lots = [69, 9, 51, 47, 6, 82]
    for ticket, lot in zip(TICKETS, lots, strict=False):
        assert draw_arm(ticket, lot) is Arm.CONTROL
        assert draw_arm(ticket, lot + 1) is Arm.FIRST_HAND


@pytest.mark.parametrize("percent", [1, 30, 99])
def test_a_pilot_gets_its_percent(percent: int) -> None:
    share = sum(draw_arm(ticket, percent) is Arm.FIRST_HAND for ticket in TICKETS) / len(TICKETS)
    assert share == pytest.approx(percent / 100, abs=0.035)


def test_a_larger_pilot_keeps_the_tickets_of_a_smaller_one() -> None:
    small = {ticket for ticket in TICKETS if draw_arm(ticket, 30) is Arm.FIRST_HAND}
    large = {ticket for ticket in TICKETS if draw_arm(ticket, 50) is Arm.FIRST_HAND}
    assert small < large
