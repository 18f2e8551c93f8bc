"""The one place that reads the clock of this machine. Knows UTC; refuses to know any calendar."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
