"""Create the tables of escalations and incidents.

Expand, backfill, contract: the program before this revision must still run after it. Build indexes of live tables
concurrently, in `op.get_context().autocommit_block()`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("observed", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("chance", sa.Float(), nullable=False),
        sa.Column("quiet_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("lesson", sa.Text(), nullable=True),
        sa.CheckConstraint("scope in ('topic', 'account', 'area')", name=op.f("ck_incident_scope")),
        sa.CheckConstraint("state in ('open', 'closed')", name=op.f("ck_incident_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index("ix_incident_subject", "incident", ["scope", "name", "closed_at"], unique=False)
    op.create_index(
        "uq_incident_open_subject",
        "incident",
        ["scope", "name"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "sweep",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slot_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sweep")),
    )
    op.create_table(
        "volume",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hour_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", "hour_at", name=op.f("pk_volume")),
    )
    op.create_index("ix_volume_hour_at", "volume", ["hour_at"], unique=False)
    op.create_table(
        "incident_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("texts", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_statement_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_statement")),
    )
    op.create_index("ix_incident_statement_incident_id", "incident_statement", ["incident_id", "id"], unique=False)
    op.create_table(
        "escalation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("lesson", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('raised', 'acknowledged', 'closed')", name=op.f("ck_escalation_state")),
        sa.CheckConstraint("num_nonnulls(ticket_id, incident_id) = 1", name=op.f("ck_escalation_one_subject")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_escalation_incident_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_escalation_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation")),
    )
    op.create_index(
        "ix_escalation_open", "escalation", ["id"], unique=False, postgresql_where=sa.text("state <> 'closed'")
    )
    op.create_index("ix_escalation_ticket_id", "escalation", ["ticket_id"], unique=False)
    op.create_index(
        "uq_escalation_open_incident",
        "escalation",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index(
        "uq_escalation_open_ticket",
        "escalation",
        ["ticket_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "incident_mention",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("mention_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("proves", sa.Boolean(), nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_mention_incident_id")),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"], name=op.f("fk_incident_mention_mention_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_incident_mention_ticket_id")),
        sa.PrimaryKeyConstraint("incident_id", "mention_id", name=op.f("pk_incident_mention")),
    )
    op.create_index("ix_incident_mention_ticket_id", "incident_mention", ["ticket_id"], unique=False)
    op.create_table(
        "incident_saying",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("reply_id", sa.Uuid(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["incident_statement.id"], name=op.f("fk_incident_saying_statement_id")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_incident_saying_ticket_id")),
        sa.PrimaryKeyConstraint("statement_id", "ticket_id", name=op.f("pk_incident_saying")),
    )
    op.create_table(
        "embargo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fallback_text", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapsed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.CheckConstraint("num_nonnulls(ticket_id, topic, incident_id) = 1", name=op.f("ck_embargo_one_scope")),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalation.id"], name=op.f("fk_embargo_escalation_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_embargo_incident_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_embargo_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_embargo")),
    )
    op.create_index("ix_embargo_escalation_id", "embargo", ["escalation_id"], unique=False)
    op.create_index(
        "uq_embargo_incident", "embargo", ["incident_id"], unique=True, postgresql_where=sa.text("released_at is null")
    )
    op.create_index(
        "uq_embargo_ticket", "embargo", ["ticket_id"], unique=True, postgresql_where=sa.text("released_at is null")
    )
    op.create_index(
        "uq_embargo_topic", "embargo", ["topic"], unique=True, postgresql_where=sa.text("released_at is null")
    )
    op.create_table(
        "escalation_reason",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalation.id"], name=op.f("fk_escalation_reason_escalation_id")),
        sa.PrimaryKeyConstraint("subject_id", "code", name=op.f("pk_escalation_reason")),
    )
    op.create_index("ix_escalation_reason_escalation_id", "escalation_reason", ["escalation_id"], unique=False)
    op.add_column(
        "ticket", sa.Column("escalated_for", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    )
    op.add_column("ticket", sa.Column("signals", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_column("ticket", "signals")
    op.drop_column("ticket", "escalated_for")
    op.drop_index("ix_escalation_reason_escalation_id", table_name="escalation_reason")
    op.drop_table("escalation_reason")
    op.drop_index("uq_embargo_topic", table_name="embargo", postgresql_where=sa.text("released_at is null"))
    op.drop_index("uq_embargo_ticket", table_name="embargo", postgresql_where=sa.text("released_at is null"))
    op.drop_index("uq_embargo_incident", table_name="embargo", postgresql_where=sa.text("released_at is null"))
    op.drop_index("ix_embargo_escalation_id", table_name="embargo")
    op.drop_table("embargo")
    op.drop_table("incident_saying")
    op.drop_index("ix_incident_mention_ticket_id", table_name="incident_mention")
    op.drop_table("incident_mention")
    op.drop_index("uq_escalation_open_ticket", table_name="escalation", postgresql_where=sa.text("state <> 'closed'"))
    op.drop_index("uq_escalation_open_incident", table_name="escalation", postgresql_where=sa.text("state <> 'closed'"))
    op.drop_index("ix_escalation_ticket_id", table_name="escalation")
    op.drop_index("ix_escalation_open", table_name="escalation", postgresql_where=sa.text("state <> 'closed'"))
    op.drop_table("escalation")
    op.drop_index("ix_incident_statement_incident_id", table_name="incident_statement")
    op.drop_table("incident_statement")
    op.drop_index("ix_volume_hour_at", table_name="volume")
    op.drop_table("volume")
    op.drop_table("sweep")
    op.drop_index("uq_incident_open_subject", table_name="incident", postgresql_where=sa.text("state = 'open'"))
    op.drop_index("ix_incident_subject", table_name="incident")
    op.drop_table("incident")
