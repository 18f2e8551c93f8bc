"""Every table that there is, in one place for Alembic. Knows the stages' tables; refuses to know anything else."""

import app.access.tables
import app.answers.tables
import app.channels.tables
import app.delivery.tables
import app.escalation.tables
import app.feedback.tables
import app.mentions.tables
import app.reports.tables
import app.routing.tables
import app.sla.tables
import app.tickets.tables
import app.topics.tables  # noqa: F401 - importing a table registers it
from app.kit.db import metadata

__all__ = ["metadata"]
