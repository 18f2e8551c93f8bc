"""Once a day, by one process for all: the weeks of topics are compared, and alarms raised and resolved.

Knows that a topic of which nothing is left to judge is calm. Refuses to know what is unusual (reports.drift).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.kit import logs
from app.reports.drift import store as drift
from app.reports.drift.alarm import findings
from app.reports.drift.week import Daily, weeks_of
from app.reports.tally.keeping.store import get_tallied
from app.runtime import Runtime, Unit
from app.topics.turns.store import claim_turn

EVERY = timedelta(days=1)


async def mind_drift(runtime: Runtime, now: datetime, every: timedelta = EVERY) -> int:
    """One look at the weeks up to today, unless it was taken; returns how many alarms were raised or resolved."""
    async with runtime.reading(reports=True) as tx:
        zone = (await get_tallied(tx)).zone
        until = now.astimezone(zone).date()
        counted = await drift.list_counted(tx, until, zone)
    return await runtime.run(_judge, counted, until, zone, every)


async def _judge(unit: Unit, counted: Sequence[Daily], until: date, zone: ZoneInfo, every: timedelta) -> int:
    if not await claim_turn(unit.tx, "drift", every):
        return 0
    await drift.record_certainty(unit.tx, until, zone, unit.rulebook.hearing.moods)
    weeks = weeks_of([*counted, *await drift.list_certain(unit.tx, until)], until)
    standing = await drift.claim_standing(unit.tx)
    judged = {(one.topic, one.kind): one for one in findings(weeks)}
    raised = 0
    for key, finding in judged.items():
        if finding.alarms:
            await drift.record_alarm(unit.tx, finding, unit.now)
            raised += key not in standing
            logs.transition("alarm.stands", topic=finding.topic, kind=finding.kind, n=finding.n, usual=finding.usual)
    over = [alarm.id for key, alarm in standing.items() if key not in judged or judged[key].calm]
    await drift.mark_resolved(unit.tx, over, unit.now)
    return raised + len(over)
