"""When something was posted, in the ways in which exports write it.

Knows ISO 8601, RFC 2822, the form of Twitter's archives and seconds since 1970. Refuses to guess whether 04-05 is
April or May: a format of the caller's own says so.
"""

import re
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime

TWITTER = "%a %b %d %H:%M:%S %z %Y"  # Tue Oct 31 22:10:47 +0000 2017
_NUMBER = re.compile(r"\d{9,13}(\.\d+)?")
_MILLISECONDS = 10**11  # as seconds this is the year 5138, as milliseconds 1973
_LOOSE_OFFSET = re.compile(r" (?=(?:[+-]\d\d:?\d\d|Z)$)")  # 2015-02-24 11:15:59 -0800


def read_moment(written: str, *, date_format: str | None = None, zone: tzinfo = UTC) -> datetime:
    """The aware moment in UTC; one without an offset is of `zone`. Raises `ValueError` with what was found."""
    moment = _read(written.strip(), date_format)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:  # the year 1, which some databases write for no date at all
        raise ValueError(f"'{written.strip()[:60]}' lies before or after all years in UTC") from error


def _read(written: str, date_format: str | None) -> datetime:
    if date_format is not None:
        return datetime.strptime(written, date_format)  # noqa: DTZ007 - the caller knows the zone
    if _NUMBER.fullmatch(written):
        seconds = float(written)
        return datetime.fromtimestamp(seconds / 1000 if seconds >= _MILLISECONDS else seconds, UTC)
    for read in (_read_iso, _read_twitter, parsedate_to_datetime):
        try:
            return read(written)
        except (ValueError, IndexError, OverflowError):
            continue
    raise ValueError(f"'{written[:60]}' is no moment that is known here; say how to read it: --date-format")


def _read_iso(written: str) -> datetime:
    return datetime.fromisoformat(_LOOSE_OFFSET.sub("", written))


def _read_twitter(written: str) -> datetime:
    return datetime.strptime(written, TWITTER)  # noqa: DTZ007 - the form has an offset
