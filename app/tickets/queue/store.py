"""The queue in the database: its pages, its counts, and the next ticket to take from it.

Knows the order of urgency, which rows fit what somebody asks, and when a returning customer's ticket is kept for who
helped before. Refuses to know what a claim makes of a ticket (lifecycle) and for how long (flows).

Two hundred agents ask this all day, so a question is one statement, straight on the driver. It says which tickets it is
about (`OPEN`, `SETTLED`, `FREE`) in the words of a partial index, for PostgreSQL to see that the index has them all.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from app.kit.db import Reading, Transaction
from app.tickets.queue.wanted import DIMENSIONS, OURS, SETTLED_STATES, Values, Wanted
from app.tickets.store import list_chosen
from app.tickets.tables import ticket
from app.tickets.ticket import Ticket
from app.tickets.urgency import Pressing, Urgency, urgency

EXCERPT = 280  # characters of the customer's newest post

OPEN = "t.state NOT IN ('resolved', 'closed')"
SETTLED = "t.state IN ('resolved', 'closed')"
FREE = "t.state IN ('triage', 'routed') AND t.holder IN ('triage', 'webcare')"
UNCLAIMED = f"{OPEN} AND t.state IN ('triage', 'routed')"

LINE = ", ".join(f"t.{column.name}" for column in ticket.c if column.name != "signals")
_pressing = itemgetter(*Pressing._fields)
POST = f"""(SELECT left(m.text, {EXCERPT}) AS text, coalesce(a.handle, a.display_name) AS author
    FROM ticket_mention l JOIN mention m ON m.id = l.mention_id JOIN author a ON a.id = m.author_id
    WHERE l.ticket_id = t.id ORDER BY m.posted_at DESC, m.id DESC LIMIT 1)"""
_SAYS = """EXISTS (SELECT FROM ticket_mention l JOIN mention m ON m.id = l.mention_id WHERE l.ticket_id = t.id
    AND m.search @@ (websearch_to_tsquery('dutch', {0}) || websearch_to_tsquery('english', {0})))"""
# Who helped this customer last, on whichever ticket, and is at work: somebody at work holds a lease.
_HELPER_AT_WORK = """(SELECT w.assignee FROM ticket w
    WHERE w.state NOT IN ('resolved', 'closed') AND w.lease_until > {now} AND w.assignee = (
        SELECT p.helped_by FROM ticket p WHERE p.author_id = t.author_id AND p.helped_by IS NOT NULL
        ORDER BY p.id DESC LIMIT 1)
    LIMIT 1)"""

_ALL = 2 ** len(DIMENSIONS) - 1
# What PostgreSQL's grouping() says of a row: a bit for each dimension that it is not of; all of them for the total.
_DIMENSION_OF = {_ALL ^ (1 << bit): name for bit, name in enumerate(reversed(DIMENSIONS))}


@dataclass(frozen=True, slots=True)
class Line:
    """A ticket as the queue shows it: its row, with the beginning of the customer's newest post as `text` and its
    `author`. No `Ticket` is made of it: two hundred agents read fifty lines every few seconds.
    """

    row: Mapping[str, Any]
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tickets fit, and of these how many have which value in each dimension."""

    total: int
    by: Mapping[str, Mapping[str | None, int]]


