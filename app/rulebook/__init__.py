"""The rulebook: all of `routing_rules/`, read once, checked against itself, frozen, and named by a digest.

Knows how the files become the types that the stages think with. Refuses to know how any of them is applied, and
when to read again.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Self, TypeVar, cast
from zoneinfo import ZoneInfo

from app.answers.guard import Guard
from app.channels.platform import Platform
from app.escalation.crisis import Agreement
from app.escalation.rules import EscalationRules
from app.feedback.invitation import FeedbackRules
from app.mentions.mention import Author, plain_handle
from app.routing.decision import Routing
from app.routing.ownership import WEBCARE, Department
from app.routing.readiness import Rollout
from app.rulebook import asking, checks, files, promises, speech
from app.rulebook.agreeing import Crisis
from app.rulebook.entry import Entry, validate
from app.rulebook.escalating import Escalating
from app.rulebook.located import Page, Problem, RulebookInvalid, read_page
from app.rulebook.toning import Toning, check_tones
from app.rulebook.wording import Wording, check_wording, phrases_of
from app.sla.calendar import Calendar
from app.sla.ladder import Ladders
from app.sla.policy import Case, Metric, Policy, SlaRule, choose_all
from app.tickets.hand_over import FallBack
from app.tickets.resolution import Resolution
from app.topics.classify import Classifier, Phrase, Readable, Topic, readable
from app.topics.hearing import Heard, Hearing
from app.topics.model import Model
from app.topics.words import Words

__all__ = ["Account", "Problem", "Rulebook", "RulebookInvalid", "Sources", "load", "parse", "read_sources"]

E = TypeVar("E", bound=Entry)
Sources = Mapping[str, str]  # the text of each file, by its name: `topics.yaml`

FILES: Mapping[str, type[Entry]] = {
    "accounts": files.Accounts,
    "calendars": promises.Calendars,
    "channels": speech.Channels,
    "departments": files.Departments,
    "crisis": Crisis,
    "escalation": Escalating,
    "feedback": asking.Feedback,
    "guard": speech.Guarding,
    "ownership": files.Ownership,
    "resolutions": files.Resolutions,
    "routes": files.Routes,
    "sla": promises.Sla,
    "tones": Toning,
    "topics": files.Topics,
    "words": Wording,
}
NAMED_IN = {
    "channel": "accounts",
    "calendar": "calendars",
    "department": "departments",
    "resolution": "resolutions",
    "topic": "topics",
}
DIGEST_LENGTH = 12
REMEMBERED = 10_000  # cases; tags make them many


@dataclass(frozen=True, slots=True)
class Account:
    """One of the company's own profiles on a channel. `review`: what it says, a colleague reads first."""

    channel: str
    handle: str
    external_id: str | None
    language: str
    review: bool


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What every decision goes by. Never changes: new rules are a new rulebook.

    `digest` is 12 hex digits that name the content: other comments or another layout do not change it. Mappings are
    by slug or name; `accounts` by channel, and a channel that is not in it is not in use. `windows` gives by priority
    the calendar in whose hours people are told of a promise. `words` is how customers' words are read, `hearing` hears
    the phrases of routes and risks, and tones. `agreements` are by severity of incidents; `own_authors` holds (channel,
    author key) of the accounts.
    """

    digest: str
    sources: Sources
    departments: Mapping[str, Department]
    topics: Mapping[str, Topic]
    words: Words
    classifier: Classifier
    routing: Routing
    rollout: Rollout
    escalation: EscalationRules
    agreements: Mapping[str, Agreement]
    sla_rules: tuple[SlaRule, ...]
    ladders: Ladders
    windows: Mapping[str, str]
    calendars: Mapping[str, Calendar]
    feedback: FeedbackRules
    resolutions: Mapping[str, Resolution]
    accounts: Mapping[str, tuple[Account, ...]]
    platforms: Mapping[str, Platform]
    guard: Guard
    hearing: Hearing
    own_authors: frozenset[tuple[str, str]]
    _promised: dict[Case, Mapping[Metric, Policy]] = field(init=False, default_factory=dict, repr=False, compare=False)

    def promise(self, case: Case) -> Mapping[Metric, Policy]:
        """The policy of each metric for a case. Few cases make up most of the tickets, so answers are remembered."""
        found = self._promised.get(case)
        if found is None:
            if len(self._promised) >= REMEMBERED:
                self._promised.clear()
            found = self._promised[case] = choose_all(self.sla_rules, case, digest=self.digest)
        return found

    @property
    def zone(self) -> ZoneInfo:
        """Where webcare works: of its own calendar; without such a department UTC."""
        team = self.departments.get(WEBCARE)
        return ZoneInfo("UTC") if team is None else self.calendars[team.calendar].zone

    def with_model(self, model: Model | None, number: int | None) -> Self:
        """The same rules, whose classifier also asks this model; None: phrases alone. The digest stays."""
        return replace(self, classifier=self.classifier.mounted(model, number))

    def is_own(self, channel: str, handle: str | None, external_id: str | None = None) -> bool:
        """Whether the company itself posted: by the handle, in any capitals and with or without @, or by the id."""
        return any((channel, key) in self.own_authors for key in _author_keys(handle, external_id))

    def platform(self, channel: str) -> Platform:
        """The channel by its rules; one without any takes whatever is said."""
        return self.platforms.get(channel) or Platform(channel)

    def needs_review(self, channel: str, account: str | None) -> bool:
        """Whether a colleague reads first what is said on this profile, given by its handle or its id."""
        named = {plain_handle(account), account}
        reviewed = (one for one in self.accounts.get(channel, ()) if one.review)
        return any(plain_handle(one.handle) in named or one.external_id in named - {None} for one in reviewed)

    def read(self, text: str, language: str | None = None) -> Readable:
        """A text as all of the rules read it; `language` is its code, if one is told."""
        return readable(text, language, self.words)

    def hear(self, texts: Sequence[Readable]) -> list[Heard]:
        """For each text the phrases of routes and risks in it, and its tones. What is denied is not heard."""
        return self.hearing.hear(texts)


def load(folder: Path) -> Rulebook:
    """The rulebook in `folder`. Raises `RulebookInvalid` as `parse` does."""
    return parse(read_sources(folder))


def read_sources(folder: Path) -> Sources:
    """The files of a rulebook as they stand in `folder`: what is missing or no UTF-8 is left for `parse` to name."""
    paths = (folder / f"{name}.yaml" for name in FILES)
    return {path.name: path.read_bytes().decode(errors="replace") for path in paths if path.is_file()}


def parse(sources: Sources) -> Rulebook:
    """The rulebook that these files are. Raises `RulebookInvalid` with all that is wrong, not only the first."""
    shelf = _Shelf(sources)
    problems = [*shelf.problems, *shelf.contradictions()]
    if problems:
        raise RulebookInvalid(problems)
    departments = shelf.get(files.Departments).build()
    routes = shelf.get(files.Routes).build()
    escalating, owning = shelf.get(Escalating), shelf.get(files.Ownership)
    toning = shelf.get(Toning)
    escalation = escalating.build_rules(toning.build_levels())
    platforms = shelf.get(speech.Channels).build()
    accounts = {
        channel: tuple(Account(channel, **dict(entry)) for entry in entries)
        for channel, entries in shelf.get(files.Accounts).accounts.items()
    }
    return Rulebook(
        digest=shelf.digest,
        sources=dict(sources),
        departments=departments,
        topics=shelf.topics,
        words=shelf.words,
        classifier=shelf.classifier,
        routing=Routing(
            routes,
            owning.build(),
            departments,
            escalating.build(toning.build_heeded()),
            FallBack(**dict(owning.fall_back)),
        ),
        rollout=owning.build_rollout(),
        escalation=escalation,
        agreements=shelf.get(Crisis).build(),
        sla_rules=shelf.get(promises.Sla).build(),
        ladders=shelf.get(promises.Sla).build_ladders(),
        windows=shelf.get(promises.Sla).build_windows(),
        calendars=shelf.get(promises.Calendars).build(),
        feedback=shelf.get(asking.Feedback).build(platforms),
        resolutions=shelf.get(files.Resolutions).build(),
        accounts=accounts,
        platforms=platforms,
        guard=shelf.guard,
        hearing=Hearing(shelf.noticed, toning.build(), toning.build_grammar()),
        own_authors=frozenset(
            (account.channel, key)
            for account in chain(*accounts.values())
            for key in _author_keys(account.handle, account.external_id)
        ),
    )


def _author_keys(handle: str | None, external_id: str | None) -> tuple[str, ...]:
    """The keys by which `mentions` knows a person, one for each thing that is known."""
    keys = (Author(handle=handle).key, Author(external_id=external_id).key)
    return tuple(key for key in keys if key)


class _Shelf:
    """The files of one rulebook, each by itself: read, and validated where it could be read."""

    def __init__(self, sources: Sources) -> None:
        self.problems: list[Problem] = []
        self.pages: dict[str, Page] = {}
        self._files: dict[type[Entry], Entry] = {}
        for name in FILES:
            source = sources.get(f"{name}.yaml")
            if source is None:
                self.problems.append(Problem(f"{name}.yaml", 1, "the file is missing", "put it beside the others"))
                continue
            page, problems = read_page(f"{name}.yaml", source)
            self.problems += problems
            if page is not None:
                self.pages[name] = page
        names = {kind: self._keys(name) for kind, name in NAMED_IN.items()}
        for name, page in self.pages.items():
            file, problems = validate(FILES[name], page, names)
            self.problems += problems
            if file is not None:
                self._files[FILES[name]] = file

    def _keys(self, name: str) -> Collection[str] | None:
        return self.pages[name].keys(name) if name in self.pages else None

    def has(self, *models: type[Entry]) -> bool:
        return all(model in self._files for model in models)

    def get(self, model: type[E]) -> E:
        return cast("E", self._files[model])

    @cached_property
    def topics(self) -> dict[str, Topic]:
        return self.get(files.Topics).build()

    @cached_property
    def noticed(self) -> tuple[str, ...]:
        """The phrases of routes and risks, each once."""
        routes = (route.when.words or () for route in self.get(files.Routes).build())
        return tuple(dict.fromkeys(chain(*routes, self.get(Escalating).phrases())))

    @cached_property
    def words(self) -> Words:
        return self.get(Wording).build(self.topics.values())

    @cached_property
    def classifier(self) -> Classifier:
        return Classifier(tuple(self.topics.values()), self.get(files.Topics).contradiction)

    @cached_property
    def guard(self) -> Guard:
        return self.get(speech.Guarding).build()

    @property
    def digest(self) -> str:
        """SHA-256 over the content as JSON, file by file. Order counts, as the first rule that matches wins."""
        content = {name: page.content for name, page in self.pages.items()}
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:DIGEST_LENGTH]

    def contradictions(self) -> Iterator[Problem]:
        """What the files that are right by themselves get wrong together."""
        if self.has(Escalating, Crisis):
            yield from checks.check_agreements(self.pages["crisis"], self.get(Crisis), self.get(Escalating))
        if self.has(files.Routes):
            yield from checks.check_routes(self.pages["routes"], self.get(files.Routes))
        if self.has(files.Routes, files.Accounts):
            routes, accounts = self.get(files.Routes), self.get(files.Accounts)
            yield from checks.check_addressees(self.pages["routes"], routes, accounts)
        if self.has(promises.Sla):
            yield from checks.check_promises(self.pages["sla"], self.get(promises.Sla))
            yield from checks.check_ladders(self.pages["sla"], self.get(promises.Sla))
        if self.has(files.Topics, Wording):
            results = checks.run_examples(self.topics.values(), self.classifier, self.words)
            yield from checks.check_examples(self.pages["topics"], results)
        if self.has(files.Topics, files.Routes, Escalating, Toning, Wording):
            noticed, tones = map(Phrase, self.noticed), self.get(Toning).phrases()
            searched = chain(phrases_of(self.topics.values()), noticed, tones)
            yield from check_wording(self.pages["words"], self.get(Wording), searched)
        if self.has(files.Topics, Toning, Wording):
            yield from check_tones(self.pages["tones"], self.get(Toning), self.words)
        if self.has(speech.Guarding):
            yield from checks.check_guard(self.pages["guard"], self.get(speech.Guarding), self.guard)
        if self.has(files.Topics, files.Ownership):
            owning, topics = self.get(files.Ownership), self.get(files.Topics)
            yield from checks.check_owners(self.pages["ownership"], owning, self.pages["topics"], topics)
