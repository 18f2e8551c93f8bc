"""A clock that stands still until it is moved; and a moment by the clock that no test moves, the database's."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func

MORNING = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)  # a Wednesday in business hours, 11:00 in Amsterdam

# What a test makes due is due for longer than just now: a machine may set its clock back between two statements.
MOMENT = timedelta(seconds=1)
AN_HOUR_AGO = func.now() - timedelta(hours=1)


class Clock:
    def __init__(self, at: datetime = MORNING) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **duration: float) -> datetime:
        self.at += timedelta(**duration)
        return self.at
