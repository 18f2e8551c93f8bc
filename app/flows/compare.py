"""What became of each step of the oil stain: the weeks after it against the weeks before.

Knows which weeks are held against each other. Refuses to know the figures (reports.figures) and what is good enough
(routing.readiness).
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from app.flows.rollout import LOOKED_BACK, channels_of
from app.reports.figures import Apart, hold_against
from app.reports.question import Question
from app.reports.store import get_course
from app.reports.tally.store import get_ledger
from app.routing.rules import store as versions
from app.rulebook.stepping import FILE, Taken, steps_taken
from app.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Stepped:
    """A step of a line that a department answers for, and each figure after it (this) and before it (other).

    Both stretches end where another step of the line was taken, and are no longer than the window of the gates.
    """

    taken: Taken
    department: str
    since: datetime
    until: datetime
    figures: tuple[Apart, ...]


async def compare_steps(runtime: Runtime, now: datetime, department: str | None, limit: int) -> list[Stepped]:
    """The newest first; `department` None: of all. Lines that the rules no longer have are left out."""
    rules = runtime.rulebook
    lines = {(line.topic, line.channels): line for line in rules.routing.ownerships}
    async with runtime.reading(reports=True) as tx:
        ledger = await get_ledger(tx)
        steps = steps_taken(await versions.list_sources(tx, FILE, LOOKED_BACK))
        moments = defaultdict[object, list[datetime]](list)
        for one in steps:
            moments[one.topic, one.channels].append(one.at)
        found: list[Stepped] = []
        for one in steps:
            line = lines.get((one.topic, one.channels))
            if line is None or department not in (None, line.department) or one.at >= now or len(found) == limit:
                continue
            window, others = rules.rollout.gates.window, moments[one.topic, one.channels]
            since = max([one.at - window, *(at for at in others if at < one.at)])
            until = min([one.at + window, now, *(at for at in others if at > one.at)])
            channels, only = channels_of(rules, line), {"topic": one.topic}
            before = await get_course(ledger, Question(since, one.at, only=only), channels)
            after = await get_course(ledger, Question(one.at, until, only=only), channels)
            found.append(Stepped(one, line.department, since, until, hold_against(after, before)))
    return found
