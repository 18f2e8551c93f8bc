"""One mention travels through everything: real HTTP, the real worker, and receivers that believe only signatures."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.access.role import Role
from app.delivery.event_type import INTERNAL
from app.kit.clock import utc_now
from app.kit.db import Database
from app.main import create_app
from app.runtime import Runtime, build_runtime
from app.settings import PROJECT, Settings
from app.sla.policy import Metric
from app.worker import chores, work
from tests.support.callers import token_for
from tests.support.patience import PATIENCE
from tests.support.serving import listen, served, url_of

OFTEN = timedelta(milliseconds=50)
CAST = {Role.INGEST: None, Role.AGENT: None, Role.DEPARTMENT: "supply_chain", Role.MANAGER: None}
POST = {
    "channel": "forum",
    "external_id": "topic-1#1",
    "conversation_id": "topic-1",
    "author": {"external_id": "u-sanne", "handle": "sanne"},
    "text": "Waar blijft mijn pakketje? Zou gisteren al bezorgd worden",
}
TIMELINE = [
    "mention.received",
    "ticket.opened",
    "ticket.routed",
    "ticket.delivered",
    "ticket.accepted",
    "sla.met",  # acceptance
    "ticket.replied",
    "sla.met",  # first_reply
    "sla.met",  # ownership
    "ticket.resolved",
    "sla.met",  # resolution
    "feedback.invited",
    "feedback.sent",
    "feedback.received",
]
ANSWER = "Je pakketje ligt in Utrecht en komt vanmiddag tussen twee en vier."


@dataclass
class Receiver:
    """Takes what is posted to it, in order, and refuses whatever `secret` did not sign."""

    name: str
    secret: str = ""
    ids: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    async def receive(self, request: Request) -> JSONResponse:
        body = Webhook(self.secret).verify(await request.body(), dict(request.headers))
        self.ids.append(request.headers["webhook-id"])
        self.bodies.append(body)
        return JSONResponse({"external_id": f"{self.name}-{len(self.ids)}"})

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/", self.receive, methods=["POST"])])

    async def told(self, type_: str) -> dict[str, Any]:
        """The first of this type, waited for."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if found := [body for body in self.bodies if body["type"] == type_]:
                    return found[0]
                await asyncio.sleep(0.02)


@dataclass
class Caller:
    client: httpx.AsyncClient
    headers: dict[str, str]

    async def get(self, path: str) -> Any:
        return (await self.client.get(f"/api/v1{path}", headers=self.headers)).raise_for_status().json()

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        return (await self.client.post(f"/api/v1{path}", json=body, headers=self.headers)).raise_for_status().json()


