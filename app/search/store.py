"""Searching in PostgreSQL: the tickets on which something matches, the newest match first, and what it says.

Knows two ways to the same answer and what they cost. Walking back from the newest post soon fills a page with a word
that many use, and finds nothing of one that nobody used lately; the index finds rare words at once, and would fetch a
tenth of the table for a frequent one. So a search walks a little, on from there when a page is to be expected soon,
then asks the index, and where the index has too much to tell walks on, so far and no further: what one call costs is
bounded whatever is asked. Refuses to know how what was typed is read (question) and who may ask.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.kit.db import Reading, Values
from app.kit.errors import Invalid
from app.mentions.tables import NAMES
from app.search.excerpt import BLANK, JOINTS, START, STOP
from app.search.question import Question

MOST_NAMESAKES = 1_000  # people; a name that more have tells nobody apart
LONGEST = 10_000  # characters of a post in which matches are marked
FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)


class NothingToLookFor(Invalid):
    """Words that every Dutch text holds, or only what a text must not hold."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many posts a first walk passes, how many matches the index is asked for, how many posts any walk passes.

    A word that one post in 60 holds fills a page of 50 in the first walk, one in 400 in the second.
    """

    near: int = 3_000
    found: int = 3_000
    far: int = 30_000

    def enough(self, near: int, limit: int) -> int:
        """How many posts hold a page, by what was found near: half as many again as would do if all went on so."""
        return self.near * limit * 3 // (2 * near) if near else sys.maxsize


@dataclass(frozen=True, slots=True)
class Among:
    """Which tickets count: every dimension that is not empty must hold, with any one of its values.

    `within` is no question but a limit: the department that asks finds no ticket of another.
    """

    state: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """After which match a page begins, and the newest match that the search knows: later ones are another search's."""

    match_id: UUID
    ticket_id: UUID
    newest_id: UUID


@dataclass(frozen=True, slots=True)
class Match:
    """The newest post or reply of a ticket that matches. Ids are UUIDv7, so their order is that of arrival."""

    id: UUID
    ticket_id: UUID


