"""Two years of tickets that nobody worked on, written by PostgreSQL itself: what `benchmarks.reports` counts.

Knows how usual tickets look to reports: placed by rules that hand over, handed back now and then and placed again, so
that a topic has several departments; answered, settled, asked about. Refuses to know posts, replies' texts and people:
conversations are shared and mentions absent, since counting reads neither.
"""

import asyncio
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from app.reports.question import midnight

ZONE = ZoneInfo("Europe/Amsterdam")  # of the rules that come along
DAYS = 730
TOGETHER = 10_000  # tickets in one transaction
WRITERS = 2

# Drawn once for each ticket; everything below is made of it. Topics, priorities and accounts are as uneven as they
# are in life: the first of them have most. Durations are lognormal, in seconds.
_DRAWN = """
    CREATE TEMP TABLE drawn ON COMMIT DROP AS
    WITH thrown AS MATERIALIZED (
        SELECT n, $1::timestamptz + make_interval(secs => (n + random()) * $2) AS opened_at,
            least(17, floor(-4 * ln(1 - random())))::int AS topic, floor(6 * random())::int AS channel,
            floor(178 * random() * random())::int AS account, floor(60 * random())::int AS agent,
            random() AS priority, random() AS source, random() AS back, random() AS again, random() AS arm,
            random() AS language, random() AS asked, floor(11 * random())::int AS score,
            make_interval(secs => exp(7.6 + 1.2 * random_normal())) AS replying,
            make_interval(secs => exp(9.6 + 1.2 * random_normal())) AS settling,
            make_interval(secs => exp(6.6 + 1.0 * random_normal())) AS accepting
        FROM generate_series($3::bigint, $4::bigint - 1) AS n),
    placed AS (
        SELECT *, (topic + channel / 4) % 7 AS owner, (topic + 1 + agent) % 7 AS next_owner,
            CASE topic % 5 WHEN 0 THEN 'live' WHEN 1 THEN 'advise' WHEN 4 THEN 'central' ELSE 'pilot' END AS stage,
            CASE WHEN topic % 5 IN (2, 3) THEN CASE WHEN arm < 0.5 THEN 'first_hand' ELSE 'control' END END AS in_arm
        FROM thrown),
    routed AS (
        SELECT *, stage <> 'central' AS handed, stage <> 'central' AND back < 0.1 AS returned,
            opened_at + CASE WHEN source < 0.1 THEN accepting ELSE interval '0' END AS routed_at
        FROM placed)
    SELECT n, uuidv7(opened_at - clock_timestamp()) AS id, opened_at, routed_at, accepting, handed, returned, source,
        stage, in_arm, asked, score, again < 0.3 AS asked_more,
        'topic_' || topic AS topic,
        (ARRAY['x', 'facebook', 'instagram', 'whatsapp', 'forum', 'bluesky'])[1 + channel] AS channel,
        '@account_' || account AS account,
        (ARRAY['supply_chain', 'billing', 'network', 'sales', 'webcare', 'retention', 'legal'])[1 + owner] AS owner,
        (ARRAY['supply_chain', 'billing', 'network', 'sales', 'webcare', 'retention', 'legal'])[
            1 + CASE WHEN returned THEN next_owner ELSE owner END] AS department,
        (ARRAY['urgent', 'high', 'normal', 'low'])[
            CASE WHEN priority < 0.05 THEN 1 WHEN priority < 0.2 THEN 2 WHEN priority < 0.8 THEN 3 ELSE 4 END
        ] AS priority,
        'agent:' || agent AS agent,
        CASE WHEN language < 0.8 THEN 'nl' WHEN language < 0.9 THEN 'en' END AS language,
        routed_at + accepting AS accepted_at,
        routed_at + accepting + replying AS replied_at,
        routed_at + accepting + replying + settling AS resolved_at
    FROM routed"""
_TICKETS = """
    INSERT INTO ticket (id, number, conversation_id, author_id, channel, account, language, visibility, state, holder,
        topic, confidence, department, stage, arm, priority, tags, assignee, opened_at, resolved_at, closed_at,
        escalated, due, urgent_at, sequence, version)
    SELECT id, 1000 + n, c.conversation_id, c.author_id, channel, account, language, 'public', 'closed', 'nobody',
        topic, 0.9, department, stage, in_arm, priority, '[]', agent, opened_at, resolved_at, resolved_at,
        false, '{}', opened_at, 11, 11
    FROM drawn, (SELECT id AS conversation_id, author_id FROM conversation LIMIT 1) AS c"""
