"""Calendars: when people work, and which of their hours count between two moments.

Knows how such a question is asked and answered over HTTP. Refuses to know how hours are counted (sla).
"""

from datetime import UTC, date, datetime, timedelta

from fastapi import APIRouter
from pydantic import Field

from app.access.role import Permission
from app.api.auth import allow
from app.api.fields import InModel, Instant, OutModel
from app.api.serving import Serving
from app.kit.errors import Invalid, NotFound
from app.rulebook import Rulebook
from app.rulebook.entry import Duration
from app.sla.business_time import add, elapsed, openings
from app.sla.calendar import Calendar

router = APIRouter(prefix="/api/v1/calendars", tags=["managers"])

reader = allow(Permission.READ_RULES)
LONGEST = timedelta(days=400)


class CalendarNotFound(NotFound):
    pass


class ToOrTarget(Invalid):
    """A question about a calendar names an end or a target, one of the two."""


class PeriodTooLong(Invalid):
    """More days than an answer can show."""


class CalendarOut(OutModel):
    name: str = Field(examples=["office"])
    zone: str = Field(description="IANA time zone in which its hours are written", examples=["Europe/Amsterdam"])


class CalendarsOut(OutModel):
    items: list[CalendarOut]


class ExplainIn(InModel):
    """From a moment either to another one, or until a target is used up."""

    from_: Instant = Field(alias="from", description="Where counting begins", examples=["2026-12-24T11:00:00Z"])
    to: Instant | None = Field(None, description="Not included", examples=["2026-12-28T10:00:00Z"])
    target: Duration | None = Field(
        None, description="Business time, in the words of sla.yaml", json_schema_extra={"type": "string"}
    )


class OpenOut(OutModel):
    """A stretch that counts: somebody is at work from `start` until just before `end`."""

    start: datetime
    end: datetime
    seconds: float = Field(examples=[12600.0])


class DayOut(OutModel):
    """A local date, the hours that begin on it, and why those."""

    day: date
    hours: list[str] = Field(description="Local time; none: closed", examples=[["09:00-12:30"]])
    because: str = Field(examples=["this date has its own hours every year"])


class ExplainedOut(OutModel):
    calendar: str
    zone: str
    from_: datetime = Field(alias="from")
    to: datetime = Field(description="As asked, or when the target is used up: the due moment")
    elapsed_seconds: float = Field(description="Business time: the seconds of `intervals` together")
    intervals: list[OpenOut] = Field(description="What counted, in order; what touches is one")
    days: list[DayOut] = Field(description="Every local date in the period")


@router.get("", dependencies=[reader], summary="List calendars")
async def list_calendars(runtime: Serving) -> CalendarsOut:
    """The names that promises and windows are written with, and their time zones: all that the rules have, unpaged."""
    known = runtime.rulebook.calendars.values()
    return CalendarsOut(items=[CalendarOut(name=one.name, zone=one.zone.key) for one in known])


@router.post("/{name}/explain", dependencies=[reader], summary="Explain which hours count")
async def explain_calendar(runtime: Serving, name: str, asked: ExplainIn) -> ExplainedOut:
    """The stretches that count from a moment to another one, or until a target is used up, and why each day is so."""
    calendar = _calendar(runtime.rulebook, name)
    end = _end(calendar, asked)
    spans = openings(calendar, asked.from_, end)
    return ExplainedOut.model_validate(
        {
            "calendar": calendar.name,
            "zone": calendar.zone.key,
            "from": asked.from_,
            "to": end,
            "elapsed_seconds": elapsed(calendar, asked.from_, end).total_seconds(),
            "intervals": [
                {"start": opens, "end": closes, "seconds": (closes - opens).total_seconds()} for opens, closes in spans
            ],
            "days": _days(calendar, asked.from_, end),
        }
    )


def _calendar(rules: Rulebook, name: str) -> Calendar:
    if name not in rules.calendars:
        raise CalendarNotFound(f"There is no calendar {name!r} here; there are: {', '.join(rules.calendars)}.")
    return rules.calendars[name]


def _end(calendar: Calendar, asked: ExplainIn) -> datetime:
    if (asked.to is None) == (asked.target is None):
        raise ToOrTarget("Name an end or a target, one of the two.", field="to")
    if asked.target is not None and asked.target <= LONGEST:
        end = add(calendar, asked.from_, asked.target)
    else:
        end = asked.to or datetime.max.replace(tzinfo=UTC)
    if end < asked.from_:
        raise ToOrTarget("The end must not lie before `from`.", field="to")
    if end - asked.from_ > LONGEST:
        raise PeriodTooLong(f"Ask for at most {LONGEST.days} days at a time.", field="to", longest_days=LONGEST.days)
    return end


def _days(calendar: Calendar, start: datetime, end: datetime) -> list[DayOut]:
    first, last = (moment.astimezone(calendar.zone).date() for moment in (start, end))
    dates = (first + timedelta(days=number) for number in range((last - first).days + 1))
    told = ((day, calendar.on(day)) for day in dates)
    return [DayOut(day=day, hours=[str(hours) for hours in on.hours], because=on.because) for day, on in told]
