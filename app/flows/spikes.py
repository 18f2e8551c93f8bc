"""Every minute, once across all processes: posts are counted, and what there are too many of becomes an incident.

Knows how a look goes: count, judge, open, follow, attach, tell. Refuses to know what is too many (escalation.spike) and
what PR says about it (press).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from app.delivery import store as delivery
from app.delivery.endpoints import store as endpoints
from app.delivery.envelope import Happening, webhooks
from app.escalation import store as escalations
from app.escalation.incidents import store as incidents
from app.escalation.incidents.incident import Count, Incident, IncidentState, Subject, followed, opened
from app.escalation.spike import baseline
from app.escalation.store import Given
from app.escalation.volumes import store as volumes
from app.escalation.volumes.store import HOUR, WEEK, Slot
from app.flows.escalate import opened_for
from app.kit import logs
from app.kit.ids import new_id
from app.runtime import Unit

EVERY = timedelta(minutes=1)
SETTLED = timedelta(seconds=10)  # longer than a transaction that takes posts in is open: what is older is there
REASON = "spike"
PROOF = HOUR  # before the hour of the spike: customers post about what began a little earlier


async def watch_volumes(unit: Unit, every: timedelta = EVERY, settled: timedelta = SETTLED) -> int:
    """One look, unless it was taken already; returns how many incidents opened or ended."""
    weeks = unit.rulebook.escalation.spike.weeks
    slot = await volumes.claim_slot(unit.tx, "volumes", every, settled, (weeks + 1) * WEEK)
    if slot is None:
        return 0
    unit = replace(unit, now=max(unit.now, slot.now))
    await volumes.record_volumes(unit.tx, slot)
    hour = slot.now.replace(minute=0, second=0, microsecond=0)
    posts, past = await volumes.list_volumes(unit.tx, hour, weeks)
    standing = await incidents.claim_open(unit.tx)
    rested = await incidents.list_closed_since(unit.tx, unit.now - unit.rulebook.escalation.spike.cool_down)
    share = (slot.now - hour) / HOUR
    judged = () if slot.behind else _counts(posts, past, share, standing, rested)
    counts = {count.subject: count for count in judged}
    began = [one for count in counts.values() if count.subject not in standing for one in _begun(unit, count)]
    begun = [await _open(unit, one, slot, hour) for one in began]
    ended = await _follow(unit, standing.values(), counts, slot)
    await volumes.purge_volumes(unit.tx, hour - (weeks + 1) * WEEK)
    return sum(begun) + ended


def _counts(
    posts: Mapping[Subject, int],
    past: Mapping[Subject, Sequence[Sequence[int]]],
    share: float,
    standing: Mapping[Subject, Incident],
    rested: Mapping[Subject, datetime],
) -> Iterator[Count]:
    for subject in posts.keys() | standing.keys():
        usual = baseline(past.get(subject, ()))
        if usual is not None and share > 0:
            yield Count(subject, posts.get(subject, 0), usual, share, rested.get(subject))


def _begun(unit: Unit, counted: Count) -> Iterator[Incident]:
    incident = opened(counted, unit.rulebook.escalation.spike, unit.now, new_id())
    if incident is not None:
        yield incident


async def _open(unit: Unit, begun: Incident, slot: Slot, hour: datetime) -> bool:
    """The incident with the posts that prove it, in PR's queue, and told; False when its subject has one already."""
    if not await incidents.add_incident(unit.tx, begun):
        return False
    await incidents.record_attached(
        unit.tx, begun, since=hour - PROOF, until=slot.until, posted_since=hour - PROOF, proves=True, at=unit.now
    )
    owners = await incidents.list_departments(unit.tx, begun.id)
    owned = replace(begun, department=owners[0] if owners else None)
    await incidents.mark_followed(unit.tx, [owned])
    raised = opened_for(unit, incident_id=begun.id)
    text = f"{begun.observed} posts about {begun.subject.name} where {begun.expected:.1f} are usual"
    given = Given(begun.id, REASON, raised.id, "system", text, begun.figures, unit.now)
    await escalations.add_escalations(unit.tx, [raised], [given])
    await tell(unit, "incident.opened", owned, owners)
    return True


async def _follow(unit: Unit, standing: Iterable[Incident], counts: Mapping[Subject, Count], slot: Slot) -> int:
    """Posts that came since join what they are about; what is calm for long enough ends. Returns how many ended."""
    rules, ended = unit.rulebook.escalation.spike, 0
    after = []
    for incident in standing:
        await incidents.record_attached(
            unit.tx,
            incident,
            since=slot.since,
            until=slot.until,
            posted_since=incident.opened_at - PROOF,
            proves=False,
            at=unit.now,
        )
        counted = counts.get(incident.subject)
        now = followed(incident, counted, rules, unit.now) if counted else incident
        if now.state is IncidentState.CLOSED:
            ended += 1
            await tell(unit, "incident.closed", now, await incidents.list_departments(unit.tx, now.id))
        after.append(now)
    await incidents.mark_followed(unit.tx, [now for now, before in zip(after, standing, strict=True) if now != before])
    return ended


async def tell(unit: Unit, event_type: str, incident: Incident, owners: Sequence[str]) -> None:
    """Departments that own tickets of it hear of it, and those that hear of every escalation."""
    happening = Happening(
        type=event_type,
        at=unit.now,
        departments=frozenset({*owners, *unit.rulebook.escalation.risk.told}),
        details={
            "incident_id": incident.id,
            **incident.figures,
            "url": f"{unit.knobs.public_url}/api/v1/incidents/{incident.id}",
        },
    )
    listening = await endpoints.list_active_endpoints(unit.tx)
    await delivery.add_messages(unit.tx, webhooks(happening, listening, new_id))
    logs.transition(event_type, incident=str(incident.id), severity=incident.severity, subject=incident.subject.name)
