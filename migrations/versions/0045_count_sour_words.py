"""Count posts in sour words beside the decisions of each day, and let them raise an alarm."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_KINDS = "kind in ('grows', 'unsure', 'corrected', 'handed_back', {}'detractors')"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("certainty", sa.Column("sour", sa.Integer(), nullable=True))
    _allow(_KINDS.format("'sour', "))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("DELETE FROM alarm WHERE kind = 'sour'")
    _allow(_KINDS.format(""))
    op.drop_column("certainty", "sour")


def _allow(kinds: str) -> None:
    op.drop_constraint(op.f("ck_alarm_kind"), "alarm", type_="check")
    op.create_check_constraint(op.f("ck_alarm_kind"), "alarm", kinds)
