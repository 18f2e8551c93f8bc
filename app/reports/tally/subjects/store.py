"""Tickets as they are counted, read-only: all that their facts follow from, in one statement and so of one moment.

Knows which rows and which members of an event tell it. Refuses to know what is counted (counting).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.kit.db import Reading
from app.reports.question import Dimensions
from app.reports.tally.counting import TELLING, Answered, Happened, Promise, Subject, Survey
from app.tickets.custody import Custody, Holder

_SUBJECTS = """
    SELECT t.id, t.opened_at, t.merged_into_id IS NOT NULL AS merged,
        t.topic, t.channel, t.account, t.department, t.stage, t.arm, t.priority, t.assignee AS agent, t.language,
        (SELECT json_agg(json_build_array(e.type, e.at, e.data->>'topic', e.data->>'stage', e.data->>'arm',
                e.data->>'rule', coalesce(e.data->>'by', e.data->>'department'),
                coalesce(e.data->>'code', e.data->>'reason'), e.data ? 'into') ORDER BY e.sequence)
            FROM event e WHERE e.ticket_id = t.id AND e.type = ANY($2)) AS events,
        (SELECT json_agg(json_build_array(c.holder, c.department, c.since) ORDER BY c.position)
            FROM custody c WHERE c.ticket_id = t.id) AS custody,
        (SELECT json_agg(json_build_array(k.metric, k.state, k.department, k.started_at, k.ended_at, k.breached_at,
                round(extract(epoch FROM k.elapsed) * 1000)) ORDER BY k.id)
            FROM clock k WHERE k.ticket_id = t.id) AS promises,
        (SELECT json_agg(json_build_array(r.queued_at, round((r.edited * 1000)::numeric), a.ticket_id <> r.ticket_id)
                ORDER BY r.id)
            FROM reply r JOIN answer a ON a.id = r.answer_id WHERE r.ticket_id = t.id AND r.edited IS NOT NULL
            AND r.state NOT IN ('held', 'rejected')) AS answers,
        (SELECT json_agg(json_build_array(i.resolved_at, i.state, i.reason, s.score, i.topic, i.channel, i.account,
                i.department, i.stage, i.arm, i.priority, i.agent, i.language) ORDER BY i.id)
            FROM invitation i LEFT JOIN response s ON s.invitation_id = i.id WHERE i.ticket_id = t.id) AS surveys
    FROM ticket t WHERE t.id = ANY($1)"""
_COUNT = "SELECT count(*) AS n FROM ticket"
_BEHIND = "SELECT id FROM ticket WHERE id > $1 ORDER BY id LIMIT $2"


async def list_subjects(tx: Reading, ticket_ids: Sequence[UUID]) -> dict[UUID, Subject]:
    """The tickets that exist."""
    return {row["id"]: _subject(row) for row in await tx.fetch(_SUBJECTS, ticket_ids, TELLING)}


async def list_behind(tx: Reading, after: UUID | None, limit: int) -> tuple[UUID, ...]:
    """The next tickets in the order of their ids; None: from the first on."""
    return tuple(row["id"] for row in await tx.fetch(_BEHIND, after or UUID(int=0), limit))


async def get_count(tx: Reading) -> int:
    """How many tickets there are, closed ones too. Reads all of their keys."""
    return int((await tx.fetch(_COUNT))[0]["n"])


def _subject(row: Mapping[str, Any]) -> Subject:
    return Subject(
        opened_at=row["opened_at"],
        merged=row["merged"],
        now=Dimensions(**{name: row[name] for name in Dimensions._fields}),
        events=[Happened(kind, _moment(at), *told) for kind, at, *told in row["events"] or ()],
        custody=[Custody(Holder(holder), owner, _moment(since)) for holder, owner, since in row["custody"] or ()],
        promises=[
            Promise(metric, state, owner, _moment(start), _perhaps(end), _perhaps(breach), elapsed and int(elapsed))
            for metric, state, owner, start, end, breach, elapsed in row["promises"] or ()
        ],
        answers=[Answered(_moment(at), int(edited), reused) for at, edited, reused in row["answers"] or ()],
        surveys=[
            Survey(_moment(at), state, reason, score, Dimensions(*of))
            for at, state, reason, score, *of in row["surveys"] or ()
        ],
    )


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _perhaps(written: str | None) -> datetime | None:
    return None if written is None else _moment(written)