_EVENTS = """
    INSERT INTO event (ticket_id, sequence, id, type, actor, at, data)
    SELECT id, sequence, uuidv7(), type, 'system', at, data FROM drawn, LATERAL (VALUES
        (1, 'mention.received', opened_at, '{}'::jsonb, true),
        (2, 'ticket.opened', opened_at, jsonb_build_object('topic', topic), true),
        (3, 'ticket.routed', routed_at, jsonb_build_object('topic', topic, 'stage', stage, 'arm', in_arm,
            'department', owner, 'rule', CASE WHEN source < 0.8 THEN 'ownership:' ELSE 'route:' END || topic), true),
        (4, 'ticket.accepted', accepted_at, '{}', handed),
        (5, 'ticket.handed_back', accepted_at, jsonb_build_object('department', owner, 'code', 'wrong_topic'),
            returned),
        (6, 'ticket.routed', accepted_at, jsonb_build_object('topic', topic, 'stage', stage, 'arm', in_arm,
            'department', department, 'rule', 'route:again'), returned),
        (7, 'ticket.replied', replied_at,
            CASE WHEN stage = 'live' THEN jsonb_build_object('department', department) ELSE '{}' END, true),
        (8, 'mention.received', replied_at + accepting, '{}', asked_more),
        (9, 'ticket.replied', resolved_at, '{}', asked_more),
        (10, 'ticket.resolved', resolved_at, jsonb_build_object('code', 'solved'), true),
        (11, 'ticket.closed', resolved_at, '{}', true)
    ) AS e (sequence, type, at, data, happened) WHERE happened ORDER BY n, sequence"""
_CUSTODY = """
    INSERT INTO custody (ticket_id, position, holder, department, since)
    SELECT id, position, holder, of, since FROM drawn, LATERAL (VALUES
        (0, CASE WHEN source < 0.1 THEN 'triage' ELSE 'webcare' END, NULL, opened_at, source < 0.1 OR NOT handed),
        (1, 'department', owner, routed_at, handed),
        (2, 'department', department, accepted_at, returned),
        (3, 'customer', NULL, replied_at, true),
        (4, 'webcare', NULL, replied_at + accepting, asked_more),
        (5, 'customer', NULL, resolved_at, asked_more),
        (6, 'nobody', NULL, resolved_at + interval '3 days', true)
    ) AS c (position, holder, of, since, had) WHERE had ORDER BY n, position"""
_CLOCKS = """
    INSERT INTO clock (id, ticket_id, metric, round, department, policy, state, started_at, ended_at, breached_at,
        elapsed)
    SELECT uuidv7(), id, metric, round, of, '{}', CASE WHEN until - since > target THEN 'breached' ELSE 'met' END,
        since, until, CASE WHEN until - since > target THEN since + target END, (until - since) * 0.6
    FROM drawn, LATERAL (VALUES
        ('first_reply', 1, NULL, opened_at, replied_at, interval '2 hours', true),
        ('resolution', 1, NULL, opened_at, resolved_at, interval '16 hours', true),
        ('acceptance', 1, owner, routed_at, accepted_at, interval '30 minutes', handed),
        ('ownership', 1, owner, routed_at, accepted_at, interval '4 hours', returned),
        ('acceptance', 2, department, accepted_at, replied_at, interval '30 minutes', returned),
        ('ownership', 2, department, CASE WHEN returned THEN accepted_at ELSE routed_at END, replied_at,
            interval '4 hours', handed)
    ) AS k (metric, round, of, since, until, target, ran) WHERE ran ORDER BY n, metric, round"""
_INVITATIONS = """
    INSERT INTO invitation (id, ticket_id, resolved_at, author_id, state, reason, language, channel, account, topic,
        department, stage, arm, priority, agent)
    SELECT id, id, resolved_at, (SELECT author_id FROM conversation LIMIT 1),
        CASE WHEN asked < 0.1 THEN 'answered' WHEN asked < 0.4 THEN 'sent' ELSE 'skipped' END,
        CASE WHEN asked >= 0.4 THEN 'cool_down' END, coalesce(language, 'nl'), channel, account, topic, department,
        stage, in_arm, priority, agent
    FROM drawn WHERE asked < 0.6"""
_RESPONSES = """
    INSERT INTO response (invitation_id, score, received_at)
    SELECT id, score, resolved_at FROM drawn WHERE asked < 0.1"""
_CONVERSATION = """
    WITH somebody AS (
        INSERT INTO author (id, channel, key, handle, verified, first_seen_at)
        VALUES (uuidv7(), 'x', 'id:somebody', 'somebody', false, now()) RETURNING id)
    INSERT INTO conversation (id, channel, thread, author_id) SELECT uuidv7(), 'x', 'somewhere', id FROM somebody"""


def day(number: int) -> datetime:
    """When a day begins, of the `DAYS` from 0 on."""
    return midnight(date(2024, 11, 1) + timedelta(days=number), ZONE)


async def write(dsn: str, tickets: int) -> None:
    """So many tickets, spread evenly over `DAYS` days, in an empty database of ours."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(_CONVERSATION)
    parts = iter([(begin, min(begin + TOGETHER, tickets)) for begin in range(0, tickets, TOGETHER)])
    await asyncio.gather(*(_write_parts(dsn, parts, DAYS * 86_400 / tickets) for _ in range(WRITERS)))
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def _write_parts(dsn: str, parts: Iterator[tuple[int, int]], apart: float) -> None:
    """Those that nobody else writes; tickets are `apart` seconds from each other."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET session_replication_role = replica")  # what is drawn needs no check of its keys
    for begin, end in parts:
        async with connection.transaction():
            await connection.execute("SELECT setseed($1)", begin / 2**31)
            await connection.execute(_DRAWN, day(0), apart, begin, end)
            for statement in (_TICKETS, _EVENTS, _CUSTODY, _CLOCKS, _INVITATIONS, _RESPONSES):
                await connection.execute(statement)
    await connection.close()
