"""Index what agents take next, what they have, whose lease is over, and what is settled.

Built beside the traffic; an index that an attempt before left unfinished makes room first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_ticket_free": (["urgent_at", "id"], "state in ('triage', 'routed') and holder in ('triage', 'webcare')"),
    "ix_ticket_settled": (["urgent_at", "id"], "state in ('resolved', 'closed')"),
    "ix_ticket_assignee": (
        ["assignee", "lease_until"],
        "assignee is not null and state not in ('resolved', 'closed')",
    ),
    "ix_ticket_lease_until": (["lease_until"], "lease_until is not null"),
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    with op.get_context().autocommit_block():
        for name, (columns, rows) in INDEXES.items():
            op.drop_index(name, table_name="ticket", if_exists=True, postgresql_concurrently=True)
            op.create_index(
                name, "ticket", columns, unique=False, postgresql_where=sa.text(rows), postgresql_concurrently=True
            )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for name in INDEXES:
        op.drop_index(name, table_name="ticket")
