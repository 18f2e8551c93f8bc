"""The shape of feedback.yaml: who is asked how we did, and what the page says and looks like.

Knows the file's keys, and refuses colours that not everybody could read. Refuses to know what the rules lead to.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from app.channels.platform import Platform
from app.feedback.invitation import Asking, FeedbackRules
from app.feedback.page import Palette, Texts, faint
from app.mentions.mention import Visibility
from app.rulebook.entry import Duration, Entry, wrong
from app.rulebook.files import ChannelName, Language, Line, ResolutionCode, Some, TopicName


class AskingEntry(Entry):
    share: float = Field(default=1.0, ge=0, le=1)
    delay: Duration | None = None
    by: Literal["private", "reply"] = "private"

    def build(self, platform: Platform) -> Asking:
        """On this platform; what is private has a window there, and so has what everybody reads."""
        private = self.by == "private"
        manner = platform.private if private else platform.public
        by = Visibility.PRIVATE if private else Visibility.PUBLIC
        return Asking(self.share, self.delay, by, manner is not None, manner.first_window if manner else None)


class TextsEntry(Entry):
    language: Line
    languages: Line
    invitation: Line
    question: Line
    lowest: Line
    highest: Line
    comment: Line
    hardest: Line
    easiest: Line
    send: Line
    thanks: Line
    change: Line
    stop: Line
    stopped: Line
    closed: Line
    score_missing: Line
    effort_wrong: Line
    comment_too_long: Line


Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]


class PaletteEntry(Entry):
    text: Colour
    page: Colour
    edge: Colour
    accent: Colour
    on_accent: Colour
    wrong: Colour

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        for one in faint(self.build()):
            message = f"{one.ink} on {one.ground} has a contrast of {one.contrast:.2f}, which not everybody can see"
            raise wrong(message, f"choose colours with at least {one.needed} (WCAG 2.2)")
        return self

    def build(self) -> Palette:
        return Palette(**dict(self))


class ColoursEntry(Entry):
    light: PaletteEntry
    dark: PaletteEntry


class FeedbackEntry(Entry):
    cool_down: Duration
    delay: Duration
    expires: Duration
    changeable: Duration
    follow_up: Duration
    colours: ColoursEntry
    channels: dict[ChannelName, AskingEntry] = Field(default_factory=dict)
    effort: dict[TopicName, dict[Language, Line]] = Field(default_factory=dict)
    skip_resolutions: frozenset[ResolutionCode] = frozenset()
    texts: Some[dict[Language, TextsEntry]]


class Feedback(Entry):
    feedback: FeedbackEntry

    def build(self, platforms: Mapping[str, Platform]) -> FeedbackRules:
        """`platforms` have rules of their own; on the others everything may be said, always."""
        told = self.feedback
        return FeedbackRules(
            cool_down=told.cool_down,
            delay=told.delay,
            expires=told.expires,
            changeable=told.changeable,
            follow_up=told.follow_up,
            light=told.colours.light.build(),
            dark=told.colours.dark.build(),
            texts={language: Texts(**dict(entry)) for language, entry in told.texts.items()},
            channels={
                channel: told.channels.get(channel, AskingEntry()).build(platforms.get(channel, Platform(channel)))
                for channel in told.channels.keys() | platforms.keys()
            },
            effort={topic: dict(questions.items()) for topic, questions in told.effort.items()},
            skip_resolutions=told.skip_resolutions,
        )