@dataclass(frozen=True, slots=True)
class Found:
    """A page. `after` is where the next one begins, None at the end; before it there may be few matches, or none."""

    matches: tuple[Match, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class Told:
    """What a match says. `kind` is post, reply, or name where a post was found by who wrote it.

    `marked` is the same text with every match between marks, for `excerpt`.
    """

    kind: str
    by: str | None
    at: datetime
    text: str
    marked: str


@dataclass(frozen=True, slots=True)
class Sought:
    """A question as PostgreSQL compares it: stems, a name and a number, of which any may match.

    `loosely` are the stems of both languages in any order, and without what must not be there: all that the index can
    find by itself. Whether words follow each other every text has to tell, so that is what a question costs.
    """

    dutch: str = ""
    english: str = ""
    loosely: tuple[str, str] = ("", "")
    name: str = ""
    number: int | None = None


# The words in the stems of each language; empty where nothing is left to look for that the index could find. Until the
# transaction ends no table is read from end to end: the planner would where it takes a rare word for a frequent one.
_READ = """
    SELECT CASE WHEN querytree(dutch) IN ('', 'T') THEN '' ELSE dutch::text END AS dutch,
           CASE WHEN querytree(english) IN ('', 'T') THEN '' ELSE english::text END AS english,
           regexp_replace(querytree(dutch), '<(-|\\d+)>', '&', 'g') AS loosely_dutch,
           regexp_replace(querytree(english), '<(-|\\d+)>', '&', 'g') AS loosely_english,
           to_tsquery('simple', $2)::text AS name,
           set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)
    FROM websearch_to_tsquery('dutch', $1) AS dutch, websearch_to_tsquery('english', $1) AS english"""

_BACK = "SELECT id FROM mention WHERE id <= $1 ORDER BY id DESC OFFSET $2 LIMIT 1"

# $1 and $2 are the stems, $3 the name, $4 and $5 the place, $6 the oldest match, $7 the newest, $8 on the filters.
_POST_SAYS = "(({0}.language IS DISTINCT FROM 'en' AND {0}.search @@ $1) OR ({0}.language = 'en' AND {0}.search @@ $2))"
_REPLY_SAYS = "({0}.search @@ $1 OR {0}.search @@ $2)"
_POST_LOOSELY, _REPLY_LOOSELY = (says.replace("$1", "$15").replace("$2", "$16") for says in (_POST_SAYS, _REPLY_SAYS))
_NAMESAKES = f"SELECT id FROM author WHERE {NAMES} @@ $3 LIMIT {MOST_NAMESAKES}"  # noqa: S608 - made of our own parts
_POST_MATCHES = f"({_POST_SAYS} OR {{0}}.author_id IN ({_NAMESAKES}))"

# OFFSET 0 keeps the planner from turning a walk into a use of the index: it cannot know how far a walk will go.
_WALKED = f"""
    SELECT id, NULL::uuid AS ticket_id
    FROM (SELECT id, language, author_id, search FROM mention WHERE id BETWEEN $6 AND $4 ORDER BY id DESC OFFSET 0) m
    WHERE {_POST_MATCHES.format("m")}
    UNION ALL
    SELECT id, ticket_id
    FROM (SELECT id, ticket_id, search FROM reply WHERE id BETWEEN $6 AND $4 ORDER BY id DESC OFFSET 0) r
    WHERE {_REPLY_SAYS.format("r")}"""  # noqa: S608 - made of our own parts

# What the index has by the stems alone, each text looked at once: whether it says the words as they were asked for
# stands beside it. Where that is more than it may have ($17), nothing is made of it.
_PICKED = f"""
    SELECT id, NULL::uuid AS ticket_id, {_POST_SAYS.format("m")} AS says
    FROM (SELECT id, language, search FROM mention m WHERE {_POST_LOOSELY.format("m")} LIMIT $17 + 1) m
    UNION ALL
    SELECT id, ticket_id, {_REPLY_SAYS.format("r")}
    FROM (SELECT id, ticket_id, search FROM reply r WHERE {_REPLY_LOOSELY.format("r")} LIMIT $17 + 1) r"""  # noqa: S608 - made of our own parts
_INDEXED = f"""
    SELECT id, ticket_id FROM picked WHERE says AND (SELECT matches FROM counted) <= $17
    UNION
    SELECT on_ticket.mention_id, NULL FROM ticket t JOIN ticket_mention on_ticket ON on_ticket.ticket_id = t.id
    WHERE t.author_id = ANY(ARRAY({_NAMESAKES})) AND (SELECT matches FROM counted) <= $17"""  # noqa: S608 - made of our own parts

# Matches are put in order first, so that tickets are only looked at until the page is full. A ticket stands where its
# newest match is; posts of one that was merged stand on the one that it is a part of.
_PAGE = f"""
    WITH said AS MATERIALIZED ({{0}}),
    ordered AS (SELECT id, ticket_id FROM said WHERE id BETWEEN $6 AND $4 ORDER BY id DESC OFFSET 0)
    SELECT ordered.id, t.id AS ticket_id
    FROM ordered
    LEFT JOIN ticket_mention on_ticket ON on_ticket.mention_id = ordered.id
    JOIN ticket t ON t.id = coalesce(ordered.ticket_id, on_ticket.ticket_id)
    WHERE (ordered.id, t.id) < ($4, $5)
      AND (cardinality($8::text[]) = 0 OR t.state = ANY($8))
      AND (cardinality($9::text[]) = 0 OR t.department = ANY($9))
      AND (cardinality($10::text[]) = 0 OR t.topic = ANY($10))
      AND (cardinality($11::text[]) = 0 OR t.channel = ANY($11))
      AND ($12::text IS NULL OR t.department = $12)
      AND t.number IS DISTINCT FROM $13
      AND (t.merged_into_id IS NULL OR ordered.ticket_id IS NOT NULL)
      AND NOT EXISTS (
          SELECT FROM ticket_mention also JOIN mention later ON later.id = also.mention_id
          WHERE also.ticket_id = t.id AND later.id > ordered.id AND later.id <= $7 AND {_POST_MATCHES.format("later")})
      AND NOT EXISTS (
          SELECT FROM reply later
          WHERE later.ticket_id = t.id AND later.id > ordered.id AND later.id <= $7 AND {_REPLY_SAYS.format("later")})
    ORDER BY ordered.id DESC, t.id DESC LIMIT $14"""  # noqa: S608 - made of our own parts
_WALK = _PAGE.format(_WALKED)
_ASK_INDEX = f"""
    WITH picked AS MATERIALIZED ({_PICKED}), counted AS MATERIALIZED (SELECT count(*) AS matches FROM picked),
    page AS ({_PAGE.format(_INDEXED)})
    SELECT counted.matches, page.id, page.ticket_id FROM counted LEFT JOIN page ON true
    ORDER BY page.id DESC, page.ticket_id DESC"""  # noqa: S608 - made of our own parts

_MARKS = f"HighlightAll=true, StartSel={START}, StopSel={STOP}"
_TELL = f"""
    SELECT id, kind, by, at, text,
           CASE WHEN english THEN ts_headline('english', plain, $2::tsquery, '{_MARKS}')
                ELSE ts_headline('dutch', plain, $1::tsquery, '{_MARKS}') END AS marked
    FROM (
        SELECT m.id, CASE WHEN {_POST_SAYS.format("m")} THEN 'post' ELSE 'name' END AS kind,
               coalesce(a.handle, a.display_name) AS by, m.posted_at AS at,
               m.language IS NOT DISTINCT FROM 'en' AS english,
               left(concat_ws(E'\\n', m.title, m.text), {LONGEST}) AS text
        FROM mention m JOIN author a ON a.id = m.author_id WHERE m.id = ANY($3)
        UNION ALL
        SELECT id, 'reply', actor, queued_at, NOT search @@ $1, left(text, {LONGEST})
        FROM reply WHERE id = ANY($3)) said,
        translate(text, '{JOINTS}', '{BLANK}') AS plain"""  # noqa: S608 - made of our own parts

_NUMBERED = """
    SELECT t.id AS ticket_id, max(on_ticket.mention_id::text)::uuid AS id
    FROM ticket t JOIN ticket_mention on_ticket ON on_ticket.ticket_id = t.id
    WHERE t.number = $1 AND ($2::text IS NULL OR t.department = $2) GROUP BY t.id"""


async def get_sought(tx: Reading, question: Question) -> Sought:
    """Raises `NothingToLookFor`."""
    (read,) = await tx.fetch(_READ, question.words or "", question.name or "")
    if question.words is not None and not read["dutch"]:
        # What only English leaves out, such as "down", tells something in a Dutch text.
        raise NothingToLookFor(
            "Add a word, a name or a number to look for: small words such as 'de' or 'niet' stand in every text, and "
            "what is to be left out (-) leaves everything else.",
            field="q",
        )
    loosely = (read["loosely_dutch"], read["loosely_english"] if read["english"] else "")
    return Sought(read["dutch"], read["english"], loosely, read["name"], question.number)


async def list_matches(
    tx: Reading,
    sought: Sought,
    among: Among,
    *,
    limit: int,
    before: Place,
    since: UUID = FIRST,
    bounds: Bounds = Bounds(),
) -> Found:
    """A page of tickets, the newest match first. `since` is the oldest id that counts.

    Tickets are in one order whatever happens meanwhile, and none comes twice: matches that are newer than the first
    page are not looked at.
    """
    matches, floor = await _walk(tx, sought, among, bounds.near, limit, before, since)
    enough = bounds.enough(len(matches), limit)
    if len(matches) < limit and floor > since and enough <= bounds.far:
        matches, floor = await _walk(tx, sought, among, enough, limit, before, since)
    if len(matches) < limit and floor > since:
        given = _given(sought, among, limit, before, since)
        rows = await tx.fetch(_ASK_INDEX, *given, *sought.loosely, bounds.found)
        if rows[0]["matches"] > bounds.found:
            matches, floor = await _walk(tx, sought, among, bounds.far, limit, before, since)
        else:
            matches, floor = tuple(_match(row) for row in rows if row["id"] is not None), since
    newest = before.newest_id
    if newest == LAST:
        newest = matches[0].id if matches else floor
    if len(matches) == limit:
        return Found(matches, Place(matches[-1].id, matches[-1].ticket_id, newest))
    return Found(matches, Place(floor, FIRST, newest) if floor > since else None)


async def find_numbered(tx: Reading, sought: Sought, within: str | None) -> Match | None:
    """The ticket with the number that was asked for, if one was, with its newest post."""
    if sought.number is None:
        return None
    rows = await tx.fetch(_NUMBERED, sought.number, within)
    return _match(rows[0]) if rows else None


async def list_told(tx: Reading, sought: Sought, matches: Sequence[Match]) -> Mapping[UUID, Told]:
    """What each match says, by its id."""
    rows = await tx.fetch(_TELL, sought.dutch, sought.english, [match.id for match in matches])
    return {row["id"]: Told(row["kind"], row["by"], row["at"], row["text"], row["marked"]) for row in rows}


async def _walk(
    tx: Reading, sought: Sought, among: Among, posts: int, limit: int, before: Place, since: UUID
) -> tuple[tuple[Match, ...], UUID]:
    """What matches among so many posts and the replies of that time, and the oldest id that was looked at."""
    back = await tx.fetch(_BACK, before.match_id, posts)
    floor = max(back[0]["id"], since) if back else since
    rows = await tx.fetch(_WALK, *_given(sought, among, limit, before, floor))
    return tuple(_match(row) for row in rows), floor


def _given(sought: Sought, among: Among, limit: int, before: Place, floor: UUID) -> tuple[Any, ...]:
    """The values of a page's statement, in their order."""
    return (
        sought.dutch,
        sought.english,
        sought.name,
        before.match_id,
        before.ticket_id,
        floor,
        before.newest_id,
        among.state,
        among.department,
        among.topic,
        among.channel,
        among.within,
        sought.number,
        limit,
    )


def _match(row: Values) -> Match:
    return Match(row["id"], row["ticket_id"])
