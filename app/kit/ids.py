"""Identifiers and secrets. Knows how they are made; refuses to know what they name."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

import uuid_utils.compat

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): sorts by the moment of its making, so that indexes grow at one end."""
    return uuid_utils.compat.uuid7()


def first_id_at(at: datetime) -> UUID:
    """The smallest UUIDv7 of this millisecond: a bound for ids made since or before then, never an id itself."""
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)


def new_secret(prefix: str) -> str:
    """256 random bits behind a readable prefix that secret scanners recognise."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def digest(secret: str) -> bytes:
    """What is stored of a secret: SHA-256. Enough for 256 random bits, which nobody can guess in bulk."""
    return hashlib.sha256(secret.encode()).digest()


def moment_of(an_id: UUID) -> datetime:
    """The millisecond in which an id of ours was made."""
    return datetime.fromtimestamp((an_id.int >> 80) / 1000, UTC)
