"""Where entries contradict each other, although each is right by itself.

Knows what must be there once, what covers what, and that examples come out as they say. Refuses to know the shape
of an entry (files) and how a text is classified (topics).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, TypeVar

from app.answers.guard import Guard
from app.mentions.mention import plain_handle
from app.routing.decision import Priority
from app.rulebook.agreeing import Crisis
from app.rulebook.entry import Entry
from app.rulebook.escalating import Escalating
from app.rulebook.files import Accounts, Ownership, Routes, Topics
from app.rulebook.located import Page, Problem, nearest
from app.rulebook.promises import Sla, SlaEntry
from app.rulebook.speech import Guarding
from app.sla.policy import Metric
from app.topics.classify import Classification, Classifier, Example, Topic, readable
from app.topics.words import Words

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """A worked example and what it got. `position` counts from 0 under its topic."""

    topic: str
    position: int
    example: Example
    classification: Classification

    @property
    def passed(self) -> bool:
        return (self.classification.topic == self.topic) is not self.example.counter

    def __str__(self) -> str:
        """What was wanted and what came, with the evidence for it."""
        wanted = f"anything but {self.topic}" if self.example.counter else self.topic
        found = ", ".join(f"'{e.found}' for {e.topic} ({e.weight:+g})" for e in self.classification.evidence)
        got = f"{self.classification.topic or 'no topic'} ({self.classification.confidence:.2f})"
        return f"'{self.example.text}' wants {wanted} and gets {got}, on {found or 'no phrase'}"


def run_examples(topics: Collection[Topic], classifier: Classifier, words: Words) -> tuple[ExampleResult, ...]:
    """Classify the examples of all topics, in the order of the file."""
    examples = [(topic.slug, *numbered) for topic in topics for numbered in enumerate(topic.examples)]
    got = classifier.classify([readable(example.text, example.lang, words) for _, _, example in examples])
    return tuple(ExampleResult(*example, classification) for example, classification in zip(examples, got, strict=True))


def check_examples(page: Page, results: Collection[ExampleResult]) -> Iterator[Problem]:
    for result in results:
        if not result.passed:
            where = ("topics", result.topic, "examples", result.position)
            yield page.problem(where, str(result), "correct a phrase, its weight or the example")


def check_guard(page: Page, file: Guarding, guard: Guard) -> Iterator[Problem]:
    """What is ours is data of a known kind, and examples find what they say."""
    without_own = Guard(file.guard.region, file.guard.numbers, ())
    for index, text in enumerate(file.guard.own):
        if not without_own.find(text):
            where = ("guard", "own", index)
            yield page.problem(where, f"'{text}' is no personal data", "leave it out, or write it as in a reply")
    for index, example in enumerate(file.guard.examples):
        got = tuple(finding.kind for finding in guard.find(example.text))
        if got != example.finds:
            message = f"'{example.text}' wants {_listed(example.finds)} and gets {_listed(got)}"
            yield page.problem(("guard", "examples", index), message, "correct a pattern or the example")


def _listed(kinds: Collection[str]) -> str:
    return ", ".join(kinds) or "nothing"


def check_owners(page: Page, file: Ownership, topics_page: Page, topics: Topics) -> Iterator[Problem]:
    """One owner for each topic on each channel, and one for each topic anywhere."""
    lines: dict[tuple[str, str | None], int] = {}
    for index, entry in enumerate(file.ownership):
        where = ("ownership", index)
        for topic, channel in product(entry.topics, entry.channels or [None]):
            place = f"topic '{topic}' on {channel}" if channel else f"topic '{topic}' without channels"
            if (topic, channel) in lines:
                first = lines[topic, channel]
                yield page.problem(where, f"{place} is owned twice", f"keep one; the first is on line {first}")
            lines.setdefault((topic, channel), page.line(where))
    for topic in topics.topics:
        if (topic, None) not in lines:
            way_out = f"add it to a line without channels in {page.file}"
            yield topics_page.problem(("topics", topic), f"topic '{topic}' has no owner", way_out)


def check_routes(page: Page, file: Routes) -> Iterator[Problem]:
    """No route stands below one that catches all it could."""
    for later, earlier in _covered(file.routes, lambda earlier, later: _asks_no_more(earlier.when, later.when)):
        way_out = f"move it above '{earlier}' or give '{earlier}' narrower conditions"
        yield page.problem(("routes", later), f"route '{later}' never matches: '{earlier}' covers it", way_out)


def check_addressees(page: Page, file: Routes, accounts: Accounts) -> Iterator[Problem]:
    """Routes name profiles that there are."""
    handles = {plain_handle(account.handle) for profiles in accounts.accounts.values() for account in profiles}
    for name, route in file.routes.items():
        for handle in sorted((route.when.accounts or frozenset()) - handles):
            where = ("routes", name, "when", "accounts")
            yield page.problem(where, f"unknown account '{handle}'", nearest(handle, handles))


def check_promises(page: Page, file: Sla) -> Iterator[Problem]:
    """Each metric and priority has a rule for every case, and no rule stands below one that catches all it could."""
    for metric in Metric:
        rules = {name: rule for name, rule in file.sla.items() if rule.metric is metric}
        anywhere = [rule for rule in rules.values() if not rule.when.model_dump(exclude_none=True)]
        promised = {priority for rule in anywhere for priority in rule.targets}
        missing = [priority for priority in Priority if priority not in promised]
        if missing:
            message = f"{metric} promises nothing at priority {', '.join(missing)} when no other rule fits"
            yield page.problem(("sla",), message, "add a rule without `when` as the last of the metric")
        for later, earlier in _covered(rules, _promises_all):
            message = f"rule '{later}' is never chosen: '{earlier}' covers it"
            yield page.problem(("sla", later), message, f"move it above '{earlier}'")


def check_ladders(page: Page, file: Sla) -> Iterator[Problem]:
    """Rules name ladders that there are, and a ladder has no rung twice: each is climbed once."""
    for name, rule in file.sla.items():
        if rule.ladder is not None and rule.ladder not in file.ladders:
            yield page.problem(
                ("sla", name, "ladder"), f"unknown ladder '{rule.ladder}'", nearest(rule.ladder, file.ladders)
            )
    for name, rungs in file.build_ladders().items():
        for place, rung in enumerate(rungs):
            if rung in rungs[:place]:
                yield page.problem(("ladders", name, place), f"ladder '{name}' has a rung twice", "keep one")


def check_agreements(page: Page, crisis: Crisis, escalating: Escalating) -> Iterator[Problem]:
    """Something is agreed for each severity that there is, and for no other."""
    wanted, agreed = escalating.spike.severities.keys(), crisis.severities.keys()
    for name in sorted(wanted - agreed):
        yield page.problem(("severities",), f"nothing is agreed for severity '{name}'", "add who says what then")
    for name in sorted(agreed - wanted):
        message = f"unknown severity '{name}'"
        yield page.problem(("severities", name), message, nearest(name, wanted))


def _covered(entries: Mapping[str, T], covers: Callable[[T, T], bool]) -> Iterator[tuple[str, str]]:
    """Each entry that comes too late, with the first of the earlier ones that covers it."""
    for index, (later, entry) in enumerate(entries.items()):
        earlier = (name for name, before in islice(entries.items(), index) if covers(before, entry))
        yield from ((later, name) for name in islice(earlier, 1))


def _promises_all(earlier: SlaEntry, later: SlaEntry) -> bool:
    return later.targets.keys() <= earlier.targets.keys() and _asks_no_more(earlier.when, later.when)


def _asks_no_more(earlier: Entry, later: Entry) -> bool:
    """Whether every case that meets the conditions of `later` meets those of `earlier`."""
    wanted = dict(later)
    return all(_includes(asked, wanted[name]) for name, asked in earlier)


def _includes(asked: Any, wanted: Any) -> bool:
    """Whether all that satisfies the condition `wanted` satisfies `asked`. None asks nothing; a number is a minimum."""
    if asked is None or wanted is None:
        return asked is None
    if isinstance(asked, frozenset | tuple):
        return set(wanted) <= set(asked)
    if isinstance(asked, int) and not isinstance(asked, bool):
        return bool(asked <= wanted)
    return bool(asked == wanted)
