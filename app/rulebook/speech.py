"""The shape of the files on what we say ourselves: its keys, what may stand there, and what it becomes.

Knows one file at a time. Refuses to know how files fit together (checks) and how an error finds its line (entry).
"""

from typing import Self

from phonenumbers import SUPPORTED_REGIONS
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from app.answers.guard import Guard
from app.channels.counting import Way
from app.channels.platform import LONGEST, Manner, Platform
from app.rulebook.entry import Duration, Entry, attempt, wrong
from app.rulebook.files import ChannelName, Line, Slug, Some


class MannerEntry(Entry):
    limits: Some[dict[Way, PositiveInt]] = Field(default_factory=lambda: {Way.CHARACTERS: LONGEST})
    attachments: NonNegativeInt | None = None
    windows: Some[dict[Slug, Duration]] = Field(default_factory=dict)
    when_closed: Line | None = None

    @model_validator(mode="after")
    def _windows_close(self) -> Self:
        if (self.when_closed is None) == bool(self.windows):
            raise wrong("windows and when_closed come together", "give both, or neither where replies are always taken")
        if list(self.windows.values()) != sorted(self.windows.values()):
            raise wrong("windows are not in order", "put the shortest first: a reply goes out in the first that fits")
        return self


class PlatformEntry(Entry):
    public: MannerEntry | None = None
    private: MannerEntry | None = None

    @model_validator(mode="after")
    def _something_can_be_said(self) -> Self:
        if self.public is None and self.private is None:
            raise wrong("nothing can be said here", "give `public: {}`, `private: {}` or both, or remove the channel")
        return self

    def build(self, channel: str) -> Platform:
        return Platform(channel, _built(self.public), _built(self.private))


class Channels(Entry):
    channels: dict[ChannelName, PlatformEntry]

    def build(self) -> dict[str, Platform]:
        return {channel: entry.build(channel) for channel, entry in self.channels.items()}


def _built(manner: MannerEntry | None) -> Manner | None:
    return Manner(**dict(manner)) if manner else None


class GuardExampleEntry(Entry):
    text: Line
    finds: tuple[str, ...]


class GuardEntry(Entry):
    region: str
    numbers: dict[Slug, Some[tuple[Line, ...]]] = Field(default_factory=dict)
    own: tuple[Line, ...] = ()
    examples: tuple[GuardExampleEntry, ...] = ()

    @model_validator(mode="after")
    def _finds(self) -> Self:
        if self.region not in SUPPORTED_REGIONS:
            raise wrong(f"unknown region '{self.region}'", "use the code of ISO 3166, such as NL")
        attempt(self.build, "correct the pattern; see the syntax at the top of guard.yaml")
        return self

    def build(self) -> Guard:
        return Guard(self.region, self.numbers, self.own)


class Guarding(Entry):
    guard: GuardEntry

    def build(self) -> Guard:
        return self.guard.build()
