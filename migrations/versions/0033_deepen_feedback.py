"""Answers have a second question and a text without personal data; who is not content is followed up."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

# Answers of before: whatever looks like an address or a number goes, which takes away more than the guard would.
_MASK = r"""
    UPDATE response SET verbatim = regexp_replace(
        regexp_replace(comment, '\S+@\S+', '•••', 'g'), '[A-Za-z]{0,2}\d[\d .-]{2,}\w*', '•••', 'g')
    WHERE comment IS NOT NULL"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("response", sa.Column("effort", sa.SmallInteger(), nullable=True))
    op.add_column("response", sa.Column("verbatim", sa.Text(), nullable=True))
    op.add_column("response", sa.Column("mention_id", sa.Uuid(), nullable=True))
    op.add_column("response", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_response_effort"), "response", "effort between 1 and 7")
    op.create_foreign_key(op.f("fk_response_mention_id"), "response", "mention", ["mention_id"], ["id"])
    op.execute(_MASK)
    op.create_index(
        "ix_response_mention_id",
        "response",
        ["mention_id"],
        unique=False,
        postgresql_where=sa.text("mention_id is not null"),
    )
    op.create_index(
        "ix_response_verbatim",
        "response",
        [sa.text("to_tsvector('dutch', coalesce(verbatim, ''))")],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "follow_up",
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitation.id"], name=op.f("fk_follow_up_invitation_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_follow_up_ticket_id")),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_follow_up")),
    )
    op.create_index("ix_follow_up_ticket_id", "follow_up", ["ticket_id"], unique=False)
    op.create_index(
        "ix_follow_up_department",
        "follow_up",
        ["department", "due_at"],
        unique=False,
        postgresql_where=sa.text("done_at is null"),
    )
    op.create_index(
        "ix_follow_up_due_at",
        "follow_up",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("done_at is null and overdue_at is null"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_table("follow_up")
    op.drop_index("ix_response_verbatim", table_name="response")
    op.drop_index("ix_response_mention_id", table_name="response")
    op.drop_constraint(op.f("fk_response_mention_id"), "response", type_="foreignkey")
    op.drop_constraint(op.f("ck_response_effort"), "response", type_="check")
    for column in ("changed_at", "mention_id", "verbatim", "effort"):
        op.drop_column("response", column)
