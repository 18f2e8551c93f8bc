"""The survey page in a real browser: on a phone, by keyboard, for a screen reader, without scripts. A week on paper."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.feedback.store import find_feedback
from app.main import create_app
from app.reports.tally.fact import Fact, Measure
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.browser import CHROMIUM, Page, browsing
from tests.support.callers import token_for
from tests.support.clock import MORNING, Clock
from tests.support.facts import count, fact
from tests.support.serving import listen, served
from tests.support.surveys import put_in_hand

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium")

TOKEN = "wcs_the-one-link"
LINK = f"/s/{TOKEN}"
FINGER = 44  # pixels at least, WCAG 2.2, 2.5.5
A4 = 687  # pixels between the margins of the page


@pytest.fixture
async def asked(runtime: Runtime, clock: Clock) -> Ticket:
    return await runtime.database.transact(lambda tx: put_in_hand(tx, TOKEN, clock.at))


@pytest.fixture
async def site(runtime: Runtime, asked: Ticket) -> AsyncIterator[str]:
    async with served(create_app(runtime), listen()) as url:
        yield url


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with browsing() as window:
        yield window


async def test_the_form_is_filled_and_sent_and_changed_with_the_keyboard_alone(
    runtime: Runtime, site: str, page: Page, asked: Ticket
) -> None:
    await page.open(site + LINK)

    await page.press("Tab", 3)  # past the two languages, into the scale
    await page.press(" ")
    await page.press("ArrowRight", 9)
    await page.press("Tab")
    await page.write("Snel geholpen, dank je wel")
    await page.press("Tab")
    await page.press(" ")
    await page.press("ArrowRight", 5)
    await page.press("Tab")
    await page.press("Enter")
    await page.until("document.querySelector('[role=status]') !== null")

    async with runtime.reading() as tx:
        given = await find_feedback(tx, asked.id)
    assert given is not None
    assert (given.score, given.comment, given.effort) == (9, "Snel geholpen, dank je wel", 6)

    await page.press("Tab", 3)  # past the two languages, onto the link that leads back
    await page.press("Enter")
    await page.until("document.querySelector('textarea') !== null")
    assert await page.evaluate("document.querySelector('[name=score]:checked').value") == "9"
    assert await page.evaluate("document.querySelector('textarea').value") == "Snel geholpen, dank je wel"


async def test_a_form_without_a_score_cannot_leave_the_page(site: str, page: Page) -> None:
    await page.open(site + LINK)
    await page.press("Tab", 4)
    await page.write("Zonder cijfer")
    await page.press("Tab", 2)
    await page.press("Enter")

    assert await page.evaluate("document.querySelector('form').matches(':invalid')")
    assert await page.evaluate("document.activeElement.name") == "score"
    assert await page.evaluate("document.querySelector('textarea').value") == "Zonder cijfer"


async def test_a_screen_reader_finds_what_eyes_find(site: str, page: Page, runtime: Runtime) -> None:
    words = runtime.rulebook.feedback.texts["nl"]
    await page.open(site + LINK)

    heard = await page.heard()

    radios = [name for role, name in heard if role == "radio"]
    assert radios[0] == f"0, {words.lowest}"
    assert radios[1:10] == [str(score) for score in range(1, 10)]
    assert radios[10] == f"10, {words.highest}"
    assert (radios[11], radios[17]) == (f"1, {words.hardest}", f"7, {words.easiest}")
    for found in (
        ("navigation", words.languages),
        ("heading", words.question),
        ("group", words.question),
        ("textbox", words.comment),
        ("button", words.send),
        ("button", words.stop),
    ):
        assert found in heard


@pytest.mark.parametrize("width", [280, 320, 360, 768])
async def test_it_fits_the_phone_and_the_finger(site: str, page: Page, width: int) -> None:
    await page.open(site + LINK, width=width)

    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = await page.evaluate(
        "[...document.querySelectorAll('.scale span, button, nav a')]"
        ".map(one => one.getBoundingClientRect()).flatMap(box => [box.width, box.height])"
    )
    assert len(sizes) == 2 * (11 + 7 + 2 + 2)
    assert min(sizes) >= FINGER


@pytest.mark.parametrize("width", [180, 280, 320, 360, 414, 768, 1280])  # 180: a phone that enlarges everything twofold
async def test_no_number_of_a_scale_stands_alone_on_a_line(site: str, page: Page, width: int) -> None:
    await page.open(site + LINK, width=width)

    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    for scale in ("score", "effort"):
        heights = await page.evaluate(
            f"[...document.querySelectorAll('[name={scale}]')].map(one => one.getBoundingClientRect().top)"
        )
        rows = Counter(heights).values()
        assert max(rows) - min(rows) <= 1, (scale, rows)


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
async def test_the_colours_of_the_rules_are_those_on_the_screen(
    site: str, page: Page, runtime: Runtime, dark: bool
) -> None:
    rules = runtime.rulebook.feedback
    palette = rules.dark if dark else rules.light
    await page.open(site + LINK, dark=dark)

    shown = await page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor,"
        " getComputedStyle(document.querySelector('button')).backgroundColor]"
    )

    assert shown == [_rgb(colour) for colour in (palette.text, palette.page, palette.accent)]


def _rgb(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


async def test_every_column_of_the_week_fits_on_paper(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, page: Page, tmp_path: Path
) -> None:
    """Also where departments have the longest names, and every figure is there."""
    longest = sorted(runtime.rulebook.departments, key=lambda slug: -len(runtime.rulebook.departments[slug].name["nl"]))
    week = [one for department in longest[:5] for one in a_full_week(department)]
    await runtime.database.transact(lambda tx: count(tx, week))
    clock.pass_(days=7)
    manager = await token_for(runtime, "manager")
    weekly = await client.get("/api/v1/reports/weekly", params={"lang": "nl"}, headers=manager)
    (tmp_path / "weekly.html").write_text(weekly.text, "utf-8")

    await page.open((tmp_path / "weekly.html").as_uri(), width=A4)
    await page.call("Emulation.setEmulatedMedia", media="print")

    assert await page.evaluate("matchMedia('print').matches")
    assert await page.evaluate("document.querySelectorAll('tbody tr').length") == 5
    assert await page.evaluate("document.querySelector('table').offsetWidth <= document.body.clientWidth")


def a_full_week(department: str) -> list[Fact]:
    """Everything that the line of a department tells, at its longest."""
    counted: dict[str, Any] = {"department": department, "good": True}
    promises = [fact(of, MORNING, value=2_847_000, **counted) for of in (Measure.FIRST_REPLY, Measure.RESOLUTION)]
    passed = [fact(of, MORNING, **counted) for of in (Measure.OPENED, Measure.HANDED_OVER, Measure.HANDED_BACK)]
    scores = [
        fact(Measure.SCORED, MORNING, "detractor", department=department),
        fact(Measure.ASKED, MORNING, **counted),
    ]
    return [*promises, *passed, *scores * 100]
