"""What happened to a ticket and what was said on it, in order, each as one statement.

Knows posts, replies and answers, and that what was merged into a ticket is a part of its story. Refuses to know how a
story is told. Rows are the driver's own, and JSON in them is text: a long story is read and passed on as it stands.
"""

from datetime import datetime
from uuid import UUID

from app.kit.db import Reading, Records
from app.tickets.store import TicketNotFound

# $1 the ticket, $2 the department that asks, NULL for who may see all. Nothing at all when it may not read the ticket.
_PARTS = """
    WITH RECURSIVE part (id, conversation_id) AS (
        SELECT t.id, t.conversation_id FROM ticket t
        WHERE t.id = $1 AND ($2::text IS NULL OR t.department = $2 OR t.consulted ? $2 OR $2 = (
            SELECT c.department FROM custody c WHERE c.ticket_id = t.id ORDER BY c.position DESC LIMIT 1))
        UNION ALL SELECT t.id, t.conversation_id FROM ticket t JOIN part ON t.merged_into_id = part.id)"""

_TIMELINE = f"""{_PARTS}
    SELECT e.place, e.ticket_id, e.sequence, e.id, e.type, e.actor, e.at, e.version, e.changes::text,
        CASE WHEN coalesce(m.id, r.id, a.id) IS NULL THEN e.data ELSE e.data || jsonb_strip_nulls(
            jsonb_build_object('text', coalesce(m.text, r.text, a.text), 'state', r.state)) END::text AS data
    FROM part JOIN event e ON e.ticket_id = part.id
    LEFT JOIN mention m ON m.id = (e.data ->> 'mention_id')::uuid
    LEFT JOIN reply r ON r.id = (e.data ->> 'reply_id')::uuid
    LEFT JOIN answer a ON a.id = (e.data ->> 'answer_id')::uuid
    WHERE e.place > $3 ORDER BY e.place LIMIT $4"""  # noqa: S608 - our own words

# A customer sees the thread whole, however many tickets it was to us. A department sees what stands on its own.
_CONVERSATION = f"""{_PARTS},
    whole AS (
        SELECT id FROM part UNION
        SELECT t.id FROM ticket t JOIN part USING (conversation_id) WHERE $2::text IS NULL)
    SELECT *, attached::text AS attachments FROM (
        SELECT m.id, m.posted_at AS at, 'customer' AS said_by, coalesce(p.handle, p.display_name) AS name, m.channel,
            m.visibility, m.kind, m.title, m.text, m.url, m.attachments AS attached, m.external_id, m.deleted_at,
            m.revision > 0 AS edited
        FROM mention m JOIN author p ON p.id = m.author_id
        WHERE m.id IN (SELECT mention_id FROM ticket_mention JOIN whole ON whole.id = ticket_id)
        UNION ALL
        SELECT r.id, r.published_at, 'company', coalesce(r.department, 'webcare'), t.channel,
            r.visibility, 'reply', NULL, r.text, NULL, r.attachments, r.external_id, NULL, false
        FROM reply r JOIN whole ON whole.id = r.ticket_id JOIN ticket t ON t.id = r.ticket_id
        WHERE r.state = 'published') AS said
    WHERE (at, id) > ($3, $4) ORDER BY at, id LIMIT $5"""  # noqa: S608

_ID = "SELECT id FROM ticket WHERE number = $1"
_BEGINNING = datetime.fromisoformat("0001-01-01T00:00:00Z"), UUID(int=0)


async def list_timeline(
    tx: Reading, ticket_id: UUID, *, department: str | None, after: int | None, limit: int
) -> Records:
    """Events with the words that they are about, in order; `after` is the `place` of the last one seen.

    Raises `TicketNotFound`, also for what `department` may not read.
    """
    found = await tx.fetch(_TIMELINE, ticket_id, department, after or 0, limit)
    _check(found, after, ticket_id)
    return found


async def list_conversation(
    tx: Reading, ticket_id: UUID, *, department: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> Records:
    """Posts and published replies as the customer sees them, in order; `after` is (at, id). Raises the same."""
    found = await tx.fetch(_CONVERSATION, ticket_id, department, *(after or _BEGINNING), limit)
    _check(found, after, ticket_id)
    return found


async def get_id(tx: Reading, number: int) -> UUID:
    """The ticket with this readable number. Raises `TicketNotFound`."""
    found = await tx.fetch(_ID, number)
    if not found:
        raise TicketNotFound(f"There is no ticket {number} here.")
    ticket_id: UUID = found[0]["id"]
    return ticket_id


def _check(found: Records, after: object, ticket_id: UUID) -> None:
    """Every ticket was opened by a post, so the first page of one that may be seen is never empty."""
    if not found and after is None:
        raise TicketNotFound(f"There is no ticket {ticket_id} here.")
