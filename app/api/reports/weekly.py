"""The week on paper: figures, charts, what customers say and what was learned, as one page of A4.

Knows what stands on the page. Refuses to know any figure: each comes from the same lines as `/reports/...` answers
with, so a page, a chart and a drill-down cannot differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from app.api.fields import Day, InModel
from app.api.reports.asking import PREFIX, Reader
from app.api.reports.backlog import gather_backlog
from app.api.reports.nps import gather_nps
from app.api.reports.page import Cells, Told, render
from app.api.reports.picture import plot
from app.api.reports.routing import gather_routing
from app.api.reports.sla import gather_sla
from app.api.reports.volume import gather_volume
from app.api.reports.waiting import gather_held
from app.api.reports.words import Language, Speech, language_of, speak
from app.api.serving import Serving
from app.escalation.incidents.incident import Incident, Scope
from app.escalation.incidents.store import list_lessons
from app.feedback.telling import extremeness
from app.feedback.verbatims.store import Verbatim, Wanted, list_telling
from app.reports.question import Interval, Question, midnight
from app.reports.tally.store import Ledger, get_ledger

router = APIRouter(prefix=PREFIX)

WEEK = timedelta(weeks=1)
QUOTES = 6  # what a meeting reads out
REPLY, SOLVED = ("first_reply",), ("resolution",)
COLUMNS = ("opened", "first_reply", "first_reply_p50", "resolution", "hand_back", "nps")


class WeekIn(InModel):
    week: Day | None = Field(
        None, description="Any day of the week, which begins on Monday. Left out: the last whole week"
    )
    lang: Language | None = Field(None, description="Left out: `Accept-Language`, else Dutch")

    def monday(self, today: date) -> date:
        day = self.week or today - WEEK
        return day - timedelta(days=day.weekday())


@dataclass(frozen=True, slots=True)
class Week:
    """The figures of one period, without groups or by department."""

    volume: Cells
    sla: Cells
    nps: Cells
    routing: Cells
    backlog: Cells


@router.get("/weekly", response_class=HTMLResponse, summary="The week on a page that prints")
async def read_weekly(
    caller: Reader, runtime: Serving, request: Request, asked: Annotated[WeekIn, Query()]
) -> HTMLResponse:
    """One file without scripts, with the charts in it: save it, send it or print it on A4."""
    now, speech = runtime.now(), speak(language_of(request, asked.lang), runtime.rulebook)
    async with runtime.reading(reports=True) as tx:
        ledger = await get_ledger(tx)
        zone = ledger.zone
        monday = asked.monday(now.astimezone(zone).date())
        last, start, end = (midnight(monday + weeks * WEEK, zone) for weeks in (-1, 0, 1))
        question = Question(start, end, department=caller.department, zone=zone)
        daily = replace(question, interval=Interval.DAY)
        this = await _week(ledger, question)
        before = await _week(ledger, replace(question, start=last, end=start))
        departments = await _week(ledger, replace(question, group_by=("department",)))
        held = await gather_held(ledger, question)
        charts = {
            "volume": plot(await gather_volume(ledger, daily), "opened", speech),
            "sla": plot(await gather_sla(ledger, daily), "met_share", speech),
            "backlog": plot(await gather_backlog(ledger, daily), "open", speech),
            "holders": plot(held, "waiting_share", speech),
        }
        wanted = Wanted(start, end, department=caller.department)
        telling = await list_telling(tx, wanted, per_topic=1)
        lessons = await list_lessons(tx, start, end)
    words = speech.texts["pages"]["weekly"]
    return await render(
        "weekly",
        speech,
        charts,
        week=f"{monday.isocalendar().week}, {monday.isocalendar().year}",
        period=speech.period(monday, monday + WEEK - timedelta(days=1)),
        running=_running(speech, question, now),
        owner=caller.department and speech.name("department", caller.department),
        headlines=[
            {"name": name, "now": now.figure, "beside": [*now.beside, words["before"].format(figure=then.figure)]}
            for name, now, then in zip(_names(words), _headlines(speech, this), _headlines(speech, before), strict=True)
        ],
        columns=[words[name] for name in COLUMNS],
        departments=_departments(speech, departments),
        quotes=[_quote(speech, one) for one in _striking(telling.values())],
        lessons=[_lesson(speech, one, zone) for one in lessons if caller.department in (None, one.department)],
    )


async def _week(ledger: Ledger, question: Question) -> Week:
    return Week(
        Cells(await gather_volume(ledger, question)),
        Cells(await gather_sla(ledger, question)),
        Cells(await gather_nps(ledger, question)),
        Cells(await gather_routing(ledger, question)),
        Cells(await gather_backlog(ledger, question)),
    )


def _names(words: dict[str, str]) -> list[str]:
    return [words[name] for name in (*COLUMNS, "triage", "open")]


def _headlines(speech: Speech, week: Week) -> list[Told]:
    return [
        *_figures(speech, week, ()),
        week.routing.tell(speech, "triage_share"),
        week.backlog.tell(speech, "open"),
    ]


def _figures(speech: Speech, week: Week, key: tuple[str | None, ...]) -> list[Told]:
    """One for each of `COLUMNS`."""
    return [
        week.volume.tell(speech, "opened", key),
        week.sla.tell(speech, "met_share", (*key, *REPLY)),
        week.sla.tell(speech, "p50", (*key, *REPLY)),
        week.sla.tell(speech, "met_share", (*key, *SOLVED)),
        week.routing.tell(speech, "hand_back_rate", key),
        _score(speech, week.nps, key),
    ]


def _score(speech: Speech, nps: Cells, key: tuple[str | None, ...]) -> Told:
    """Never without how many gave it, and how sure it is."""
    words = speech.texts["pages"]["weekly"]
    n, invited, rate, low, high = (
        nps.say(speech, name, key) for name in ("n", "invited", "response_rate", "low", "high")
    )
    margin = [words["margin"].format(low=low, high=high)] if nps.value("nps", key) is not None else []
    answers = [words["answers"].format(n=n, invited=invited, rate=rate)] if nps.value("invited", key) else []
    return Told(nps.say(speech, "nps", key), (*margin, *answers))


def _departments(speech: Speech, week: Week) -> list[dict[str, object]]:
    """Those that had anything at all, by name; what has no owner last."""
    parts = (week.volume, week.routing, week.nps)
    slugs = {row[1] for part in parts for row in part.lines.rows} | {row[1] for row in week.sla.lines.rows}
    named = sorted(slugs, key=lambda slug: (slug is None, speech.name("department", slug)))
    return [{"name": speech.name("department", slug), "figures": _figures(speech, week, (slug,))} for slug in named]


def _striking(telling: Iterable[Sequence[Verbatim]]) -> list[Verbatim]:
    """Of the most telling of each topic those with the most outspoken scores."""
    return sorted((one for ones in telling for one in ones), key=lambda one: -extremeness(one.score))[:QUOTES]


def _quote(speech: Speech, one: Verbatim) -> dict[str, object]:
    return {"text": one.text, "score": one.score, "topic": speech.name("topic", one.topic), "channel": one.channel}


def _running(speech: Speech, week: Question, now: datetime) -> str | None:
    """Why figures of a week are not all there; None once it is over."""
    words, there = speech.texts["pages"]["weekly"], now.astimezone(week.zone)
    if now < week.start:
        return str(words["ahead"])
    return str(words["running"].format(date=speech.date(there), hour=f"{there:%H:%M}")) if now < week.end else None


def _lesson(speech: Speech, one: Incident, zone: ZoneInfo) -> dict[str, object]:
    name = speech.name("topic", one.subject.name) if one.subject.scope is Scope.TOPIC else one.subject.name
    said = "" if one.closed_at is None else speech.date(one.closed_at.astimezone(zone))
    return {"text": one.lesson, "about": speech.texts["pages"]["weekly"]["lesson"].format(name=name, date=said)}
