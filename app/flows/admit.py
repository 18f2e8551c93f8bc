"""Tokens are given out and taken back, agents get their skills, and a repeated call finds the answer of the first.

Knows when a token may be made and that a key is kept with the work it stands for. Refuses to know how a token travels
and what the work is.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.access import store
from app.access.profile import Profile
from app.access.role import Role, check_binding
from app.access.store import KeptAnswer
from app.access.token import Token, check_given, prefix
from app.kit.errors import Conflict, Invalid
from app.kit.ids import digest, new_id, new_secret
from app.routing.by_hand import check_names
from app.runtime import Unit

ANSWERS_KEPT = timedelta(hours=24)


class AlreadyExpired(Invalid):
    pass


class IdempotencyKeyReused(Conflict):
    """The key stands for another call; nothing was done."""


class IdempotencyKeyInFlight(Conflict):
    """The first call with this key is still at work."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token and the only copy of its secret."""

    token: Token
    secret: str


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A call that its caller may send again: whose key, which key, and what was asked (a digest)."""

    token_id: UUID
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call was answered; `sealed` because it may hold a secret. `replayed`: it was done before."""

    status: int
    sealed: bytes
    replayed: bool = False


async def issue(
    unit: Unit, role: Role, name: str, department: str | None = None, expires_at: datetime | None = None
) -> Issued:
    """A token for somebody. Raises `DepartmentMismatch`, `UnknownDepartment`, `AlreadyExpired`."""
    check_binding(role, department)
    check_names(unit.rulebook.routing, None, department, topics={})
    if expires_at is not None and expires_at <= unit.now:
        raise AlreadyExpired("Choose a moment in the future.", field="expires_at")
    issued = _issued(role, name, department, unit.now, expires_at)
    await store.add_tokens(unit.tx, [(issued.token, digest(issued.secret))])
    return issued


async def issue_first(unit: Unit, given: str | None, others: Iterable[tuple[Role, str | None]]) -> tuple[Issued, ...]:
    """The tokens of a first start: an admin, whose secret may be `given`, and one for each (role, department).

    Empty when there are tokens already; a `given` one is let in all the same, unless it was revoked. Processes that
    start at the same moment agree on who is first. Raises `UnusableToken`.
    """
    await store.lock_tokens(unit.tx)
    is_first = not await store.any_token(unit.tx)
    issued = []
    if given is not None:
        check_given(given)
        issued.append(_issued(Role.ADMIN, "first admin", None, unit.now, secret=given))
    elif is_first:
        issued.append(_issued(Role.ADMIN, "first admin", None, unit.now))
    if is_first:
        issued += [_issued(role, f"first {role}", department, unit.now) for role, department in others]
    await store.add_tokens(unit.tx, [(one.token, digest(one.secret)) for one in issued])
    return tuple(issued) if is_first else ()


async def equip(unit: Unit, name: str, known: Profile) -> Profile:
    """What an agent can take from now on; every process knows it within a second.

    Raises `AgentNotFound`, `UnknownTopic`, `UnknownDepartment`.
    """
    await store.get_agent(unit.tx, name)
    rules = unit.rulebook
    for topic in known.topics:
        check_names(rules.routing, topic, None, topics=rules.topics)
    for department in known.departments:
        check_names(rules.routing, None, department, topics=rules.topics)
    await store.add_profile(unit.tx, name, known, unit.now)
    return known


async def revoke(unit: Unit, token_id: UUID) -> Token:
    """Let a token in no more; every process knows within a second. Raises `TokenNotFound`."""
    return await store.mark_revoked(unit.tx, token_id, unit.now)


async def do_once(unit: Unit, call: Repeatable, work: Callable[[Unit], Awaitable[Answer]]) -> Answer:
    """Do the work unless this call was made before, and keep its answer in the work's own transaction.

    So an answer is kept exactly when the work was done: work that raises keeps nothing and may be tried again with
    the same key. Raises `IdempotencyKeyInFlight`, `IdempotencyKeyReused` and whatever the work raises.
    """
    if not await store.claim_key(unit.tx, call.token_id, call.key):
        raise IdempotencyKeyInFlight("The first call with this key is still at work; ask again in a moment.")
    kept = await store.find_answer(unit.tx, call.token_id, call.key)
    if kept is not None:
        if kept.fingerprint != call.fingerprint:
            raise IdempotencyKeyReused("This key was used for another call; take a new key for each new call.")
        return Answer(kept.status, kept.answer, replayed=True)
    answer = await work(unit)
    kept = KeptAnswer(call.token_id, call.key, call.fingerprint, answer.status, answer.sealed, unit.now)
    await store.add_answer(unit.tx, kept)
    return answer


async def forget_answers(unit: Unit) -> int:
    """Chore: drop kept answers after a day; returns how many."""
    return await store.purge_answers(unit.tx, ANSWERS_KEPT)


def _issued(
    role: Role,
    name: str,
    department: str | None,
    now: datetime,
    expires_at: datetime | None = None,
    secret: str | None = None,
) -> Issued:
    token = Token(new_id(), name, role, department, created_at=now, expires_at=expires_at)
    return Issued(token, secret or new_secret(prefix(role)))
