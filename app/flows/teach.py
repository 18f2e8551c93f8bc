"""Every minute, once across all processes: posts in triage are weighed by how much a label on them would teach.

Knows what is gathered for that. Refuses to know what a label teaches (topics.lessons) and who is shown the order.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.routing import store as routing
from app.runtime import Unit
from app.topics.lessons import store as lessons
from app.topics.lessons.lesson import Best, from_scores, worth
from app.topics.lessons.likeness import bands
from app.topics.lessons.store import Weighed
from app.topics.turns.store import claim_turn

EVERY = timedelta(minutes=1)
STALE = timedelta(days=1)
AT_ONCE = 2_000  # posts in one turn: half a second of work


async def weigh_lessons(unit: Unit, every: timedelta = EVERY, limit: int = AT_ONCE) -> int:
    """One look, unless it was taken already; returns how many posts were weighed."""
    if not await claim_turn(unit.tx, "lessons", every):
        return 0
    await lessons.mark_learned(unit.tx)
    waiting = await lessons.list_waiting(unit.tx, limit, STALE)
    records = await routing.list_latest_records(unit.tx, [one.ticket_id for one in waiting])
    labelled = await lessons.list_labels_by_topic(unit.tx)
    found = {one.ticket_id: one.bands or bands(one.text) for one in waiting}
    likes = await lessons.list_likes(unit.tx, {one.ticket_id: found[one.ticket_id] for one in waiting if not one.bands})
    firsts = {band: one.ticket_id for one in reversed(waiting) for band in found[one.ticket_id]}
    weighed = []
    for one in waiting:
        best = best_of(records.get(one.ticket_id, {}))
        labels = labelled.get(best[0][0], 0) if best else 0
        like = likes.get(one.ticket_id)
        if like is None and not one.bands:
            like = min(firsts[band] for band in found[one.ticket_id])
        like = None if like == one.ticket_id else like
        value = worth(best, labels) if like is None else None
        weighed.append(Weighed(one.ticket_id, value, best, labels, found[one.ticket_id], like))
    await lessons.record_lessons(unit.tx, weighed)
    await lessons.purge_lessons(unit.tx)
    return len(weighed)


def best_of(record: Mapping[str, Any]) -> Best:
    """The model's best topics of a decision record; where there was no model, what phrases say."""
    if model := record.get("model"):
        return [(one["topic"], one["probability"]) for one in model["best"]]
    return from_scores([(one["topic"], one["score"]) for one in record.get("considered", ())])
