"""The shape of each file: its keys, what may stand there, and the stage's frozen types that it becomes.

Knows one file at a time. Refuses to know how files fit together (checks) and how an error finds its line (entry).
"""

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.mentions.mention import Kind, Visibility, plain_handle
from app.routing.decision import FALL_BACK, Priority, Route, Then, When
from app.routing.ownership import Department, Owning, Stage
from app.routing.readiness import Gates, Rollout, parse_step
from app.rulebook.entry import Duration, Entry, attempt, known, wrong
from app.tickets.resolution import AUTOMATIC, SOLVED, Resolution
from app.topics.classify import PRECISION, THRESHOLD, Contradiction, Example, Phrase, Topic
from app.topics.phrase import check_phrase

T = TypeVar("T")


def _phrase(text: str) -> str:
    attempt(lambda: check_phrase(text), "see the syntax of phrases at the top of topics.yaml")
    return text


def _some(items: T) -> T:
    """An empty list would match nothing, and nobody means that."""
    if not items:
        raise wrong("nothing stands here", "name at least one, or leave the key out")
    return items


Language = Literal["nl", "en"]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Line = Annotated[str, StringConstraints(min_length=1)]
DepartmentName = Annotated[str, known("department")]
TopicName = Annotated[str, known("topic")]
ChannelName = Annotated[str, known("channel")]
CalendarName = Annotated[str, known("calendar")]
ResolutionCode = Annotated[str, known("resolution")]
Handle = Annotated[str, AfterValidator(plain_handle)]
PhraseText = Annotated[str, AfterValidator(_phrase)]
Some = Annotated[T, AfterValidator(_some)]


class NameEntry(Entry):
    nl: Line
    en: Line


class DepartmentEntry(Entry):
    name: NameEntry
    process: Line
    calendar: CalendarName


class Departments(Entry):
    departments: dict[Slug, DepartmentEntry]

    def build(self) -> dict[str, Department]:
        return {
            slug: Department(slug, entry.name.model_dump(), entry.process, entry.calendar)
            for slug, entry in self.departments.items()
        }


class AccountEntry(Entry):
    handle: Line
    external_id: Line | None = None
    language: Language
    review: bool = False


class Accounts(Entry):
    accounts: dict[Slug, list[AccountEntry]]


class PhraseEntry(Entry):
    text: PhraseText
    weight: float = Field(default=1.0, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, entry: Any) -> Any:
        return {"text": entry} if isinstance(entry, str) else entry


class PhrasesEntry(Entry):
    nl: tuple[PhraseEntry, ...] = ()
    en: tuple[PhraseEntry, ...] = ()
    any: tuple[PhraseEntry, ...] = ()

    def build(self) -> tuple[Phrase, ...]:
        groups = (("nl", self.nl), ("en", self.en), (None, self.any))
        return tuple(Phrase(entry.text, entry.weight, language) for language, group in groups for entry in group)


class ExampleEntry(Entry):
    text: Line
    lang: Language | None = None
    counter: bool = Field(default=False, alias="not")


class TopicEntry(Entry):
    name: NameEntry
    phrases: PhrasesEntry
    against: PhrasesEntry = Field(default=PhrasesEntry(), alias="not")
    threshold: float = Field(default=THRESHOLD, gt=0, lt=1)
    precision: float = Field(default=PRECISION, gt=0, lt=1)
    examples: Some[list[ExampleEntry]]


class Topics(Entry):
    contradiction: Contradiction = Contradiction.WEIGH
    topics: dict[Slug, TopicEntry]

    def build(self) -> dict[str, Topic]:
        return {
            slug: Topic(
                slug,
                entry.name.model_dump(),
                entry.phrases.build(),
                entry.against.build(),
                entry.threshold,
                tuple(Example(example.text, example.lang, example.counter) for example in entry.examples),
                entry.precision,
            )
            for slug, entry in self.topics.items()
        }


Share = Annotated[float, Field(ge=0, le=1)]


def _step_text(text: str) -> str:
    try:
        return str(parse_step(text))
    except ValueError:
        raise wrong(f"'{text}' is no step", "write central, advise, 'pilot 30 %' or live") from None


StepText = Annotated[str, AfterValidator(_step_text)]