@dataclass
class House:
    """A running webcare with one department, a channel, and callers by role."""

    client: httpx.AsyncClient
    department: Receiver
    department_url: str
    channel: Receiver
    callers: dict[Role, Caller]

    async def ticket(self, ticket_id: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The ticket as soon as it is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                ticket: dict[str, Any] = await self.callers[Role.AGENT].get(f"/tickets/{ticket_id}")
                if until(ticket):
                    return ticket
                await asyncio.sleep(0.02)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The house's own rules, but nobody waits half an hour for the survey."""
    copied = Path(shutil.copytree(PROJECT / "routing_rules", tmp_path / "rules"))
    feedback = (copied / "feedback.yaml").read_text()
    assert "\n  delay: 30 minutes\n" in feedback
    (copied / "feedback.yaml").write_text(feedback.replace("\n  delay: 30 minutes\n", "\n  delay: 0 minutes\n"))
    return copied


@pytest.fixture
async def house(database: Database, database_url: str, rules: Path, tmp_path: Path) -> AsyncIterator[House]:
    department, channel = Receiver("department"), Receiver("forum")
    listening = listen()
    async with served(department.app, listen()) as department_url, served(channel.app, listen()) as channel_url:
        settings = Settings(
            data_dir=tmp_path,
            rules_dir=rules,
            public_url=url_of(listening),
            publish_url=channel_url,
            webhook_allow_cidrs=(ip_network("127.0.0.1/32"),),
            learn=False,
        )
        async with (
            build_runtime(settings, database_url=database_url) as runtime,
            served(create_app(runtime), listening) as url,
            working(runtime),
            httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client,
        ):
            channel.secret = settings.publish_secret_file.read_text()
            callers = {role: Caller(client, await token_for(runtime, role, owner)) for role, owner in CAST.items()}
            yield House(client, department, department_url, channel, callers)


@asynccontextmanager
async def working(runtime: Runtime) -> AsyncIterator[None]:
    """The real worker, in a hurry."""
    stop = asyncio.Event()
    hurried = tuple(replace(chore, every=OFTEN) for chore in chores(runtime))
    worker = asyncio.create_task(work(hurried, stop))
    yield
    stop.set()
    await worker


async def test_one_mention_travels_from_the_post_to_the_score(house: House) -> None:
    ingest, owner, manager = (house.callers[role] for role in (Role.INGEST, Role.DEPARTMENT, Role.MANAGER))

    endpoint = await owner.post("/endpoints", {"url": f"{house.department_url}/"})
    house.department.secret = endpoint["secret"]

    post = {**POST, "posted_at": (utc_now() - timedelta(minutes=1)).isoformat()}
    received = await ingest.post("/mentions", post)
    ticket_id = received["ticket_id"]
    assert (received["outcome"], received["department"], received["stage"]) == ("opened", "supply_chain", "live")
    routed = await house.department.told("ticket.routed")
    assert (routed["data"]["ticket_id"], routed["data"]["department"]) == (ticket_id, "supply_chain")

    await owner.post(f"/tickets/{ticket_id}/accept", {})
    answered = await owner.post(f"/tickets/{ticket_id}/answer", {"text": ANSWER})
    assert answered["first_hand"]
    said = await house.channel.told("reply")
    assert (said["ticket_id"], said["text"], said["in_reply_to"]) == (ticket_id, ANSWER, POST["external_id"])
    ticket = await house.ticket(ticket_id, lambda ticket: ticket["replies"][0]["state"] != "queued")
    [reply] = ticket["replies"]
    assert (reply["state"], reply["external_id"], reply["department"]) == ("published", "forum-1", "supply_chain")

    await owner.post(f"/tickets/{ticket_id}/resolve", {})
    survey = await house.channel.told("survey")
    asked = await house.ticket(ticket_id, lambda ticket: ticket["feedback"]["state"] == "sent")
    assert survey["visibility"] == "private"
    page = await house.client.get(survey["link"])
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    opened = await house.ticket(ticket_id, lambda _: True)
    assert (opened["feedback"], opened["version"]) == (asked["feedback"], asked["version"])
    for _ in range(2):  # sent twice, as impatient people do, it is one answer
        sent = await house.client.post(survey["link"], data={"score": "9", "comment": "snel"})
        assert sent.status_code == 200

    [nps] = (await manager.get("/reports/nps"))["items"]
    assert (nps["n"], nps["promoters"], nps["response_rate"], nps["nps"]) == (1, 1, 1.0, None)
    sla = {line["metric"]: (line["met"], line["breached"]) for line in (await manager.get("/reports/sla"))["items"]}
    assert sla == {metric: (0, 0) if metric == "next_reply" else (1, 0) for metric in Metric}

    events = (await owner.get(f"/tickets/{ticket_id}/timeline"))["items"]
    assert [event["type"] for event in events] == TIMELINE
    assert [event["sequence"] for event in events] == list(range(1, len(TIMELINE) + 1))
    await house.department.told("feedback.received")
    told = [(sequence, kind) for sequence, kind in enumerate(TIMELINE, start=1) if kind not in INTERNAL]
    assert [(body["sequence"], body["type"]) for body in house.department.bodies] == told
    assert len(set(house.department.ids)) == len(told)
