"""The list of event types is the only one: whatever the code calls an event stands in it."""

import re

import pytest

from app.delivery.event_type import AUDIBLE, EVENT_TYPES, UnknownEventType, check_audible
from app.settings import PROJECT
from app.sla.clock import Step

_WRITTEN = re.compile(r'"((?:mention|ticket|sla|escalation|incident|feedback|endpoint)\.[a-z_]+)"')
_NO_EVENTS = {"sla.unreadable", "feedback.yaml"}  # a line of the log, a file of the rulebook


def test_every_event_that_the_code_writes_is_in_the_list() -> None:
    sources = (
        path.read_text() for path in (PROJECT / "app").rglob("*.py") if path.stem not in {"tables", "event_type"}
    )
    written = {name for source in sources for name in _WRITTEN.findall(source)} | {f"sla.{step}" for step in Step}
    assert {"ticket.routed", "mention.received", "feedback.received", "endpoint.disabled"} <= written
    assert written - _NO_EVENTS <= EVENT_TYPES.keys()


def test_an_endpoint_may_listen_for_anything_but_colleagues_notes_and_what_it_knows() -> None:
    inward = {"ticket.noted", "ticket.delivered", "sla.mended", "channel.down", "channel.up"}
    inward |= {"feedback.sent", "feedback.failed", "feedback.withdrawn"}
    assert EVENT_TYPES.keys() - AUDIBLE.keys() == inward
    check_audible(AUDIBLE)


@pytest.mark.parametrize("name", ["ticket.noted", "ticket.routd", "Ticket.routed", "*", ""])
def test_what_cannot_be_heard_is_refused_with_all_that_can(name: str) -> None:
    with pytest.raises(UnknownEventType) as refused:
        check_audible({"ticket.routed", name})
    assert refused.value.field == "event_types"
    assert refused.value.facts == {"unknown": [name], "allowed": list(AUDIBLE)}
