"""What each type of event says besides its ticket, as the OpenAPI document tells it.

Knows names, types and meanings. Refuses to know the bodies that they stand in (webhooks) and who writes them: a test
compares what is sent with what stands here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from pydantic import Field

Fields: TypeAlias = Mapping[str, tuple[Any, Any]]

# Of these events the details are all that there is.
TICKETLESS = ("endpoint.", "incident.", "ownership.")


def _fact(kind: Any, description: str, *, optional: bool = False) -> tuple[Any, Any]:
    return (kind | None, Field(None, description=description)) if optional else (kind, Field(description=description))


def _maybe(facts: Fields) -> Fields:
    """The same, where an event may leave them out."""
    return {name: (kind | None, Field(None, description=said.description)) for name, (kind, said) in facts.items()}


_MENTION = {"mention_id": _fact(UUID, "The post")}
_POST = {
    **_MENTION,
    "external_id": _fact(str, "The channel's id of it"),
    "kind": _fact(str, "mention, reply, comment, dm, review, ..."),
}
_PLACE = {
    "topic": _fact(str | None, "Slug"),
    "department": _fact(str | None, "Slug of the owner"),
    "stage": _fact(str | None, "central, advise, pilot or live"),
    "arm": _fact(str | None, "Of a pilot: first_hand or control"),
}
_RULE = {"rule": _fact(str, "What placed it", optional=True)}
_WHY = {"reason": _fact(str, "In words")}
_REPLY = {"reply_id": _fact(UUID, "The reply")}
_SPOKEN = {
    **_REPLY,
    "visibility": _fact(str, "public or private"),
    "department": _fact(str, "Slug, when it answered first-hand", optional=True),
    "written_by": _fact(str, "Who wrote it, when somebody else lets it go", optional=True),
    "confirmed": _fact(list[str], "Kinds of personal data that its writer meant to say", optional=True),
    "macro_id": _fact(UUID, "The macro that it was made from", optional=True),
    "statement": _fact(bool, "True: one that PR says on every ticket of an incident", optional=True),
}
_DECIDED = {
    **_REPLY,
    "visibility": _fact(str, "public or private"),
    "written_by": _fact(str, "Who wrote it"),
}
_HELD = {"held_for": _fact(list[str], "review, statement, embargo")}
_WAS = {"was": _fact(str, "The state that it was in")}
_OTHER = {"ticket_id": _fact(UUID, "The other ticket"), "number": _fact(int, "Its number")}
_TWO = {
    "into": _fact(UUID, "Of the one that is part of another: the other", optional=True),
    "from": _fact(UUID, "Of the other: the one that is part of it", optional=True),
    "number": _fact(int, "The number of that ticket"),
}
_INVITATION = {"invitation_id": _fact(UUID, "The question for a score")}
_PROMISE = {
    "metric": _fact(str, "first_reply, next_reply, resolution, acceptance or ownership"),
    "round": _fact(int, "Numbers the clocks of a metric on a ticket from 1"),
    "department": _fact(str | None, "Slug, of a department's own clock"),
}
_PASSED = {**_PROMISE, "at": _fact(datetime, "When it happened, not when it was noticed")}
_ENDPOINT = {
    "endpoint_id": _fact(UUID, "The endpoint that it is about"),
    "url": _fact(str, "Where it listens"),
    "reason": _fact(str, "What its receiver answered"),
}
_EMBARGO = {
    "embargo_id": _fact(UUID, "The embargo"),
    "scope": _fact(str, "ticket, topic or incident: how far it reaches"),
    "until": _fact(datetime, "From then on the fallback text may be said"),
    "fallback_text": _fact(str | None, "null: from `until` on everything may be said"),
}
_INCIDENT = {
    "incident_id": _fact(UUID, "The incident"),
    "scope": _fact(str, "topic, account or area: what `name` is"),
    "name": _fact(str, "A topic's slug, channel/account, or the area"),
    "severity": _fact(str, "As crisis.yaml names it"),
    "observed": _fact(int, "Posts in the hour so far, at its height"),
    "expected": _fact(float, "How many are usual then"),
    "chance": _fact(float, "How likely so many were"),
    "url": _fact(str, "Leads to the incident"),
}
# What an event says besides the ticket. More may be added; what is here stays.
DETAILS: Mapping[str, Fields] = {
    "mention.received": _POST,
    "mention.edited": _MENTION,
    "mention.deleted": _MENTION,
    "mention.taken_up": {**_MENTION, "per_hour": _fact(float, "Likes, reposts and the like, as weighed")},
    "ticket.opened": {"number": _fact(int, "The ticket's"), "topic": _fact(str | None, "Slug; null: none is sure")},
    "ticket.routed": {**_PLACE, **_RULE, "reason": _fact(str, "Of who moved it by hand", optional=True)},
    "ticket.fell_back": {
        "reason": _fact(str, "not_delivered, not_accepted or not_answered"),
        "department": _fact(str | None, "Slug of who had it"),
    },
    "ticket.accepted": {},
    "ticket.consulted": {"topics": _fact(dict[str, list[str]], "By department: what it is asked about")},
    "ticket.contributed": {
        "answer_id": _fact(UUID, "What it said, for who has the ticket"),
        "version": _fact(int, "Counts a ticket's answers"),
        "department": _fact(str, "Slug of who said it"),
    },
    "ticket.asked": {"of": _fact(str, "webcare or customer; the question stands on the ticket's timeline")},
    "ticket.informed": {},
    "ticket.answered": {"answer_id": _fact(UUID, "The draft"), "version": _fact(int, "Counts a ticket's answers")},
    "ticket.handed_back": {
        "code": _fact(str, "What was wrong, in a word that is counted"),
        "reason": _fact(str, "The same for people"),
        "topic": _fact(str | None, "The slug that fits better"),
        "department": _fact(str | None, "Slug of whose it may be"),
        "by": _fact(str | None, "Slug of who handed it back"),
        "bounces": _fact(int, "How often it was handed back"),
        "held_seconds": _fact(float, "How long it was in the wrong hands"),
        "tried": _fact(list[dict[str, Any]], "From the third time on: the earlier ones", optional=True),
    },
    "ticket.replied": _SPOKEN,
    "ticket.reply_held": {**_SPOKEN, **_HELD},
    "ticket.reply_approved": {**_DECIDED, **_HELD},
    "ticket.reply_rejected": {**_DECIDED, **_WHY},
    "ticket.reply_settled": {
        **_REPLY,
        **_WAS,
        "seen": _fact(str, "What somebody saw on the channel"),
        "external_id": _fact(str | None, "The channel's id of it"),
    },
    "ticket.reply_retried": {**_REPLY, **_WAS},
    "ticket.customer_replied": _POST,
    "ticket.waiting": {"for": _fact(str, "customer"), "until": _fact(datetime | None, "Then it comes back")},
    "ticket.snoozed": {"until": _fact(datetime, "Then it is in sight again")},
    "ticket.resumed": _WHY,
    "ticket.updated": {
        "priority": _fact(dict[str, str], "from, to", optional=True),
        "tags": _fact(dict[str, list[str]], "from, to", optional=True),
    },
    "ticket.reassigned": {
        "from": _fact(str | dict[str, str | None] | None, "Who had it; of what was rerouted its topic and department"),
        "assignee": _fact(str, "Who has it now", optional=True),
        **_maybe(_PLACE),
        **_RULE,
        "reason": _fact(str, "In words", optional=True),
    },
    "ticket.resolved": {"code": _fact(str, "How it ended")},
    "ticket.reopened": _WHY,
    "ticket.closed": {},
    "ticket.merged": {
        **_TWO,
        "waiting_since": _fact(datetime, "Since when the customer waits for an answer on either", optional=True),
        "waited_since": _fact(datetime, "Since when on this one before", optional=True),
        "earlier": _fact(int, "How many stretches of custody came before this ticket's own", optional=True),
    },
    "ticket.unmerged": {**_TWO, **_WHY, "as_before": _fact(bool, "Whether it owes what it owed before", optional=True)},
    "ticket.linked": {**_OTHER, "kind": _fact(str, "What they have to do with each other")},
    "ticket.unlinked": _OTHER,
    "sla.warning": _PASSED,
    "sla.breached": _PASSED,
    "sla.met": _PASSED,
    "sla.changed": {
        **_PROMISE,
        "because": _fact(dict[str, dict[str, Any]], "What about the ticket is not as it was, each with from and to"),
        "from": _fact(dict[str, Any], "What held: policy, target_seconds, due_at"),
        "to": _fact(dict[str, Any], "What holds now, told alike"),
    },
    "sla.notified": {
        **_PROMISE,
        "to": _fact(str, "department, lead or manager"),
        "due_at": _fact(datetime, "When the promise is due"),
        "reached_at": _fact(datetime, "When they were to be told; telling waits for their hours"),
    },
    "escalation.raised": {"reasons": _fact(list[dict[str, Any]], "Each with code, text and figures")},
    "escalation.acknowledged": {"take_over": _fact(bool, "Whether the ticket is PR's from now on")},
    "escalation.embargoed": _EMBARGO,
    "escalation.lapsed": _EMBARGO,
    "escalation.released": {**_maybe(_EMBARGO), "lapsed": _fact(bool, "Whether its time had run out", optional=True)},
    "escalation.closed": {"lesson": _fact(str, "What was learned")},
    "incident.opened": _INCIDENT,
    "incident.closed": _INCIDENT,
    "feedback.invited": {**_INVITATION, "channel": _fact(str, "Where it is asked")},
    "feedback.received": {
        **_INVITATION,
        "score": _fact(int, "0 to 10"),
        "score_before": _fact(int, "When it was changed", optional=True),
        "follow_up": _fact(bool, "Whether somebody is to get back to the customer"),
        "follow_up_due_at": _fact(datetime | None, "By when"),
    },
    "feedback.declined": _INVITATION,
    "feedback.followed_up": {
        **_INVITATION,
        "outcome": _fact(str, "What came of it"),
        "in_time": _fact(bool, "Whether it was in time"),
    },
    "feedback.overdue": {
        **_INVITATION,
        "opened_at": _fact(datetime, "When the score came"),
        "due_at": _fact(datetime, "By when somebody was to get back"),
    },
    "ownership.stepped": {
        "topic": _fact(str, "Slug"),
        "channels": _fact(list[str] | None, "null: wherever no other line of the topic is more specific"),
        "from": _fact(str, "Where the line stood, such as advise or pilot 30 %"),
        "to": _fact(str, "Where it stands now; tickets that stand keep their stage"),
        "reason": _fact(str, "In words; when a gate broke, with its figure"),
        "figures": _fact(dict[str, int], "What the gates are read from, as GET /ownership has them"),
    },
    "endpoint.failing": _ENDPOINT,
    "endpoint.recovered": _ENDPOINT,
    "endpoint.disabled": _ENDPOINT,
    "endpoint.pinged": {
        "endpoint_id": _fact(UUID, "The endpoint that is tested"),
        "department": _fact(str, "Slug of whose it is"),
    },
}
