"""Identifiers and secrets. Knows how they are made; refuses to know what they name."""

import hashlib
import secrets
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): sorts by the moment of its making, so that indexes grow at one end."""
    return uuid_utils.compat.uuid7()


def new_secret(prefix: str) -> str:
    """256 random bits behind a readable prefix that secret scanners recognise."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def digest(secret: str) -> bytes:
    """What is stored of a secret: SHA-256. Enough for 256 random bits, which nobody can guess in bulk."""
    return hashlib.sha256(secret.encode()).digest()
