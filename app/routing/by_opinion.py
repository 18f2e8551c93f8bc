"""A ticket placed by a second opinion that earned it: the decision record of that.

Knows how such a decision reads. Refuses to know how opinions are had and how their precision was measured (topics).
"""

from app.routing.decision import Decision, Priority, Reason
from app.routing.ownership import Owned
from app.tickets.ticket import Ticket
from app.topics.opinions.track import Track

RULE = "second opinion"


def words(model: str, topic: str, track: Track, precision: float) -> str:
    """Why it is believed, in a sentence."""
    proven = f"of its last {track.n} settled opinions on that topic {track.right} were right"
    return f"second opinion of {model}: {topic}; {proven}, so at least {precision:.1%} are (95 % confidence)"


def decided(owned: Owned, ticket: Ticket, *, topic: str, model: str, track: Track, digest: str) -> Decision:
    """As sure as it was measured to be. Raises ValueError where it was not."""
    precision = track.precision
    if precision is None:
        raise ValueError(f"{track.n} opinions prove nothing")
    facts = {"model": model, "topic": topic, "n": track.n, "right": track.right, "precision": round(precision, 4)}
    return Decision(
        topic=topic,
        confidence=round(precision, 3),
        department=owned.department,
        stage=owned.stage,
        arm=owned.arm,
        priority=Priority(ticket.priority),
        tags=ticket.tags,
        rule=RULE,
        digest=digest,
        evidence=(),
        considered=(),
        reasons=(Reason("second_opinion", words(model, topic, track, precision), facts),),
    )
