"""A clock that stands still until it is moved."""

from datetime import UTC, datetime, timedelta

MORNING = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)  # a Wednesday in business hours, 11:00 in Amsterdam


class Clock:
    def __init__(self, at: datetime = MORNING) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **duration: float) -> datetime:
        self.at += timedelta(**duration)
        return self.at
