"""The daily meeting of departments on one page: what is hot, late, escalated, and who must do what.

Knows what stands on the page and how many lines of each. Refuses to know when something is hot or at risk. Moments are
told as durations from now, which read the same in every time zone.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from app.access.role import Caller
from app.api.fields import InModel
from app.api.reports.asking import PREFIX, Reader
from app.api.reports.backlog import ForecastIn, Tonight, gather_forecast
from app.api.reports.page import render
from app.api.reports.picture import plot
from app.api.reports.standing import ticket_url
from app.api.reports.words import Language, Speech, language_of, speak
from app.api.serving import Serving
from app.escalation.incidents.incident import Incident, IncidentState, Scope
from app.escalation.incidents.store import list_incidents
from app.escalation.volumes.store import list_days
from app.reports.dictionary import Unit
from app.reports.standing.hot import Hot, hottest
from app.reports.standing.store import (
    AtRisk,
    Ball,
    Escalated,
    Late,
    list_at_risk,
    list_balls,
    list_escalated,
    list_late,
)
from app.reports.tally.store import get_ledger
from app.rulebook import Rulebook
from app.tickets.custody import Holder

router = APIRouter(prefix=PREFIX)

SOON = timedelta(hours=4)
LINES = 15  # of a list, before a meeting loses itself in it


class TodayIn(InModel):
    lang: Language | None = Field(None, description="Left out: `Accept-Language`, else Dutch")


@router.get("/today", response_class=HTMLResponse, summary="The daily meeting on a page")
async def read_today(
    caller: Reader, runtime: Serving, request: Request, asked: Annotated[TodayIn, Query()]
) -> HTMLResponse:
    """What is hot, late and escalated, who must do what, and how much will wait tonight; as it stands."""
    now, rules, department = runtime.now(), runtime.rulebook, caller.department
    speech = speak(language_of(request, asked.lang), rules)
    async with runtime.reading() as tx:
        days = await list_days(tx, now, rules.escalation.spike.weeks)
        incidents = await list_incidents(tx, state=IncidentState.OPEN, limit=LINES)
        balls = await list_balls(tx, department, now, now + SOON)
        escalated = await list_escalated(tx, department, LINES + 1)
        late = await list_late(tx, department, now, limit=LINES + 1)
        at_risk = await list_at_risk(tx, department, now, now + SOON, limit=LINES + 1)
    async with runtime.reading(reports=True) as tx:
        ledger = await get_ledger(tx)
        zone = ledger.zone
        tonight = await gather_forecast(ledger, now, ForecastIn().until(now, zone), department)
    url = runtime.knobs.public_url
    return await render(
        "today",
        speech,
        {"tonight": plot(tonight.drawn, None, speech)} if tonight.lines.rows else {},
        day=speech.date(now.astimezone(zone)),
        hour=f"{now.astimezone(zone):%H:%M}",
        owner=department and speech.name("department", department),
        headlines=_headlines(speech, balls, tonight),
        most=LINES,
        hot=[_hot(speech, one) for one in hottest(days) if _is_own(rules, caller, one.topic)],
        incidents=[_incident(speech, one, now) for one in incidents if department in (None, one.department)],
        balls=[_ball(speech, one, now) for one in balls],
        escalated=[_ticket(speech, url, one, [now - one.since]) for one in escalated],
        late=[_ticket(speech, url, one, [now - at for at in one.broken.values()], one.broken) for one in late],
        at_risk=[_ticket(speech, url, one, [one.due_at - now], [one.metric]) for one in at_risk],
    )


def _is_own(rules: Rulebook, caller: Caller, topic: str) -> bool:
    owners = {line.department for line in rules.routing.ownerships if line.topic == topic}
    return caller.department is None or caller.department in owners


def _headlines(speech: Speech, balls: tuple[Ball, ...], tonight: Tonight) -> list[dict[str, Any]]:
    words = speech.texts["pages"]["today"]
    counts = {name: sum(getattr(one, name) for one in balls) for name in ("n", "late", "due", "unaccepted")}
    told = {"n": words["open"], "late": words["late"], "due": words["due"], "unaccepted": words["unaccepted"]}
    if tonight.lines.rows:
        expected, low, high = (speech.figure(figure, Unit.COUNT) for figure in tonight.lines.rows[-1][1:])
        ahead = {"now": expected, "beside": [words["range"].format(low=low, high=high)]}
    else:
        ahead = {"now": speech.figure(None, Unit.COUNT), "beside": [words["too_little"]]}
    standing = [
        {"name": told[name], "now": speech.figure(count, Unit.COUNT), "late": name == "late" and count > 0}
        for name, count in counts.items()
    ]
    return [*standing, {"name": words["expected"], **ahead}]


def _hot(speech: Speech, one: Hot) -> dict[str, str]:
    counts = {"posts": speech.figure(one.posts, Unit.COUNT), "usual": speech.figure(one.usual, Unit.RATIO)}
    return {"name": speech.name("topic", one.topic), **counts}


def _incident(speech: Speech, one: Incident, now: datetime) -> dict[str, str]:
    scope = "topic" if one.subject.scope is Scope.TOPIC else one.subject.scope
    return {
        "name": speech.name(scope, one.subject.name),
        "posts": speech.figure(one.observed, Unit.COUNT),
        "usual": speech.figure(one.expected, Unit.RATIO),
        "severity": speech.name("severity", one.severity),
        "since": _duration(speech, now - one.opened_at),
    }


def _ball(speech: Speech, one: Ball, now: datetime) -> dict[str, Any]:
    counts = {name: getattr(one, name) for name in ("n", "late", "due", "unaccepted")}
    return {**counts, "who": _who(speech, one.holder, one.department), "oldest": _duration(speech, now - one.oldest_at)}


def _ticket(
    speech: Speech, url: str, one: AtRisk | Late | Escalated, lasting: Iterable[timedelta], metrics: Iterable[str] = ()
) -> dict[str, Any]:
    """A line of a list; where it names promises, `lasting` has one for each."""
    held_by = one.department if one.holder == Holder.DEPARTMENT else None
    return {
        "url": ticket_url(url, one.ticket_id),
        "number": one.number,
        "topic": speech.name("topic", one.topic),
        "department": speech.name("department", one.department),
        "promises": [speech.name("metric", metric) for metric in metrics],
        "holder": (one.assignee or "").partition(":")[2] or _who(speech, one.holder, held_by),
        "when": [_duration(speech, each) for each in lasting],
        "late": isinstance(one, Late),
    }


def _who(speech: Speech, holder: str, department: str | None) -> str:
    return speech.name("holder", holder) if department is None else speech.name("department", department)


def _duration(speech: Speech, lasting: timedelta) -> str:
    return speech.duration(lasting.total_seconds())
