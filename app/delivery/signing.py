"""Signatures of Standard Webhooks 1.0, both ways.

Knows secrets, signed bytes and the three headers. Refuses to know where secrets are kept, what a body says, and the
clock. Format: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.kit.errors import Invalid, Unauthorised

PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)
_KEY_BYTES = range(24, 65)
_LONGEST_ID = 500  # characters; ids in use are a tenth of that
_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class SecretUnusable(Invalid):
    pass


class SignatureRefused(Unauthorised):
    pass


@dataclass(frozen=True, slots=True)
class Signed:
    """What a valid signature vouches for: the sender's id of the message and the moment of this attempt."""

    id: str
    at: datetime


def secret_from(key: bytes) -> str:
    """The written form of 24 to 64 random bytes. Raises `SecretUnusable`."""
    if len(key) not in _KEY_BYTES:
        raise SecretUnusable("A signing secret holds 24 to 64 bytes.", field="secret")
    return PREFIX + base64.b64encode(key).decode()


def key_of(secret: str) -> bytes:
    """The bytes behind a written secret. Raises `SecretUnusable` with the way out."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        key = b""
    if not secret.startswith(PREFIX) or len(key) not in _KEY_BYTES:
        raise SecretUnusable(
            f"A signing secret is '{PREFIX}' and the base64 of 24 to 64 random bytes; leave it out to be given one.",
            field="secret",
        )
    return key


def sign(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of one attempt, with a signature for each secret. `body` is what is sent, byte for byte."""
    timestamp = str(int(at.timestamp()))
    signatures = (_signature(key_of(secret), message_id, timestamp, body) for secret in secrets)
    return {
        _ID: message_id,
        _TIMESTAMP: timestamp,
        _SIGNATURE: " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures),
    }


def verify(secrets: Sequence[str], headers: Iterable[tuple[bytes, bytes]], body: bytes, *, now: datetime) -> Signed:
    """Who signed this body, and when; `headers` are the raw pairs of the request.

    Raises `SignatureRefused`, and nothing else whatever the sender wrote. That the id was not seen before is for
    the caller to check.
    """
    pairs = [(name.lower().decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    counts = Counter(name for name, _ in pairs)
    if any(counts[name] != 1 for name in (_ID, _TIMESTAMP, _SIGNATURE)):
        raise SignatureRefused(f"Send exactly one each of {_ID}, {_TIMESTAMP} and {_SIGNATURE}.")
    given = dict(pairs)
    at = _moment(given[_TIMESTAMP])
    if abs(at - now) > TOLERANCE:
        raise SignatureRefused("The timestamp is more than five minutes away from now; check your clock.")
    if not given[_ID].isascii() or len(given[_ID]) > _LONGEST_ID:
        raise SignatureRefused(f"The {_ID} is not ASCII of at most {_LONGEST_ID} characters.")
    expected = [_signature(key_of(secret), given[_ID], given[_TIMESTAMP], body) for secret in secrets]
    offered = list(_offered(given[_SIGNATURE]))
    if not any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in offered):
        raise SignatureRefused("No signature fits the body; sign the very bytes that you send.")
    return Signed(given[_ID], at)


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    return hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)


def _moment(timestamp: str) -> datetime:
    """Ten digits reach the year 2286, so that no number is too large for a datetime."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 10):  # noqa: PLR2004
        raise SignatureRefused(f"The {_TIMESTAMP} is not a whole number of seconds.")
    return datetime.fromtimestamp(int(timestamp), UTC)


def _offered(header: str) -> Iterable[bytes]:
    for versioned in header.split(" "):
        version, _, encoded = versioned.partition(",")
        if version == "v1" and encoded.isascii():
            try:
                yield base64.b64decode(encoded, validate=True)
            except binascii.Error:
                continue