@dataclass(slots=True)
class Question:
    """The values behind the `$1`, `$2`, ... of a statement while it is written."""

    values: list[Any] = field(default_factory=list)

    def put(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


async def list_queue(
    tx: Reading, wanted: Wanted, now: datetime, *, limit: int, after: tuple[datetime, UUID] | None = None
) -> tuple[Line, ...]:
    """The most urgent first; `after` is the (urgent_at, id) of the last one seen.

    What stands still is neither skipped nor seen twice, whatever moves meanwhile: the order is that of stored moments.
    """
    question = Question()
    fits = conditions(wanted, now, question)
    if after is not None:
        fits += f" AND (t.urgent_at, t.id) > ({question.put(after[0])}, {question.put(after[1])})"
    first = f"ORDER BY urgent_at, id LIMIT {limit:d}"  # in plain words, for a plan that reads no further
    halves = [f"(SELECT {LINE} FROM ticket t WHERE {half} AND {fits} {first})" for half in _halves(wanted)]
    sql = f"""WITH t AS MATERIALIZED (SELECT * FROM ({" UNION ALL ".join(halves)}) t {first})
        SELECT t.*, coalesce(post.text, '') AS text, post.author
        FROM t LEFT JOIN LATERAL {POST} post ON true
        ORDER BY t.urgent_at, t.id"""
    return tuple(Line(row, urgency_of(row)) for row in await tx.fetch(sql, *question.values))


def urgency_of(row: Mapping[str, Any]) -> Urgency:
    """Why a ticket of which this is the row stands where it stands."""
    return urgency(Pressing(*_pressing(row)))


async def list_counts(tx: Reading, wanted: Wanted, now: datetime) -> Counts:
    """Of open tickets, in one pass over them. A ticket counts once for each of its tags."""
    question = Question()
    fits = conditions(wanted, now, question)
    columns = {name: f"t.{name}" for name in DIMENSIONS} | {"tag": "t.tags", "overdue": _overdue(now, question)}
    chosen = ", ".join(f"{column} AS {name}" for name, column in columns.items())
    sql = f"""SELECT *, grouping({", ".join(columns)}) AS others, count(*) AS n
        FROM (SELECT {chosen} FROM ticket t WHERE {OPEN} AND {fits}) t
        GROUP BY GROUPING SETS (({"), (".join(columns)}), ())"""
    by: dict[str, Counter[str | None]] = {name: Counter() for name in columns}
    total = 0
    for row in await tx.fetch(sql, *question.values):
        if row["others"] == _ALL:
            total = row["n"]
        else:
            name = _DIMENSION_OF[row["others"]]
            by[name].update(dict.fromkeys(_values_of(name, row[name]), row["n"]))
    return Counts(total, by)


async def list_at_work(tx: Reading, now: datetime) -> dict[str, int]:
    """Who is at work, and how many tickets each of them has at hand with a lease that lasts."""
    sql = "SELECT assignee, count(*) AS n FROM ticket WHERE lease_until > $1 GROUP BY assignee"
    return {row["assignee"]: row["n"] for row in await tx.fetch(sql, now)}


async def claim_next(tx: Transaction, wanted: Wanted, actor: str, now: datetime) -> Ticket | None:
    """The most urgent ticket that fits and that nobody has, locked; tickets locked by others are passed over.

    That of a customer whom a colleague at work helped before is kept for the colleague, until it presses.
    """
    question = Question()
    free = FREE if wanted.holder == OURS else UNCLAIMED
    fits = conditions(wanted, now, question)
    moment = question.put(now)
    kept = f"t.urgent_at > {moment} AND {_HELPER_AT_WORK.format(now=moment)} <> {question.put(actor)}"
    first = "ORDER BY t.urgent_at, t.id LIMIT 1 FOR UPDATE SKIP LOCKED"
    found = await list_chosen(tx, f"WHERE {free} AND {fits} AND ({kept}) IS NOT TRUE {first}", *question.values)
    return found[0] if found else None


def _halves(wanted: Wanted) -> Iterator[str]:
    """Open tickets, unless states are asked of which some are settled: each half has its own index."""
    if not wanted.state or not SETTLED_STATES.issuperset(wanted.state):
        yield OPEN
    if not SETTLED_STATES.isdisjoint(wanted.state):
        yield SETTLED


def conditions(wanted: Wanted, now: datetime, question: Question) -> str:
    """What a ticket `t` must be to fit, as SQL over the values that are put into `question`."""
    return " AND ".join(_each(wanted, now, question))


def _each(wanted: Wanted, now: datetime, question: Question) -> Iterator[str]:
    yield f"(t.snoozed_until > {question.put(now)}) IS {_truth(wanted.snoozed)}"
    for name in DIMENSIONS:
        if not wanted.asks(name):
            continue
        if name == "tag":
            yield f"t.tags ?| {question.put(wanted.tag)}"
        elif name == "overdue":
            yield f"{_overdue(now, question)} IS {_truth(wanted.overdue)}"
        else:
            yield _one_of(f"t.{name}", getattr(wanted, name), question)
    if wanted.due_before is not None:
        yield f"t.next_due_at < {question.put(wanted.due_before)}"
    if wanted.text is not None:
        yield _SAYS.format(question.put(wanted.text))
    if wanted.within is not None:
        yield f"t.department = {question.put(wanted.within)}"


def _overdue(now: datetime, question: Question) -> str:
    return f"coalesce(t.next_due_at < {question.put(now)}, false)"


def _one_of(column: str, values: Values, question: Question) -> str:
    named = f"{column} = ANY({question.put([value for value in values if value is not None])})"
    return f"({named} OR {column} IS NULL)" if None in values else named


def _truth(wanted: bool | None) -> str:
    return "TRUE" if wanted else "NOT TRUE"


def _values_of(dimension: str, value: Any) -> Sequence[str | None]:
    """What a group counts for: one with several tags for each of them, and what is overdue as JSON has it."""
    if dimension == "tag":
        tags: Sequence[str] = value
        return tags
    return ["true" if value else "false"] if dimension == "overdue" else [value]
