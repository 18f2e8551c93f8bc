"""The day is played: tokens and endpoints are made, everybody acts, figures are shown, all is put away.

Knows who takes part and in which order. Refuses to know what each of them does.
"""

import asyncio
import contextlib
import random
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from rich.console import Console

from app.demo.calling import Caller
from app.demo.cast import Agent, Customers, Department, Stage
from app.demo.place import Place
from app.demo.receiver import Listener, Receiver
from app.demo.script import Listening, Staging, read_day
from app.demo.story import Story
from app.demo.summary import show_next_steps, show_nps, show_sla, show_tickets
from app.kit.clock import utc_now

DAY_SECONDS = 85.0  # a day at speed 1, so that with its beginning and end it takes two minutes
AGENTS = ("Anna", "Youssef")
PUBLISH = "publish"
_SEED = 1913
_SETTLE_PATIENCE = 45.0
_EARLIER = timedelta(hours=6)  # posts that waited were due before the play began
_CALL_TIMEOUT = 30.0


@dataclass(slots=True)
class _Props:
    """What was made for the play, to be put away after it: paths to delete."""

    admin: Caller
    made: list[str]

    async def token(self, client: httpx.AsyncClient, role: str, name: str, department: str | None = None) -> Caller:
        asked = {"role": role, "name": f"{name} (demo)"} | ({"department": department} if department else {})
        token = await self.admin.post("/tokens", asked)
        self.made.append(f"/tokens/{token['id']}")
        return Caller(client, token["token"])

    async def endpoint(self, department: str, url: str) -> str:
        """Register where a department listens; returns the secret that its signatures are made with."""
        endpoint = await self.admin.post("/endpoints", {"department": department, "url": url, "payload": "full"})
        self.made.append(f"/endpoints/{endpoint['id']}")
        secret: str = endpoint["secret"]
        return secret

    async def put_away(self) -> None:
        for path in reversed(self.made):
            await self.admin.delete(path)


async def play(place: Place, receiver: Receiver, console: Console, *, speed: float) -> None:
    """The whole day and its summary. Raises `CallRefused`, `ServiceGone`, in groups."""
    began_at = utc_now()
    async with httpx.AsyncClient(base_url=place.url, trust_env=False, timeout=_CALL_TIMEOUT) as client:
        admin = Caller(client, place.admin_token)
        story = Story(console)
        story.names = {one["slug"]: one["name"]["en"] for one in (await admin.get("/rules"))["departments"]}
        stage = Stage(Staging(read_day(), secrets.token_hex(3)), story, 1 / speed, random.Random(_SEED))  # noqa: S311
        async with _props(admin) as props, receiver.serving(), asyncio.TaskGroup() as tasks:
            customers = Customers(stage, await props.token(client, "ingest", "channels"), client)
            receiver.listen(PUBLISH, Listener(place.publish_secret, _Channels(stage, customers, tasks).publish))
            working = await _begin_work(stage, props, client, receiver, tasks)
            await customers.live(DAY_SECONDS / speed)
            with console.status("The last tickets are settled, the last surveys answered ..."):
                tickets = await _until_settled(stage, admin, asks_at_once=place.fresh)
            for task in working:
                task.cancel()
        console.rule("The day in figures")
        await _summarise(console, admin, story.names, tickets, began_at - _EARLIER)
        told = (
            f"{receiver.verified} signatures verified, {story.answers} answers published, {story.scores} scores given."
        )
        story.note(told)


def show_what_next(console: Console, place: Place, *, kept: bool) -> None:
    """Lines to copy: for this service while it stays, else for one of the reader's own."""
    if kept or not place.fresh:
        show_next_steps(console, place.url, place.admin_token if place.fresh else "$TOKEN")
    else:
        console.print("\nThis service is gone now. Start one of your own, `webcare up`; it prints tokens (TOKEN=...).")
        show_next_steps(console, "http://127.0.0.1:8080", "$TOKEN")


@contextlib.asynccontextmanager
async def _props(admin: Caller) -> AsyncIterator[_Props]:
    props = _Props(admin, [])
    try:
        yield props
    finally:
        await props.put_away()


async def _begin_work(
    stage: Stage, props: _Props, client: httpx.AsyncClient, receiver: Receiver, tasks: asyncio.TaskGroup
) -> list[asyncio.Task[None]]:
    """Everybody takes their place; returns those who work until they are told to stop."""
    working = []
    for slug, listening in stage.staging.day.departments.items():
        department = Department(stage, slug, await props.token(client, "department", slug, slug))
        if listening is Listening.WEBHOOK:
            secret = await props.endpoint(slug, receiver.url(slug))
            receiver.listen(slug, Listener(secret, _hearing(department, tasks)))
        else:
            working.append(tasks.create_task(department.look()))
    for name in AGENTS:
        agent = Agent(stage, name, await props.token(client, "agent", name.lower()))
        working.append(tasks.create_task(agent.work()))
    return working


def _hearing(department: Department, tasks: asyncio.TaskGroup) -> Any:
    async def take(event: dict[str, Any]) -> dict[str, Any]:
        tasks.create_task(department.hear(event))
        return {}

    return take


@dataclass(frozen=True, slots=True)
class _Channels:
    """Plays X, the forum and the others: puts replies online, and brings survey links to their customers."""

    stage: Stage
    customers: Customers
    tasks: asyncio.TaskGroup

    async def publish(self, said: dict[str, Any]) -> dict[str, Any]:
        post = self.stage.staging.post_of(said["in_reply_to"])
        if post is not None and said["type"] == "reply":
            self.stage.story.answered(said["ticket_id"], said["text"])
            self.stage.reply_to(post.id).set()
        elif post is not None and said["type"] == "survey":
            self.tasks.create_task(self.customers.score(post, said["link"]))
        return {"external_id": f"published-{secrets.token_hex(8)}"}


async def _until_settled(stage: Stage, admin: Caller, *, asks_at_once: bool) -> list[Mapping[str, Any]]:
    """The day's tickets, when nothing more is to be done about any of them, or patience ends."""
    tickets: dict[str, Mapping[str, Any]] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SETTLE_PATIENCE):
            open_ids = sorted(stage.tickets)
            while open_ids:
                tickets |= {ticket_id: await admin.get(f"/tickets/{ticket_id}") for ticket_id in open_ids}
                open_ids = [one for one in open_ids if not _is_settled(stage, tickets[one], asks_at_once=asks_at_once)]
                await asyncio.sleep(0.5)
    return list(tickets.values())


def _is_settled(stage: Stage, ticket: Mapping[str, Any], *, asks_at_once: bool) -> bool:
    if ticket["state"] != "resolved":
        return False
    asked = ticket["feedback"]["state"] if ticket["feedback"] else None
    post = stage.newest(ticket)
    answers = post is not None and post.score is not None
    return not asks_at_once or not (asked in ("waiting", "queued") or (asked == "sent" and answers))


async def _summarise(
    console: Console, admin: Caller, names: Mapping[str, str], tickets: list[Mapping[str, Any]], since: datetime
) -> None:
    period = {"from": since.isoformat()}
    show_tickets(console, tickets, names)
    console.print()
    show_sla(console, await admin.get("/reports/sla", **period))
    console.print()
    overall = await admin.get("/reports/nps", **period)
    show_nps(console, overall, await admin.get("/reports/nps", **period, group_by="department"), names)
