"""How long something has waited, in bands that a meeting can speak of.

Knows the bands. Refuses to know what waits.
"""

from collections.abc import Mapping
from datetime import timedelta

# Each band ends where the next begins; the last has no end.
BANDS: Mapping[str, timedelta] = {
    "under_4h": timedelta(),
    "under_1d": timedelta(hours=4),
    "under_3d": timedelta(days=1),
    "under_7d": timedelta(days=3),
    "older": timedelta(days=7),
}
BEGINNINGS = tuple(beginning.total_seconds() for beginning in BANDS.values())


def band(number: int) -> str:
    """The name of a band by its place, counted from 1 as PostgreSQL's `width_bucket` does; 0 is of the future."""
    return list(BANDS)[max(number, 1) - 1]
