"""The types of events: every one that there is, what it says, and which of them departments may listen for.

Knows names and meanings. Refuses to know what happens in which order and who hears of it.
"""

from collections.abc import Iterable, Mapping

from app.kit.errors import Invalid

EVENT_TYPES: Mapping[str, str] = {
    "channel.down": "The ticket's channel cannot be reached, so nobody can act",
    "channel.up": "The ticket's channel can be reached again",
    "mention.received": "The customer's post was put on the ticket",
    "mention.edited": "The customer changed a post",
    "mention.deleted": "The customer took a post away",
    "mention.taken_up": "Others like the post, or pass it on, fast",
    "ticket.opened": "A new ticket",
    "ticket.routed": "A department owns it now, and may have the ball",
    "ticket.delivered": "The receiver of the department that has the ball took it; its clocks run from now on",
    "ticket.fell_back": "The department did not get it, or did not accept it in time; webcare has it now",
    "ticket.accepted": "The department that has the ball said that it will answer",
    "ticket.consulted": "Departments that do not have it are asked for the part that is about their topic",
    "ticket.contributed": "A department that was consulted gave its part, for who has the ticket",
    "ticket.asked": "The department that has the ball needs to know more, from webcare or from the customer",
    "ticket.informed": "The department that asked was told, and has the ball again",
    "ticket.answered": "A department gave an answer as a draft; webcare publishes it",
    "ticket.handed_back": "A department said that it is not theirs",
    "ticket.replied": "Something was said to the customer",
    "ticket.reply_held": "An answer was written and waits: for a colleague, for PR, or because of a statement",
    "ticket.reply_approved": "Somebody agrees with an answer that waits for another still",
    "ticket.reply_rejected": "An answer that waited is not given",
    "ticket.reply_settled": "Somebody saw for themselves whether an answer stands on the channel",
    "ticket.reply_retried": "An answer that did not reach the channel is tried again",
    "ticket.customer_replied": "The customer posted again",
    "ticket.waiting": "The customer has the ball",
    "ticket.snoozed": "Out of sight for a while",
    "ticket.resumed": "It came back: a snooze is over, or the customer did not post in time",
    "ticket.updated": "Priority or tags were changed",
    "ticket.reassigned": "Somebody else has it, or nobody",
    "ticket.resolved": "Settled; a new post reopens it",
    "ticket.reopened": "Not settled after all",
    "ticket.closed": "Settled for good; a new post opens another ticket",
    "ticket.merged": "It goes on as a part of another ticket, or another one as a part of it",
    "ticket.unmerged": "What was merged is two tickets again",
    "ticket.linked": "It has to do with another ticket",
    "ticket.unlinked": "It has nothing to do with another ticket after all",
    "ticket.noted": "A colleague wrote a note to colleagues",
    "sla.changed": "Another promise holds, because topic, owner, priority or tags changed",
    "sla.warning": "A promise will soon be due",
    "sla.breached": "A promise was not kept in time",
    "sla.notified": "People are told of a promise: a department, or webcare's leads or managers",
    "sla.mended": "What was kept of a clock did not follow from who had the ball, and was put right",
    "sla.met": "A promise was kept in time",
    "escalation.raised": "PR is asked to look at it",
    "escalation.acknowledged": "PR looks at it",
    "escalation.embargoed": "No public reply until PR lets go",
    "escalation.lapsed": "The time of an embargo ran out: its fallback text may be said",
    "escalation.released": "Public replies may go out again",
    "escalation.closed": "PR is done with it",
    "incident.opened": "Many customers report the same thing",
    "incident.closed": "What many customers reported is over",
    "feedback.invited": "The customer was asked for a score",
    "feedback.sent": "The channel took the question for a score",
    "feedback.failed": "The channel did not take the question for a score",
    "feedback.withdrawn": "The customer is not asked for a score after all",
    "feedback.received": "The customer gave a score, or changed it; below 7 somebody is to get back to them",
    "feedback.declined": "The customer does not want to be asked for a score",
    "feedback.followed_up": "Somebody got back to a customer who is not content, or tried to",
    "feedback.overdue": "Nobody got back in time to a customer who is not content",
    "endpoint.failing": "A receiver failed several attempts in a row; told to the department's other endpoints",
    "endpoint.recovered": "A receiver that failed takes messages again; told to the department's other endpoints",
    "ownership.stepped": "The department answers for more, or for less, of a topic from now on",
    "endpoint.disabled": "A receiver answered 410 and gets nothing more; told to the department's other endpoints",
    "endpoint.pinged": "A test that somebody asked for; it goes to that one endpoint, whatever it listens for",
}
# Never sent to anybody.
INTERNAL = frozenset(
    {"ticket.noted", "ticket.delivered", "sla.mended", "channel.down", "channel.up"}
    | {"feedback.sent", "feedback.failed", "feedback.withdrawn"}
)
UNTOLD = frozenset({"note", "text", "question"})  # colleagues' words to each other, in whatever event they stand
AUDIBLE: Mapping[str, str] = {name: said for name, said in EVENT_TYPES.items() if name not in INTERNAL}


class UnknownEventType(Invalid):
    pass


def check_audible(event_types: Iterable[str]) -> None:
    """Whether an endpoint can listen for these. Raises `UnknownEventType` with those that there are."""
    check_known(event_types, AUDIBLE, field="event_types")


def check_known(event_types: Iterable[str], known: Iterable[str], *, field: str) -> None:
    """Raises `UnknownEventType` with those that there are."""
    allowed = list(known)
    unknown = sorted(set(event_types).difference(allowed))
    if unknown:
        raise UnknownEventType(
            f"There is no event type '{unknown[0]}' to listen for; there are: {', '.join(allowed)}.",
            field=field,
            unknown=unknown,
            allowed=allowed,
        )
