"""Who looks at a ticket and who types, told to every process at once and kept nowhere.

Knows that PostgreSQL carries it (NOTIFY). Refuses to know who hears of it and what anybody makes of it.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.kit.db import Transaction
from app.kit.wire import dump

CHANNEL = "webcare_presence"


class Doing(StrEnum):
    LOOKING = "looking"
    TYPING = "typing"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Presence:
    """What somebody does with a ticket until `until`, unless it is said again. `departments` have the ticket."""

    ticket_id: UUID
    number: int
    actor: str
    doing: Doing
    at: datetime
    until: datetime
    departments: tuple[str, ...]


async def record_presence(tx: Transaction, seen: Presence) -> None:
    """Whoever listens hears of it after the commit; nothing of it stays."""
    await tx.notify(CHANNEL, dump(asdict(seen)).decode())