class OwningEntry(Entry):
    topics: Some[list[TopicName]]
    channels: Some[frozenset[ChannelName]] | None = None
    department: DepartmentName
    stage: Stage
    percent: int | None = Field(default=None, ge=1, le=99)

    @model_validator(mode="after")
    def _percent_is_of_a_pilot(self) -> Self:
        if self.stage is Stage.PILOT and self.percent is None:
            raise wrong("a pilot without percent", "say how many percent of the tickets, or make it advise or live")
        if self.stage is not Stage.PILOT and self.percent is not None:
            raise wrong(f"stage {self.stage} with percent", "leave percent out, or make it a pilot")
        return self


class FallBackEntry(Entry):
    undelivered: Duration = FALL_BACK.undelivered
    unaccepted: Duration = FALL_BACK.unaccepted


class GatesEntry(Entry):
    window: Duration = Gates().window
    least: int = Field(default=Gates().least, ge=1)
    acceptance: Share | None = Gates().acceptance
    answered: Share | None = Gates().answered
    hand_back: Share | None = Gates().hand_back
    nps: float | None = Field(default=Gates().nps, ge=-100, le=100)


class Ownership(Entry):
    ownership: list[OwningEntry]
    fall_back: FallBackEntry = FallBackEntry()
    gates: GatesEntry = GatesEntry()
    steps: Some[list[StepText]] = Field(default=[str(step) for step in Rollout().steps])
    step_back: bool = Rollout().step_back

    def build_rollout(self) -> Rollout:
        return Rollout(Gates(**dict(self.gates)), tuple(map(parse_step, self.steps)), self.step_back)

    def build(self) -> tuple[Owning, ...]:
        return tuple(
            Owning(topic, entry.channels, entry.department, entry.stage, entry.percent)
            for entry in self.ownership
            for topic in entry.topics
        )


class WhenEntry(Entry):
    topics: Some[frozenset[TopicName]] | None = None
    channels: Some[frozenset[ChannelName]] | None = None
    accounts: Some[frozenset[Handle]] | None = None
    kinds: Some[frozenset[Kind]] | None = None
    languages: Some[frozenset[Language]] | None = None
    visibility: Visibility | None = None
    followers_min: int | None = Field(default=None, ge=1)
    verified: bool | None = None
    words: Some[tuple[PhraseText, ...]] | None = None


class ThenEntry(Entry):
    department: DepartmentName | None = None
    stage: Stage | None = None
    priority: Priority | None = None
    tags: tuple[Slug, ...] = ()

    @model_validator(mode="after")
    def _places_wholly_or_not(self) -> Self:
        if not self.model_fields_set:
            raise wrong("a route that gives nothing", "give a priority, tags or a department, or remove the route")
        if (self.department is None) != (self.stage is None):
            raise wrong("department and stage come together", "give both, or neither to leave the owner as it is")
        if self.stage is Stage.PILOT:
            raise wrong("a route cannot be a pilot", "pilots stand in ownership.yaml; use central, advise or live")
        return self


class RouteEntry(Entry):
    when: WhenEntry
    then: ThenEntry

    @model_validator(mode="after")
    def _department_needs_topics(self) -> Self:
        if self.then.department is not None and self.when.topics is None:
            way_out = "name the topics; a mention without one waits in triage whatever the route"
            raise wrong("a route that gives a department without topics", way_out)
        return self


class Routes(Entry):
    routes: dict[Slug, RouteEntry]

    def build(self) -> tuple[Route, ...]:
        return tuple(
            Route(name, When(**dict(entry.when)), Then(**dict(entry.then))) for name, entry in self.routes.items()
        )


class ResolutionEntry(Entry):
    name: NameEntry
    automatic: bool = False


class Resolutions(Entry):
    resolutions: dict[Slug, ResolutionEntry]

    @model_validator(mode="after")
    def _has_what_is_given_by_itself(self) -> Self:
        for code in sorted(AUTOMATIC | {SOLVED}):
            entry = self.resolutions.get(code)
            if entry is None or entry.automatic is not (code in AUTOMATIC):
                way_out = "with automatic: true" if code in AUTOMATIC else "for people to choose"
                raise wrong(f"resolution '{code}' is needed", f"put it here, {way_out}")
        return self

    def build(self) -> dict[str, Resolution]:
        return {
            code: Resolution(code, entry.name.model_dump(), entry.automatic) for code, entry in self.resolutions.items()
        }
