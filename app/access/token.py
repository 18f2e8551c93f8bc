"""What a token looks like and what is kept of it.

Knows the form of a token and its facts. Refuses to know what a role may do (role) and where tokens stand (store).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.access.role import Role
from app.kit.errors import Invalid

# RFC 6750, section 2.1: the only characters that travel in an `Authorization: Bearer` header.
_BEARER_FORM = re.compile(r"[A-Za-z0-9\-._~+/]{1,255}=*")


class UnusableToken(Invalid):
    """A token that was chosen by hand and that no client could send."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret, of which only the digest is stored."""

    id: UUID
    name: str
    role: Role
    department: str | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


def prefix(role: Role) -> str:
    """What a token of this role begins with: `wc_agent`, followed by `_` and 256 random bits in base64url."""
    return f"wc_{role}"


def check_given(secret: str) -> None:
    """Whether a token that somebody chose (`WEBCARE_ADMIN_TOKEN`) can be sent at all. Raises `UnusableToken`."""
    if not _BEARER_FORM.fullmatch(secret):
        raise UnusableToken("A token is 1 to 255 letters, digits and - . _ ~ + /, with = at its end only.")
