"""Reports as charts: what is drawn, what is said of it, and that nothing in it runs or comes from elsewhere."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import httpx
import pytest

from app.api.reports.chart import MOST_SERIES, draw
from app.api.reports.lines import Lines, UnknownFigure
from app.api.reports.picture import plot
from app.api.reports.scale import ticks
from app.api.reports.words import Language, Speech, speak
from app.reports.dictionary import Unit
from app.reports.question import Interval, Question
from app.rulebook import Rulebook
from app.runtime import Runtime
from tests.support.callers import token_for

START = datetime(2026, 11, 2, tzinfo=UTC)
DAY = timedelta(days=1)
FIGURES = {"n": Unit.COUNT, "met_share": Unit.SHARE, "p50": Unit.SECONDS}
SVG = "{http://www.w3.org/2000/svg}"
LABEL = 13  # pixels that a label is high


@pytest.fixture
def dutch(rulebook: Rulebook) -> Speech:
    return speak(Language.NL, rulebook)


@pytest.fixture
def english(rulebook: Rulebook) -> Speech:
    return speak(Language.EN, rulebook)


def daily(*departments: str | None) -> Lines:
    """A week of figures; nothing was measured on the second day."""
    question = Question(START, START + 7 * DAY, Interval.DAY, ("department",))
    days = [START + number * DAY for number in range(7)]
    rows = [
        (at, department, 10 * place, None if at.day == 3 else at.day / 10, 3600.0)
        for at in days
        for place, department in enumerate(departments)
    ]
    return Lines("sla", question, question.end, ("department",), FIGURES, rows, shown="met_share")


def test_each_group_is_a_series_over_the_steps(dutch: Speech) -> None:
    chart = plot(daily("billing", None), None, dutch)
    assert chart.title == "Beloften: aandeel op tijd"
    assert chart.labels[:2] == ("2 nov", "3 nov")
    assert [one.name for one in chart.series] == ["Facturatie", "geen"]
    assert chart.series[0].values == (0.2, None, 0.4, 0.5, 0.6, 0.7, 0.8)


def test_without_steps_each_group_is_a_bar(english: Speech) -> None:
    question = Question(START, START + DAY, group_by=("department", "priority"))
    rows = [(None, "billing", "high", 4, 0.5, None), (None, None, "low", 1, 1.0, None)]
    chart = plot(Lines("sla", question, START, question.group_by, FIGURES, rows, shown="met_share"), "n", english)
    assert chart.labels == ("Billing, high: 4", "none, low: 1")
    assert [(one.name, one.values) for one in chart.series] == [("count", (4, 1))]


def scores(interval: Interval, *departments: str) -> Lines:
    """Forty answers on the first day, and nine, which tell nothing, on the second."""
    question = Question(START, START + 2 * DAY, interval, ("department",) if departments else ())
    steps = [None] if interval is Interval.NONE else [START, START + DAY]
    told = [(40, 50.0, 25.6, 67.4), (9, None, None, None)]
    groups: list[tuple[str, ...]] = [(name,) for name in departments] or [()]
    rows = [(at, *group, *figures) for at, figures in zip(steps, told, strict=False) for group in groups]
    units = {"n": Unit.COUNT, "nps": Unit.SCORE, "low": Unit.SCORE, "high": Unit.SCORE}
    return Lines("nps", question, START, question.group_by, units, rows, shown="nps")


def test_an_nps_is_never_drawn_without_how_many_gave_it(dutch: Speech) -> None:
    bars = plot(scores(Interval.NONE, "billing"), None, dutch)
    assert bars.labels == ("Facturatie: 50,0 (25,6 tot 67,4; n = 40)",)
    lines = plot(scores(Interval.DAY, "billing", "network"), None, dutch)
    assert [one.name for one in lines.series] == ["Facturatie (n = 49)", "Netwerk (n = 49)"]
    assert plot(scores(Interval.DAY), None, dutch).note == "2 nov 2026 t/m 3 nov 2026 \N{MIDDLE DOT} alles (n = 49)"
    assert plot(scores(Interval.NONE, "billing"), "n", dutch).labels == ("Facturatie: 40",)


def test_a_group_that_is_alone_is_named_above_its_line(dutch: Speech) -> None:
    assert plot(daily("billing"), None, dutch).note == "2 nov 2026 t/m 8 nov 2026 \N{MIDDLE DOT} Facturatie"


def test_those_who_hear_a_chart_are_told_its_values(english: Speech) -> None:
    about = plot(daily("billing"), "p50", english).about
    assert about.startswith("2 Nov 2026 to 8 Nov 2026 \N{MIDDLE DOT} Billing. Billing: 2 Nov 1\xa0h; 3 Nov 1\xa0h;")


def test_of_too_many_groups_those_with_most_are_shown_and_this_is_said(dutch: Speech) -> None:
    chart = plot(daily(*(f"d{number:02}" for number in range(12))), "met_share", dutch)
    assert [one.name for one in chart.series] == [f"d{number:02}" for number in range(4, 12)]
    assert f"{MOST_SERIES} van 12 groepen" in chart.about


def test_a_figure_that_the_report_does_not_have_is_refused_with_those_that_it_has(dutch: Speech) -> None:
    with pytest.raises(UnknownFigure, match=r"use n, met_share, p50"):
        plot(daily("billing"), "mood", dutch)


@pytest.mark.parametrize("interval", [Interval.DAY, Interval.NONE])
def test_a_drawing_is_named_and_described_and_runs_nothing(interval: Interval, dutch: Speech) -> None:
    question = Question(START, START + DAY, interval, ("topic",))
    hostile = '<script>alert(1)</script>"&'
    step = START if interval is Interval.DAY else None
    rows = [(step, hostile, 2, 0.5, None), (step, "billing", 1, None, None)]
    drawn = draw(plot(Lines("sla", question, START, ("topic",), FIGURES, rows, shown="met_share"), None, dutch))
    root = ET.fromstring(drawn)
    title, about = root[0], root[1]
    assert (title.tag, title.text, about.tag) == (f"{SVG}title", "Beloften: aandeel op tijd", f"{SVG}desc")
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {about.attrib['id']}"
    assert hostile in (about.text or "")
    assert [node for node in root.iter() if node.tag == f"{SVG}script"] == []
    assert re.findall(r"https?://[^\s\"]+|url\(|@import|href", drawn) == ["http://www.w3.org/2000/svg"]


def test_a_name_with_what_xml_cannot_hold_is_drawn_all_the_same(dutch: Speech) -> None:
    """An account is called as who brought the post calls it."""
    question = Question(START, START + DAY, group_by=("account",))
    rows = [(None, "polder\x0bmobiel\ufffe \N{GRINNING FACE}", 2, 0.5, None)]
    drawn = draw(plot(Lines("sla", question, START, ("account",), FIGURES, rows, shown="n"), None, dutch))
    assert "polder\N{REPLACEMENT CHARACTER}mobiel" in (ET.fromstring(drawn)[1].text or "")
    assert "\N{REPLACEMENT CHARACTER} \N{GRINNING FACE}" in drawn


def test_a_chart_is_the_same_each_time_it_is_drawn(dutch: Speech) -> None:
    assert draw(plot(daily("billing"), None, dutch)) == draw(plot(daily("billing"), None, dutch))


def test_nothing_at_all_is_drawn_as_that(english: Speech) -> None:
    drawn = draw(plot(Lines("sla", Question(START, START + DAY), START, (), FIGURES, [], shown="n"), None, english))
    assert "nothing was measured" in drawn


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (3900, "1 u 5 min"),
        (3605, "1 u"),
        (86_400, "1 d"),
        (93_600, "1 d 2 u"),
        (90_060, "1 d 1 u"),
        (-120, "-2 min"),
    ],
)
def test_durations_are_told_in_their_two_largest_units_on_one_line(dutch: Speech, seconds: float, said: str) -> None:
    assert dutch.duration(seconds) == said.replace(" ", "\N{NO-BREAK SPACE}")


def test_figures_read_as_people_write_them(dutch: Speech, english: Speech) -> None:
    assert [dutch.figure(share, Unit.SHARE) for share in (0.9349, 0.84, 0.0)] == ["93,5%", "84,0%", "0,0%"]
    assert english.figure(12345, Unit.COUNT) == "12,345"
    assert dutch.figure(12345.67, Unit.COUNT) == "12.346"
    assert [dutch.figure(nps, Unit.SCORE) for nps in (-12.0, 38.98, -0.04)] == ["-12,0", "39,0", "0,0"]
    assert dutch.figure(None, Unit.SCORE) == "\N{EN DASH}"


def test_an_axis_has_no_decimals_that_say_nothing(dutch: Speech) -> None:
    assert [dutch.tick(share, Unit.SHARE) for share in (0.5, 0.125)] == ["50%", "12,5%"]
    assert [dutch.tick(hops, Unit.RATIO) for hops in (2, 0.5, None)] == ["2", "0,5", "\N{EN DASH}"]


@pytest.mark.parametrize(
    ("values", "unit", "named"),
    [
        ([], Unit.COUNT, (0, 1)),
        ([0.0], Unit.COUNT, (0, 1)),
        ([3.0], Unit.COUNT, (0, 1, 2, 3)),
        ([39.0, 12.0], Unit.COUNT, (0, 5, 10, 15, 20, 25, 30, 35, 40)),
        ([-3.0, 12.0], Unit.COUNT, (-4, -2, 0, 2, 4, 6, 8, 10, 12)),
        ([67.0], Unit.SECONDS, (0, 10, 20, 30, 40, 50, 60, 70)),
        ([9000.0], Unit.SECONDS, (0, 1800, 3600, 5400, 7200, 9000)),
        ([30 * 86_400.0], Unit.SECONDS, tuple(days * 86_400 for days in (0, 5, 10, 15, 20, 25, 30))),
        ([0.3], Unit.SHARE, ()),
    ],
)
def test_axes_are_named_where_people_count(values: list[float], unit: Unit, named: tuple[float, ...]) -> None:
    assert ticks(values, unit) == named


def test_a_chart_that_is_pasted_elsewhere_still_says_its_period(dutch: Speech) -> None:
    note = ET.fromstring(draw(plot(daily(*(f"d{number:02}" for number in range(12))), "met_share", dutch)))[-1]
    assert note.text == "2 nov 2026 t/m 8 nov 2026 · 8 van 12 groepen, die met de hoogste aantallen"
    assert dutch.period(START, START + timedelta(hours=23)) == "2 nov 2026"


def test_many_bars_make_a_chart_longer_and_a_long_name_is_cut(english: Speech) -> None:
    question = Question(START, START + DAY, group_by=("topic",))
    rows = [(None, f"{number}{'x' * 200}", 4, 0.5, None) for number in range(24)]
    chart = plot(Lines("sla", question, START, ("topic",), FIGURES, rows, shown="n"), None, english)
    assert chart.labels[23] == f"23{'x' * 57}\N{HORIZONTAL ELLIPSIS}: 4"
    bars = sorted(float(node.attrib["y"]) for node in rects(draw(chart), "tooltip-trigger"))
    assert len(bars) == 24
    assert min(below - above for above, below in pairwise(bars)) > LABEL


def test_names_of_series_do_not_run_into_each_other(dutch: Speech) -> None:
    for letters, in_a_row in ((5, 4), (40, 2), (58, 1)):
        chart = plot(daily(*(f"{number}{'x' * letters}" for number in range(5))), "met_share", dutch)
        boxes = [float(node.attrib["x"]) for node in rects(draw(chart), "color-")]
        assert len(boxes) == 5
        assert len(set(boxes)) == in_a_row


def rects(drawn: str, kind: str) -> list[ET.Element]:
    return [node for node in ET.fromstring(drawn).iter(f"{SVG}rect") if kind in node.attrib.get("class", "")]


def test_both_languages_say_the_same_things(dutch: Speech, english: Speech) -> None:
    def keys(texts: object) -> object:
        return {name: keys(inner) for name, inner in texts.items()} if isinstance(texts, dict) else None

    assert keys(dutch.texts) == keys(english.texts)


@pytest.mark.parametrize(
    ("asked", "accepted", "title"),
    [
        ("", "", "Tevredenheid: NPS"),
        ("", "en-GB,nl;q=0.5", "Satisfaction: NPS"),
        ("", "fr, nl;q=0.4, en;q=0.9", "Satisfaction: NPS"),
        ("", "fr;q=, *;q=nan", "Tevredenheid: NPS"),
        ("en", "nl", "Satisfaction: NPS"),
    ],
)
async def test_a_chart_speaks_the_language_that_was_asked_for(
    client: httpx.AsyncClient, runtime: Runtime, asked: str, accepted: str, title: str
) -> None:
    headers = await token_for(runtime, "manager") | {"Accept-Language": accepted}
    question = {"format": "svg", "interval": "day"} | ({"lang": asked} if asked else {})
    answer = await client.get("/api/v1/reports/nps", params=question, headers=headers)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert ET.fromstring(answer.text)[0].text == title
    assert "script-src" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("form", ["svg", "json", "csv"])
@pytest.mark.parametrize("wrong", [{"figure": "mood"}, {"lang": "fr"}])
async def test_a_chart_of_what_there_is_not_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, wrong: dict[str, str], form: str
) -> None:
    headers = await token_for(runtime, "manager")
    answer = await client.get("/api/v1/reports/sla", params={"format": form, **wrong}, headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (422, next(iter(wrong)))
