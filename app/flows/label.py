"""What people do with a ticket says what its post is about: the model learns from it.

Knows which acts say something about a topic, and about which post. Refuses to know what is learned (learn).
"""

from app.routing.store import find_judged
from app.runtime import Unit
from app.tickets.bounce import HandBackCode
from app.tickets.ticket import Ticket
from app.topics.labels.labelling import Labelling, Source, hand_back_says
from app.topics.labels.store import record_labels


async def correct(unit: Unit, ticket: Ticket, topic: str, actor: str) -> None:
    """Somebody who works on tickets named the topic: another one, one where there was none, or the same again."""
    mention_id = await find_judged(unit.tx, ticket.id)
    if mention_id is not None:
        await record_labels(unit.tx, [Labelling(topic, True, Source.CORRECTION, actor, unit.now, mention_id)])


async def hand_back(unit: Unit, ticket: Ticket, suggested: str | None, code: HandBackCode, actor: str) -> None:
    """A department said that a ticket is not its own, and perhaps what it is about instead."""
    mention_id = await find_judged(unit.tx, ticket.id)
    if mention_id is not None:
        wrong = code is HandBackCode.WRONG_TOPIC
        said = hand_back_says(
            ticket.topic, suggested, wrong_topic=wrong, actor=actor, at=unit.now, mention_id=mention_id
        )
        await record_labels(unit.tx, said)
