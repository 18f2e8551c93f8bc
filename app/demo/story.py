"""What a person sees of the day: a few words for each post and its answer, instead of a log.

Knows the screen. Refuses to know how anything came about: it is told.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from app.demo.script import Post

CHANNELS = {
    "x": "X",
    "forum": "the forum",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "whatsapp": "WhatsApp",
    "reviews": "a review site",
}
_INDENT = 7
_QUOTES = 2  # answers that are quoted in each chapter: enough to hear the tone


@dataclass(slots=True)
class Tale:
    """What happened to one ticket since the customer's last post. `number` is how people call it."""

    began: float = field(default_factory=time.monotonic)
    post: Post | None = None
    placed: str = ""
    steps: list[str] = field(default_factory=list)


class Story:
    """Counts what it tells: `posts`, `answers`, `scores`. `names` of departments by slug."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.names: Mapping[str, str] = {}
        self.posts = 0
        self.answers = 0
        self.scores = 0
        self._tales: dict[str, Tale] = {}
        self._quotes_left = 0

    def chapter(self, words: str) -> None:
        self._quotes_left = _QUOTES
        self.console.print()
        self.console.print(Text(" ".join(words.split()), style="bold"))

    def note(self, words: str) -> None:
        self.console.print(Text(words, style="dim"))

    def posted(self, post: Post, received: Mapping[str, Any]) -> None:
        """The service has taken a post in. A ticket's tale is told when it is answered; what is no ticket, now."""
        self.posts += 1
        ticket_id = received["ticket_id"]
        if ticket_id is None:
            self._headline(post)
            self._line(f"no ticket: {received['reasons'][0]['text']}")
            return
        tale = self._tale(ticket_id)
        if received["outcome"] == "joined" and tale.post is not None:
            tale.steps.append(f"{post.speaker} wrote again, same ticket")
            return
        tale.post = post
        tale.placed = self._placed(received)

    def changed(self, post: Post, words: str) -> None:
        self._headline(post)
        self._line(words)

    def step(self, ticket_id: str, words: str) -> None:
        """Something happened to a ticket on the way to its answer."""
        self._tale(ticket_id).steps.append(words)

    def answered(self, ticket_id: str, words: str) -> None:
        """The answer stands on its channel: tell the ticket's tale, and begin the next."""
        self.answers += 1
        tale = self._tales.pop(ticket_id, Tale())
        if tale.post is None:
            return
        self._headline(tale.post)
        steps = [*tale.steps, f"published after {time.monotonic() - tale.began:.1f} s"]
        self._line(f"{tale.placed}: {', '.join(steps)}")
        if self._quotes_left:
            self._quotes_left -= 1
            self._line(f"“{words}”", style="green")

    def scored(self, post: Post, score: int) -> None:
        self.scores += 1
        if post.comment:
            self._line(f"★ {post.speaker} was asked, and gives {score} out of 10: “{post.comment}”", style="yellow")

    def _tale(self, ticket_id: str) -> Tale:
        return self._tales.setdefault(ticket_id, Tale())

    def _placed(self, received: Mapping[str, Any]) -> str:
        if received["outcome"] in ("joined", "reopened"):
            return f"ticket {received['number']} again" + (", reopened" if received["outcome"] == "reopened" else "")
        if received["department"] is None:
            return "→ no topic is sure enough, so a person looks (triage)"
        name = self.names.get(received["department"], received["department"])
        urgent = "" if received["priority"] == "normal" else f", {received['priority']}"
        return f"→ {received['topic']}, {name} ({received['stage']}{urgent})"

    def _headline(self, post: Post) -> None:
        line = Text(f"{post.clock}  ", style="dim")
        line.append(post.speaker, style="bold not dim")
        line.append(f" on {CHANNELS[post.channel]}: “{post.text}”", style="not dim")
        self.console.print(line, no_wrap=True, overflow="ellipsis")

    def _line(self, words: str, style: str = "cyan") -> None:
        self.console.print(Padding(Text(words, style=style), (0, 0, 0, _INDENT)))
