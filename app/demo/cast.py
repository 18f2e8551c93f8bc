"""Who plays: customers, departments, agents. Each has a token of its own and only does what its role may do.

Knows what each of them would do next, from nothing but the API's answers. Refuses to keep track of tickets: everybody
looks at the ticket before acting, as messages may come twice and colleagues may be faster.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.demo.calling import Caller, Overtaken
from app.demo.script import Chapter, Deletion, Edit, Post, Staging
from app.demo.story import Story
from app.kit.clock import utc_now

_AT_WORK = ("routed", "working")
_REPLY_PATIENCE = 20.0  # seconds that a customer waits for a reply before writing on all the same
_PAGE = 200
_LOOK = 0.3  # seconds between looks into a queue


@dataclass(frozen=True, slots=True)
class Stage:
    """What all players share. `pace` multiplies every pause.

    `tickets` are those of this run; `published` tells per post that its reply is out; `handed_back` are posts that a
    department did not want, `approved` replies that a colleague let go.
    """

    staging: Staging
    story: Story
    pace: float
    dice: random.Random
    tickets: set[str] = field(default_factory=set)
    published: dict[str, asyncio.Event] = field(default_factory=dict)
    handed_back: set[str] = field(default_factory=set)
    approved: set[str] = field(default_factory=set)

    async def pause(self, least: float, most: float) -> None:
        """Seconds that a person takes for something."""
        await asyncio.sleep(self.pace * self.dice.uniform(least, most))

    async def queue(self, caller: Caller, holder: str) -> AsyncIterator[Mapping[str, Any]]:
        """The tickets of this run that the holder has, most urgent first; others' are passed over."""
        cursor: dict[str, str] = {}
        while True:
            page = await caller.get("/queue", limit=_PAGE, holder=holder, **cursor)
            for line in page["items"]:
                if line["id"] in self.tickets:
                    yield line
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    def newest(self, ticket: Mapping[str, Any]) -> Post | None:
        return self.staging.post_of(ticket["mentions"][-1]["external_id"])

    def reply_to(self, post_id: str) -> asyncio.Event:
        return self.published.setdefault(post_id, asyncio.Event())


class Customers:
    """Everybody out there, through a caller of role ingest: they post, change their minds, and answer surveys."""

    def __init__(self, stage: Stage, caller: Caller, client: httpx.AsyncClient) -> None:
        self._stage = stage
        self._caller = caller
        self._client = client

    async def live(self, seconds: float) -> None:
        """Play the whole day in about so many seconds."""
        began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            for moment, scene in self._stage.staging.day.timed():
                await asyncio.sleep(began + moment * seconds - asyncio.get_running_loop().time())
                match scene:
                    case Chapter():
                        self._stage.story.chapter(scene.say)
                    case Post() if scene.of and not scene.impatient and scene.kind != "repost":
                        tasks.create_task(self._answer_back(scene, scene.of))
                    case Post():
                        await self._post(scene)
                    case Edit():
                        await self._edit(scene)
                    case Deletion():
                        await self._delete(scene)

    async def score(self, post: Post, link: str) -> None:
        """Open the survey page, as a browser does, and send its form; many do not."""
        if post.score is None:
            return
        await self._stage.pause(0.5, 2)
        page = await self._client.get(link)
        sent = await self._client.post(link, data={"score": str(post.score), "comment": post.comment})
        if page.is_success and sent.is_success:
            self._stage.story.scored(post, post.score)

    async def _answer_back(self, post: Post, to: str) -> None:
        try:
            async with asyncio.timeout(_REPLY_PATIENCE):
                await self._stage.reply_to(to).wait()
        except TimeoutError:
            self._stage.story.note(f"{post.speaker} got no reply yet and writes again.")
        await asyncio.sleep(1)  # nobody reads and types faster
        await self._post(post)

    async def _post(self, post: Post) -> None:
        received = await self._caller.post("/mentions", self._stage.staging.mention(post, utc_now()))
        if received["ticket_id"]:
            self._stage.tickets.add(received["ticket_id"])
        self._stage.story.posted(post, received)

    async def _edit(self, scene: Edit) -> None:
        post = self._stage.staging.day.posts[scene.edit]
        received = await self._caller.post("/mentions", self._stage.staging.mention(post, utc_now(), text=scene.text))
        self._stage.story.changed(post, f"edited: {received['reasons'][0]['text']}")

    async def _delete(self, scene: Deletion) -> None:
        post = self._stage.staging.day.posts[scene.delete]
        await self._caller.delete(f"/mentions/{post.channel}/{self._stage.staging.external_id(post.id)}")
        self._stage.story.changed(post, "deleted by its author: the words are gone, and nobody needs to answer")


