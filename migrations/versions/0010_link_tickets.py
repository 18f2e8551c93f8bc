"""Let tickets be linked, and found by those that they were merged into or follow.

Indexes are built beside the traffic; one that an attempt before left unfinished makes room first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    with op.get_context().autocommit_block():
        for name in ("previous_id", "merged_into_id"):
            op.drop_index(f"ix_ticket_{name}", table_name="ticket", if_exists=True, postgresql_concurrently=True)
            op.create_index(
                f"ix_ticket_{name}",
                "ticket",
                [name],
                postgresql_where=sa.text(f"{name} is not null"),
                postgresql_concurrently=True,
            )
    op.create_table(
        "ticket_link",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ticket_id < other_id", name=op.f("ck_ticket_link_order")),
        sa.ForeignKeyConstraint(["other_id"], ["ticket.id"], name=op.f("fk_ticket_link_other_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_link_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "other_id", name=op.f("pk_ticket_link")),
    )
    op.create_index("ix_ticket_link_other_id", "ticket_link", ["other_id"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_table("ticket_link")
    op.drop_index("ix_ticket_previous_id", table_name="ticket")
    op.drop_index("ix_ticket_merged_into_id", table_name="ticket")
