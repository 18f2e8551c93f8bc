"""Clocks climb ladders: what they climb to next, and the rungs that were reached."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("clock", sa.Column("climb_at", sa.DateTime(timezone=True)))
    op.add_column("clock", sa.Column("climbed", sa.Interval()))
    op.create_table(
        "rung",
        sa.Column("clock_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("does", sa.Text(), nullable=False),
        sa.Column("aim", sa.Text(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tell_at", sa.DateTime(timezone=True)),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.Text()),
        sa.ForeignKeyConstraint(["clock_id"], ["clock.id"], name="fk_rung_clock_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_rung_ticket_id"),
        sa.PrimaryKeyConstraint("clock_id", "name", name="pk_rung"),
        sa.UniqueConstraint("id", name="uq_rung_id"),
    )
    op.create_index("ix_rung_tell_at", "rung", ["tell_at"], postgresql_where=sa.text("tell_at is not null"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_table("rung")
    op.drop_column("clock", "climbed")
    op.drop_column("clock", "climb_at")
