"""Add to events the version that they led to and what they changed.

The last event of each ticket is given all that stands, so that history from here on leads to the present.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("event", sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("event", sa.Column("changes", postgresql.JSONB(), nullable=True))
    op.execute(
        "UPDATE event SET version = t.version, changes = jsonb_build_object('merged_into_id', t.merged_into_id,"
        " 'state', t.state, 'topic', t.topic, 'confidence', t.confidence, 'department', t.department,"
        " 'stage', t.stage, 'arm', t.arm, 'priority', t.priority, 'tags', t.tags, 'assignee', t.assignee,"
        " 'snoozed_until', t.snoozed_until, 'wait_until', t.wait_until, 'resolved_at', t.resolved_at,"
        " 'resolution', t.resolution, 'close_at', t.close_at, 'closed_at', t.closed_at, 'escalated', t.escalated,"
        " 'custody', (SELECT jsonb_build_object('kept', 0, 'added', jsonb_agg(jsonb_build_object("
        " 'holder', c.holder, 'department', c.department, 'since', c.since) ORDER BY c.position))"
        " FROM custody c WHERE c.ticket_id = t.id))"
        " FROM ticket t WHERE event.ticket_id = t.id AND event.sequence = t.sequence"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_column("event", "changes")
    op.drop_column("event", "version")
