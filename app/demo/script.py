"""The day as it is written in day.yaml: who says what, when, and what is answered.

Knows the script. Refuses to play it.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

DAY = Path(__file__).with_name("day.yaml")


def _minutes(written: str) -> int:
    hour, minute = written.split(":")
    return int(hour) * 60 + int(minute)


At: TypeAlias = Annotated[int, BeforeValidator(_minutes)]  # minutes after midnight


class _Scene(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listening(StrEnum):
    """How a department hears of its tickets."""

    WEBHOOK = "webhook"
    QUEUE = "queue"


class Chapter(_Scene):
    say: str


class HandBack(_Scene):
    reason: str
    topic: str


class Post(_Scene):
    """One post, and how the cast deals with it. The fields are told at the top of day.yaml."""

    id: str
    at: At
    channel: str
    who: str
    text: str
    name: str | None = None
    followers: int | None = None
    verified: bool = False
    account: str | None = None
    kind: str = "mention"
    visibility: str = "public"
    rating: float | None = None
    title: str | None = None
    of: str | None = None
    impatient: bool = False
    waited: int = 1
    answer: str | None = None
    hand_back: HandBack | None = None
    triage: str | None = None
    then: Literal["resolve", "wait"] = "resolve"
    score: int | None = Field(None, ge=0, le=10)
    comment: str = ""

    @property
    def clock(self) -> str:
        return f"{self.at // 60:02}:{self.at % 60:02}"

    @property
    def speaker(self) -> str:
        return self.name or (self.who if " " in self.who else f"@{self.who}")


class Edit(_Scene):
    edit: str
    at: At
    text: str


class Deletion(_Scene):
    delete: str
    at: At


Scene: TypeAlias = Chapter | Post | Edit | Deletion


class Day(_Scene):
    departments: dict[str, Listening]
    answers: dict[str, dict[str, str]]
    scenes: tuple[Scene, ...]

    @cached_property
    def posts(self) -> dict[str, Post]:
        return {scene.id: scene for scene in self.scenes if isinstance(scene, Post)}

    @cached_property
    def taken_back(self) -> frozenset[str]:
        """The posts that their authors delete: before anybody answers."""
        return frozenset(scene.delete for scene in self.scenes if isinstance(scene, Deletion))

    def timed(self) -> list[tuple[float, Scene]]:
        """Each scene with its moment, from 0 at the day's first post to 1 at its last; chapters begin with a post."""
        moments = [scene.at for scene in self.scenes if not isinstance(scene, Chapter)]
        first, last = min(moments), max(moments)
        at, timed = last, []
        for scene in reversed(self.scenes):
            at = at if isinstance(scene, Chapter) else scene.at
            timed.append(((at - first) / (last - first), scene))
        return timed[::-1]

    def answer_to(self, post: Post, topic: str | None, language: str | None) -> str:
        if post.answer is not None:
            return post.answer
        words = self.answers.get(topic or "", self.answers["other"])
        return words.get(language or "", words["nl"])


def read_day() -> Day:
    return Day.model_validate(yaml.safe_load(DAY.read_text("utf-8")))


class Staging:
    """The day in one run: each run posts under ids of its own, so that it can be played again on the same service."""

    def __init__(self, day: Day, run: str) -> None:
        self.day = day
        self._run = run

    def external_id(self, post_id: str) -> str:
        return f"demo-{self._run}-{post_id}"

    def post_of(self, external_id: str | None) -> Post | None:
        """The post behind an id; None for what is not of this run."""
        prefix = self.external_id("")
        known = external_id is not None and external_id.startswith(prefix)
        return self.day.posts.get(external_id.removeprefix(prefix)) if external_id and known else None

    def mention(self, post: Post, now: datetime, *, text: str | None = None) -> dict[str, Any]:
        """The body of `POST /mentions`. People have ids of this run too, or the survey's cool-down would know them."""
        root = self.day.posts[post.of] if post.of and post.kind != "repost" else post
        told = {
            "channel": post.channel,
            "external_id": self.external_id(post.id),
            "conversation_id": self.external_id(root.id),
            "parent_id": self.external_id(post.of) if post.of else None,
            "author": {
                "external_id": self.external_id(post.who),
                "handle": post.who,
                "display_name": post.name,
                "followers": post.followers,
                "verified": post.verified,
            },
            "text": text or post.text,
            "posted_at": (now - timedelta(minutes=post.waited)).isoformat(),
            "kind": post.kind,
            "visibility": post.visibility,
            "account": post.account,
            "rating": post.rating,
            "title": post.title,
        }
        return {name: value for name, value in told.items() if value is not None}
