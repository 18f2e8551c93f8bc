"""A department's endpoint: where it listens, what it wants to hear and how much of it.

Knows the facts of one endpoint. Refuses to know how secrets are opened, and whether a URL may be called.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

ROTATION = timedelta(hours=24)  # Standard Webhooks: receivers need time to learn a new secret


class Payload(StrEnum):
    """`thin`: ids, topic, priority, deadlines and a link. `full`: the customer's words as well."""

    THIN = "thin"
    FULL = "full"


class EndpointState(StrEnum):
    OK = "ok"
    FAILING = "failing"
    DISABLED = "disabled"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`event_types` None means every type. Secrets are sealed; the previous one signs until `previous_until`.

    `headers_sealed` go along with every message, by their names; their values may be secrets too. `failures` counts the
    attempts that failed in a row.
    """

    id: UUID
    department: str
    url: str
    event_types: frozenset[str] | None
    payload: Payload
    secret_sealed: bytes = field(repr=False)
    created_at: datetime
    updated_at: datetime
    previous_secret_sealed: bytes | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    state: EndpointState = EndpointState.OK
    disabled_reason: str | None = None
    throttled_until: datetime | None = None
    failures: int = 0
    headers_sealed: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def header_names(self) -> list[str]:
        return sorted(self.headers_sealed)

    def wants(self, event_type: str) -> bool:
        return self.event_types is None or event_type in self.event_types

    def secrets_sealed(self, now: datetime) -> tuple[bytes, ...]:
        """The secrets that sign at this moment, newest first."""
        if self.previous_secret_sealed is None or self.previous_until is None or self.previous_until <= now:
            return (self.secret_sealed,)
        return (self.secret_sealed, self.previous_secret_sealed)

    def rotated(self, secret_sealed: bytes, now: datetime) -> "Endpoint":
        """With a new secret; the present one goes on signing beside it for a day."""
        return replace(
            self,
            secret_sealed=secret_sealed,
            previous_secret_sealed=self.secret_sealed,
            previous_until=now + ROTATION,
            updated_at=now,
        )