class Department:
    """One department with its own token: told by webhook, or looking into its queue."""

    def __init__(self, stage: Stage, slug: str, caller: Caller) -> None:
        self._stage = stage
        self._slug = slug
        self._caller = caller
        self._under_way: dict[str, asyncio.Lock] = {}

    async def hear(self, event: Mapping[str, Any]) -> None:
        """Something happened to one of our tickets, or to what we registered."""
        if ticket_id := event["data"].get("ticket_id"):
            await self._see_to(ticket_id, "webhook verified")

    async def look(self) -> None:
        """For ever: see to what stands in our queue."""
        while True:
            async for line in self._stage.queue(self._caller, "department"):
                await self._see_to(line["id"], "found in its queue")
            await asyncio.sleep(_LOOK)

    async def _see_to(self, ticket_id: str, how: str) -> None:
        """Accept, and answer or hand back, if the ball is ours. One at a time, as events come in bursts."""
        async with self._under_way.setdefault(ticket_id, asyncio.Lock()):
            try:
                ticket = await self._caller.get(f"/tickets/{ticket_id}")
                post = self._stage.newest(ticket)
                if post and ticket["holder"] == "department" and ticket["state"] in _AT_WORK:
                    await self._work(ticket, post, how)
            except Overtaken:
                return

    async def _work(self, ticket: Mapping[str, Any], post: Post, how: str) -> None:
        path, story = f"/tickets/{ticket['id']}", self._stage.story
        name = story.names.get(self._slug, self._slug)
        if ticket["state"] == "routed":
            await self._caller.post(f"{path}/accept", {})
        await self._stage.pause(0.8, 2.5)
        if post.hand_back and post.id not in self._stage.handed_back:
            self._stage.handed_back.add(post.id)
            story.step(ticket["id"], f"{how}, {name} hands it back: {post.hand_back.reason}")
            await self._caller.post(f"{path}/handback", post.hand_back.model_dump())
            return
        waits = post.then == "wait"
        words = self._stage.staging.day.answer_to(post, ticket["topic"], ticket["language"])
        first_hand = ticket["stage"] == "live" or ticket["arm"] == "first_hand"
        story.step(ticket["id"], f"{how}, " + (f"{name} answers first-hand" if first_hand else f"draft by {name}"))
        answered = await self._caller.post(f"{path}/answer", {"text": words, "resolve": not waits})
        if answered["first_hand"] and waits:
            await self._caller.post(f"{path}/wait", {"for": "customer"})


class Agent:
    """One webcare agent: takes what is most urgent, publishes drafts, answers, and finds a place for the rest."""

    def __init__(self, stage: Stage, name: str, caller: Caller) -> None:
        self._stage = stage
        self._name = name
        self._caller = caller

    async def work(self) -> None:
        """For ever: the most urgent ticket of this day that nobody has. Others' tickets are left alone."""
        while True:
            await self._review()
            for holder in ("webcare", "triage"):
                async for line in self._stage.queue(self._caller, holder):
                    if line["lease_until"] is None:
                        await self._take(line["id"])
            await asyncio.sleep(_LOOK)

    async def _take(self, ticket_id: str) -> None:
        try:
            ticket = await self._caller.get(f"/tickets/{ticket_id}")
            post = self._stage.newest(ticket)
            if post is None or post.id in self._stage.staging.day.taken_back:
                return
            await self._caller.post(f"/tickets/{ticket_id}/claim", {})
            await self._stage.pause(0.3, 1)
            if ticket["department"] is None and (topic := _place(post)):
                self._stage.story.step(ticket_id, f"{self._name} sees {topic} in it")
                await self._caller.post(f"/tickets/{ticket_id}/reroute", {"topic": topic, "reason": "read by a person"})
            else:
                await self._settle(ticket, post)
        except Overtaken:
            return

    async def _settle(self, ticket: Mapping[str, Any], post: Post) -> None:
        """Publish the draft that answers the newest post, or answer by ourselves; then settle or wait."""
        path = f"/tickets/{ticket['id']}"
        asked_at = ticket["mentions"][-1]["posted_at"]
        drafts = [answer for answer in ticket["answers"] if answer["given_at"] > asked_at and not answer["first_hand"]]
        if drafts and not _answered_since(ticket, drafts[-1]["given_at"]):
            words, how = drafts[-1]["text"], f"{self._name} publishes it"
        else:
            words = self._stage.staging.day.answer_to(post, ticket["topic"], ticket["language"])
            how = f"{self._name} answers"
        self._stage.story.step(ticket["id"], how)
        said = await self._caller.post(f"{path}/reply", {"text": words, "visibility": ticket["visibility"]})
        while said["state"] == "held" and said["reply_id"] not in self._stage.approved:
            await self._review()
            await asyncio.sleep(_LOOK)
        if post.then == "wait":
            await self._caller.post(f"{path}/wait", {"for": "customer"})
        else:
            await self._caller.post(f"{path}/resolve", {"code": "solved"})

    async def _review(self) -> None:
        """Let go what colleagues wrote where nobody speaks alone."""
        for held in (await self._caller.get("/replies", state="held"))["items"]:
            if held["ticket_id"] in self._stage.tickets and not held["actor"].endswith(f":{self._name.lower()}"):
                with contextlib.suppress(Overtaken):
                    await self._caller.post(f"/replies/{held['id']}/approve", {})
                    self._stage.approved.add(held["id"])
                    self._stage.story.step(held["ticket_id"], f"{self._name} approves it")


def _place(post: Post) -> str | None:
    return post.hand_back.topic if post.hand_back else post.triage


def _answered_since(ticket: Mapping[str, Any], moment: str) -> bool:
    return any(reply["queued_at"] > moment for reply in ticket["replies"])
