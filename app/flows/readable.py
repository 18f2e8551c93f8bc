"""Recording for sweeps: what cannot be read must not hold up the others.

Knows how a list is taken apart until the ticket with the unreadable clock stands alone. Refuses to know what is
recorded (record) and why.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from app.flows.record import record
from app.kit import logs
from app.runtime import Unit
from app.sla.business_time import NeverOpen
from app.sla.clock import UnknownCalendar
from app.sla.policy import PolicyUnreadable
from app.tickets.ticket import Step, Ticket


async def record_readable(
    unit: Unit, steps: Sequence[Step], *, climbed: Mapping[UUID, timedelta] | None = None
) -> dict[UUID, Ticket]:
    """All at once; when a clock cannot be read, halves of them, until its ticket stands alone and is left for later.

    `record` reads clocks before it writes, so one that it cannot read has left nothing behind in the transaction.
    Returns the tickets that were recorded, as they stand now.
    """
    try:
        return await record(unit, steps, climbed=climbed)
    except (NeverOpen, PolicyUnreadable, UnknownCalendar) as error:
        if len(steps) == 1:
            logs.failure("sla.unreadable", error, ticket=steps[0].ticket.number)
            return {}
        half = len(steps) // 2
        first = await record_readable(unit, steps[:half], climbed=climbed)
        return first | await record_readable(unit, steps[half:], climbed=climbed)
