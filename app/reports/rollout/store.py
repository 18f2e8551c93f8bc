"""How departments do with the tickets that they are given, by topic and channel, read-only.

Knows which rows tell of a hand-over and its end. Refuses to know what is good enough (routing.readiness).
"""

from datetime import datetime

from app.feedback.nps import BANDS, Band
from app.kit.db import Reading
from app.kit.ids import first_id_at
from app.routing.readiness import Figures

Line = tuple[str, str, str]  # topic, channel, department

# A hand-over is the start of a department's two clocks; the routing before it tells the topic that it was for.
# Ids of tickets begin with their moment, so the primary key finds those of a period.
_HANDED_OVER = """
    SELECT routed.data->>'topic' AS topic, t.channel, a.department, count(*) AS handed_over,
           count(*) FILTER (WHERE a.state IN ('met', 'breached')) AS judged,
           count(*) FILTER (WHERE a.state = 'met') AS accepted,
           count(*) FILTER (WHERE o.ended_at IS NOT NULL) AS ended,
           count(*) FILTER (WHERE o.ended_by = 'answered') AS answered,
           count(*) FILTER (WHERE o.ended_by = 'handed_back') AS handed_back
    FROM ticket t
    JOIN clock a ON a.ticket_id = t.id AND a.metric = 'acceptance' AND a.started_at >= $1
    LEFT JOIN clock o ON o.ticket_id = t.id AND o.metric = 'ownership' AND o.round = a.round
    CROSS JOIN LATERAL (
        SELECT e.data FROM event e WHERE e.ticket_id = t.id AND e.type = 'ticket.routed' AND e.at <= a.started_at
        ORDER BY e.sequence DESC LIMIT 1) AS routed
    WHERE t.id >= $2 AND routed.data->>'topic' IS NOT NULL
    GROUP BY 1, 2, 3"""
_SCORES = f"""
    SELECT i.topic, i.channel, i.department, count(*) AS scores,
           count(*) FILTER (WHERE r.score >= {BANDS[Band.PROMOTER][0]}) AS promoters,
           count(*) FILTER (WHERE r.score <= {BANDS[Band.DETRACTOR][-1]}) AS detractors
    FROM invitation i JOIN response r ON r.invitation_id = i.id
    WHERE i.resolved_at >= $1 AND i.topic IS NOT NULL AND i.department IS NOT NULL GROUP BY 1, 2, 3"""  # noqa: S608
_OPENED = """
    SELECT topic, channel, count(*) AS n FROM ticket
    WHERE id >= $1 AND topic IS NOT NULL AND merged_into_id IS NULL GROUP BY 1, 2"""


async def list_figures(tx: Reading, since: datetime) -> dict[Line, Figures]:
    """What became of hand-overs since then, and what customers scored."""
    found: dict[Line, Figures] = {}
    for row in [*await tx.fetch(_HANDED_OVER, since, first_id_at(since)), *await tx.fetch(_SCORES, since)]:
        line = row["topic"], row["channel"], row["department"]
        counts = {name: count for name, count in row.items() if name not in {"topic", "channel", "department"}}
        found[line] = found.get(line, Figures()) + Figures(**counts)
    return found


async def list_opened(tx: Reading, since: datetime) -> dict[tuple[str, str], int]:
    """How many tickets were opened since then, by topic and channel."""
    return {(row["topic"], row["channel"]): row["n"] for row in await tx.fetch(_OPENED, first_id_at(since))}
