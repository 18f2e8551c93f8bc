"""The survey page: works without scripts, records only what was submitted, tells strangers nothing."""

import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser

import httpx
import pytest
from sqlalchemy import update

from app.feedback.invitation import Reason, State
from app.feedback.store import (
    Feedback,
    find_feedback,
)
from app.feedback.tables import invitation
from app.rulebook import Rulebook
from app.runtime import Runtime
from app.tickets.ticket import Ticket
from tests.support.clock import Clock
from tests.support.surveys import put_in_hand

TOKEN = "wcs_the-one-link"
LINK = f"/s/{TOKEN}"
HIDING = {"x-request-id", "date"}


@pytest.fixture
async def asked(runtime: Runtime, clock: Clock) -> Ticket:
    """A Dutch customer has the link in hand; it works for another day."""

    return await runtime.database.transact(lambda tx: put_in_hand(tx, TOKEN, clock.at))


async def feedback_of(runtime: Runtime, ticket: Ticket) -> Feedback:
    async with runtime.reading() as tx:
        found = await find_feedback(tx, ticket.id)
    assert found is not None
    return found


class Controls(HTMLParser):
    """What a screen reader finds: inputs, labels, and everything that another element refers to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.mark.parametrize(
    ("query", "language"), [("", "nl"), ("?lang=nl", "nl"), ("?lang=en", "en"), ("?lang=fy", "nl"), ("?lang=", "nl")]
)
async def test_the_page_speaks_the_customers_language_and_can_be_switched(
    client: httpx.AsyncClient, asked: Ticket, rulebook: Rulebook, query: str, language: str
) -> None:
    shown = await client.get(LINK + query)

    assert shown.status_code == 200
    assert rulebook.feedback.texts[language].question in unescape(shown.text)
    assert f'<html lang="{language}">' in shown.text
    assert [link["href"] for link in Controls(shown.text).all("a")] == ["?lang=nl", "?lang=en"]


async def test_every_control_has_a_name_and_the_scale_goes_from_0_to_10(
    client: httpx.AsyncClient, asked: Ticket
) -> None:
    page = Controls((await client.get(LINK)).text)

    radios = {
        name: [radio["value"] for radio in page.all("input") if radio["name"] == name] for name in ("score", "effort")
    }
    assert radios["score"] == [str(score) for score in range(11)]
    assert radios["effort"] == [str(effort) for effort in range(1, 8)]
    assert len(page.all("input")) == 18
    assert [radio["name"] for radio in page.all("input") if "required" in radio] == ["score"] * 11
    labelled = {label.get("for") for label in page.all("label")}
    assert {area["id"] for area in page.all("textarea")} <= labelled
    assert len(page.all("label")) == len(page.all("input")) + len(page.all("textarea"))
    assert len(page.all("legend")) == len(page.all("fieldset")) == 2
    assert [len(page.all(landmark)) for landmark in ("main", "nav", "h1", "title")] == [1] * 4
    assert page.all("nav")[0]["aria-label"] == "Taal van deze pagina"
    assert page.all("meta")[1] == {"name": "viewport", "content": "width=device-width, initial-scale=1"}


async def test_nothing_on_the_page_can_run_be_framed_kept_or_found(client: httpx.AsyncClient, asked: Ticket) -> None:
    shown = await client.get(LINK)

    style = re.search(r"<style>(.*)</style>", shown.text, re.DOTALL)
    assert style is not None
    hashed = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = shown.headers["content-security-policy"].split("; ")
    assert policy == [
        "default-src 'none'",
        f"style-src 'sha256-{hashed}'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["x-robots-tag"] == "noindex, nofollow"
    assert shown.headers.get_list("x-content-type-options") == ["nosniff"]
    assert "<script" not in shown.text
    assert not re.search(r"""\b(src|on\w+|style)=""", shown.text)


async def test_looking_records_nothing(client: httpx.AsyncClient, runtime: Runtime, asked: Ticket) -> None:
    before = await feedback_of(runtime, asked)

    assert (await client.head(LINK)).status_code == 200
    assert (await client.get(LINK, params={"score": "9"}, headers={"Purpose": "prefetch"})).status_code == 200

    assert await feedback_of(runtime, asked) == before
    assert (await client.get(LINK)).status_code == 200


@pytest.mark.parametrize("score", [0, 10])
async def test_a_submitted_form_is_the_answer(
    client: httpx.AsyncClient, runtime: Runtime, rulebook: Rulebook, clock: Clock, asked: Ticket, score: int
) -> None:
    thanked = await client.post(LINK, data={"score": str(score), "comment": "Vlot én vriendelijk 👍"})

    assert thanked.status_code == 200
    assert rulebook.feedback.texts["nl"].thanks in unescape(thanked.text)
    given = await feedback_of(runtime, asked)
    assert given == Feedback(State.ANSWERED, None, score, "Vlot én vriendelijk 👍", clock.at)


async def test_the_second_question_is_asked_about_its_topics_and_kept(
    client: httpx.AsyncClient, runtime: Runtime, rulebook: Rulebook, asked: Ticket
) -> None:
    question = rulebook.feedback.effort["delivery_delay"]
    assert [question[lang] in unescape((await client.get(f"{LINK}?lang={lang}")).text) for lang in ("nl", "en")] == [
        True,
        True,
    ]

    await client.post(LINK, data={"score": "9", "effort": "6"})

    assert (await feedback_of(runtime, asked)).effort == 6


async def test_a_topic_without_a_second_question_asks_one(
    client: httpx.AsyncClient, runtime: Runtime, asked: Ticket
) -> None:
    other = update(invitation).values(topic="compliment")
    await runtime.database.transact(lambda tx: tx.execute(other))

    page = Controls((await client.get(LINK)).text)

    assert {radio["name"] for radio in page.all("input")} == {"score"}

    await client.post(LINK, data={"score": "9", "effort": "6"})

    assert (await feedback_of(runtime, asked)).effort is None


async def test_an_answer_comes_back_filled_in_as_long_as_it_may_be_changed(
    client: httpx.AsyncClient, runtime: Runtime, rulebook: Rulebook, clock: Clock, asked: Ticket
) -> None:
    thanked = await client.post(f"{LINK}?lang=en", data={"score": "3", "comment": "Te <traag>", "effort": "2"})
    assert rulebook.feedback.texts["en"].change in unescape(thanked.text)
    assert [link["href"] for link in Controls(thanked.text).all("a")] == ["?lang=nl", "?lang=en", "?lang=en"]
    clock.pass_(minutes=59)

    shown = await client.get(LINK)

    checked = [(radio["name"], radio["value"]) for radio in Controls(shown.text).all("input") if "checked" in radio]
    assert checked == [("score", "3"), ("effort", "2")]
    assert "Te &lt;traag&gt;</textarea>" in shown.text
    await client.post(LINK, data={"score": "8", "comment": "Valt mee"})
    assert (await feedback_of(runtime, asked)).score == 8


async def test_the_same_form_sent_twice_is_one_answer(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, asked: Ticket
) -> None:
    for _ in range(2):
        assert (await client.post(LINK, data={"score": "3"})).status_code == 200
        clock.pass_(minutes=5)

    assert (await feedback_of(runtime, asked)).changed_at is None


async def test_who_wants_no_such_question_says_so_with_a_button(
    client: httpx.AsyncClient, runtime: Runtime, rulebook: Rulebook, asked: Ticket
) -> None:
    assert (await client.get(LINK, params={"stop": "yes"})).status_code == 200
    assert (await feedback_of(runtime, asked)).reason is None

    stopped = await client.post(f"{LINK}?lang=nl", data={"stop": "yes"})

    assert rulebook.feedback.texts["nl"].stopped in unescape(stopped.text)
    assert (await feedback_of(runtime, asked)).reason is Reason.OPTED_OUT
    assert (await client.get(LINK)).status_code == 404


async def test_every_link_that_is_not_good_gets_the_same_answer(
    client: httpx.AsyncClient, runtime: Runtime, clock: Clock, asked: Ticket
) -> None:
    async def answers() -> list[tuple[int, bytes, dict[str, str]]]:
        got = [await client.get(LINK), await client.post(LINK, data={"score": "9"}), await client.post(LINK)]
        return [
            (one.status_code, one.content, {k: v for k, v in one.headers.items() if k not in HIDING}) for one in got
        ]

    clock.pass_(days=1)
    expired = await answers()
    clock.pass_(days=-1)
    await client.post(LINK, data={"score": "9"})
    clock.pass_(hours=1)
    used = await answers()
    wrong = [await client.get("/s/wcs_invented"), await client.post("/s/wcs_invented", data={"score": "9"})]

    assert {status for status, _, _ in expired} == {404}
    assert expired == used
    assert len({content for _, content, _ in expired} | {one.content for one in wrong}) == 1
    assert [one.status_code for one in wrong] == [404, 404]


@pytest.mark.parametrize(
    ("header", "language"),
    [("en-GB,en;q=0.9", "en"), ("fy, nl;q=0.8, en;q=0.7", "nl"), ("", "nl"), (";;,--,*", "nl")],
)
async def test_a_closed_page_speaks_the_browsers_language(
    client: httpx.AsyncClient, rulebook: Rulebook, header: str, language: str
) -> None:
    shown = await client.get("/s/wcs_invented", headers={"Accept-Language": header})

    assert rulebook.feedback.texts[language].closed in unescape(shown.text)


@pytest.mark.parametrize(
    ("form", "complaints"),
    [
        ({"comment": "zomaar"}, ["score_missing"]),
        ({"score": "11", "comment": "zomaar"}, ["score_missing"]),
        ({"score": "7", "comment": "zomaar" + "x" * 2000}, ["comment_too_long"]),
        ({"score": "7", "comment": "zomaar " * 15_000}, ["comment_too_long"]),
        ({"score": "7", "comment": "zomaar", "effort": "8"}, ["effort_wrong"]),
        ({"score": "", "comment": "zomaar" + "x" * 2000}, ["score_missing", "comment_too_long"]),
    ],
)
async def test_an_incomplete_form_comes_back_with_what_was_written(
    client: httpx.AsyncClient,
    runtime: Runtime,
    rulebook: Rulebook,
    asked: Ticket,
    form: dict[str, str],
    complaints: list[str],
) -> None:
    shown = await client.post(f"{LINK}?lang=en", data=form)

    said = rulebook.feedback.texts["en"]
    page = Controls(shown.text)
    assert shown.status_code == 422
    assert [
        name for name in ("score_missing", "comment_too_long", "effort_wrong") if getattr(said, name) in shown.text
    ] == complaints
    assert form["comment"] in shown.text
    assert [radio["value"] for radio in page.all("input") if "checked" in radio] == (
        ["7"] if form.get("score") == "7" else []
    )
    assert (await feedback_of(runtime, asked)).state is State.QUEUED


async def test_words_come_back_as_text_and_never_as_markup(client: httpx.AsyncClient, asked: Ticket) -> None:
    hostile = '\n</textarea><script>alert(1)</script>"&amp;'

    shown = await client.post(LINK, data={"score": "7", "comment": hostile + "x" * 2000})

    assert "<script" not in shown.text
    area = re.search(r"<textarea[^>]*>\n(.*)</textarea>", shown.text, re.DOTALL)
    assert area is not None
    assert unescape(area[1]) == hostile + "x" * 2000


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"score": 9}', "application/json"),
        (b"score=%FF%00&comment=%ED%A0%80%00", "application/x-www-form-urlencoded"),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
    ],
)
async def test_nonsense_is_the_senders_fault(
    client: httpx.AsyncClient, runtime: Runtime, asked: Ticket, body: bytes, content_type: str
) -> None:
    answered = await client.post(LINK, content=body, headers={"Content-Type": content_type})

    assert 400 <= answered.status_code < 500
    assert (await feedback_of(runtime, asked)).state is State.QUEUED
