"""What is wrong in a rulebook is told with its line and the way out."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.rulebook import RulebookInvalid, load
from tests.support.rules import ACCOUNTS, CHANNELS, ESCALATION, FEEDBACK, FILES, SLA, TOPICS, edited, loaded


def problems(files: Mapping[str, str]) -> list[str]:
    with pytest.raises(RulebookInvalid) as caught:
        loaded(files)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("file", "old", "new", "problem", "way_out"),
    [
        # what is no YAML, or not the shape of the file
        (
            "routes.yaml",
            "routes:",
            "routes: [",
            "routes.yaml:3: no YAML: did not find expected ',' or ']'",
            "correct the text at or just above this line",
        ),
        (
            "accounts.yaml",
            "  forum: []",
            "  x: []",
            "accounts.yaml:4: key 'x' stands twice",
            "keep one; the first is on line 2",
        ),
        (
            "departments.yaml",
            "process: claims",
            "process: [claims",
            "departments.yaml:9: no YAML: did not find expected ',' or ']'",
            "correct the text at or just above this line",
        ),
        (
            "departments.yaml",
            "  legal:",
            "  [legal]:",
            "departments.yaml:6: a key must be a word",
            "put a name before the colon",
        ),
        (
            "accounts.yaml",
            ACCOUNTS,
            "- x",
            "accounts.yaml:1: the file: Input should be a valid dictionary or instance of Accounts",
            "see the syntax at the top of accounts.yaml",
        ),
        ("accounts.yaml", ACCOUNTS, "", "accounts.yaml:1: key 'accounts' is missing", "add 'accounts:' here"),
        # what platforms take
        (
            "channels.yaml",
            "  x:\n",
            "  y:\n",
            "channels.yaml:2: unknown channel 'y'",
            "use one of: forum, x",
        ),
        (
            "channels.yaml",
            "{weighted: 280}",
            "{letters: 280}",
            (
                "channels.yaml:3: channels.x.public.limits.letters: Input should be 'characters', 'graphemes', "
                "'bytes', 'weighted' or 'mastodon'"
            ),
            "see the syntax at the top of channels.yaml",
        ),
        (
            "channels.yaml",
            "standard: 24 hours, human_agent: 7 days",
            "human_agent: 7 days, standard: 24 hours",
            "channels.yaml:4: windows are not in order",
            "put the shortest first: a reply goes out in the first that fits",
        ),
        (
            "channels.yaml",
            ", when_closed: Wait for the customer.",
            "",
            "channels.yaml:4: windows and when_closed come together",
            "give both, or neither where replies are always taken",
        ),
        (
            "channels.yaml",
            CHANNELS,
            "channels: {x: {}}",
            "channels.yaml:1: nothing can be said here",
            "give `public: {}`, `private: {}` or both, or remove the channel",
        ),
        # keys and values of one file
        (
            "departments.yaml",
            "  legal:",
            "  legal:\n    proces: claims",
            "departments.yaml:7: unknown key 'proces'",
            "did you mean 'process'?",
        ),
        (
            "calendars.yaml",
            "country: NL",
            "country: NL, land: NL",
            "calendars.yaml:7: unknown key 'land'",
            "use one of: country, hours, subdivision",
        ),
        (
            "calendars.yaml",
            "country: NL",
            "country: XX",
            "calendars.yaml:7: no holidays are known of country 'XX'",
            "use the code of ISO 3166, such as NL",
        ),
        (
            "calendars.yaml",
            "Europe/Amsterdam",
            "Europe/Amsterdm",
            "calendars.yaml:3: calendars.office.zone: invalid timezone: Europe/Amsterdm",
            "see the syntax at the top of calendars.yaml",
        ),
        (
            "calendars.yaml",
            "09:00-12:00",
            "9-12",
            "calendars.yaml:8: write opening hours as 09:00-17:00, not '9-12'",
            "correct the hours",
        ),
        (
            "topics.yaml",
            "klopt niet, lang: nl",
            "klopt niet, lnag: nl",
            "topics.yaml:10: unknown key 'lnag'",
            "did you mean 'lang'?",
        ),
        ("topics.yaml", "    not:", "    nott:", "topics.yaml:7: unknown key 'nott'", "did you mean 'not'?"),
        (
            "topics.yaml",
            "factuur,",
            "factuur ...,",
            "topics.yaml:5: `...` stands between two words: write `waar ... pakket`",
            "see the syntax of phrases at the top of topics.yaml",
        ),
        (
            "feedback.yaml",
            "  delay: 1 minute",
            "  delay: 1 minute\n  skip_resolutions: [spma]",
            "feedback.yaml:4: unknown resolution 'spma'",
            "did you mean 'spam'?",
        ),
        (
            "resolutions.yaml",
            "  merged: {name: {nl: Samengevoegd, en: Merged}, automatic: true}\n",
            "",
            "resolutions.yaml:1: resolution 'merged' is needed",
            "put it here, with automatic: true",
        ),
        (
            "resolutions.yaml",
            "en: Solved}",
            "en: Solved}, automatic: true",
            "resolutions.yaml:1: resolution 'solved' is needed",
            "put it here, for people to choose",
        ),
        (
            "feedback.yaml",
            "90 days",
            "a while",
            "feedback.yaml:2: 'a while' is no length of time",
            "write it as '15 minutes', '4 hours' or '90 days'",
        ),
        (
            "sla.yaml",
            "normal: 5 minutes",
            "normal: 0 minutes",
            "sla.yaml:2: a target must be longer than nothing, not 0:00:00",
            "correct the targets or the warning",
        ),
        (
            "sla.yaml",
            "warn: 0.5",
            "warn: 2",
            "sla.yaml:16: a warning is a share of the target, above 0 and up to 1, or a time that is shorter, not 2.0",
            "correct the targets or the warning",
        ),
        (
            "escalation.yaml",
            "priority: high, words",
            "priority: higher, words",
            "escalation.yaml:2: risks.legal.priority: Input should be 'urgent', 'high', 'normal' or 'low'",
            "see the syntax at the top of escalation.yaml",
        ),
        (
            "escalation.yaml",
            "followers: 1000",
            "followers: 0",
            "escalation.yaml:4: reach.0.followers: Input should be greater than or equal to 1",
            "see the syntax at the top of escalation.yaml",
        ),
        (
            "routes.yaml",
            "channels: [x]",
            "channels: []",
            "routes.yaml:3: nothing stands here",
            "name at least one, or leave the key out",
        ),
        (
            "routes.yaml",
            "tags: [big]",
            "",
            "routes.yaml:7: a route that gives nothing",
            "give a priority, tags or a department, or remove the route",
        ),
        (
            "routes.yaml",
            "priority: high",
            "department: legal",
            "routes.yaml:4: department and stage come together",
            "give both, or neither to leave the owner as it is",
        ),
        (
            "routes.yaml",
            "priority: high",
            "department: legal, stage: pilot",
            "routes.yaml:4: a route cannot be a pilot",
            "pilots stand in ownership.yaml; use central, advise or live",
        ),
        (
            "routes.yaml",
            "tags: [big]",
            "department: legal, stage: advise",
            "routes.yaml:5: a route that gives a department without topics",
            "name the topics; a mention without one waits in triage whatever the route",
        ),
        (
            "ownership.yaml",
            ", percent: 30",
            "",
            "ownership.yaml:3: a pilot without percent",
            "say how many percent of the tickets, or make it advise or live",
        ),
        (
            "ownership.yaml",
            "stage: central",
            "stage: central, percent: 30",
            "ownership.yaml:2: stage central with percent",
            "leave percent out, or make it a pilot",
        ),
        # names of other files
        (
            "ownership.yaml",
            "department: billing, stage: central",
            "department: biling, stage: central",
            "ownership.yaml:2: unknown department 'biling'",
            "did you mean 'billing'?",
        ),
        (
            "routes.yaml",
            "topics: [invoice]",
            "topics: [weather]",
            "routes.yaml:3: unknown topic 'weather'",
            "use one of: invoice",
        ),
        (
            "routes.yaml",
            "channels: [x]",
            "channels: [twitter]",
            "routes.yaml:3: unknown channel 'twitter'",
            "use one of: forum, x",
        ),
        (
            "departments.yaml",
            "process: claims\n    calendar: office",
            "process: claims\n    calendar: ofice",
            "departments.yaml:9: unknown calendar 'ofice'",
            "did you mean 'office'?",
        ),
        (
            "routes.yaml",
            "followers_min: 10",
            "accounts: ['@PolderMobil', '@POLDERMOBIEL']",
            "routes.yaml:6: unknown account 'poldermobil'",
            "did you mean 'poldermobiel'?",
        ),
        # entries that contradict each other
        (
            "ownership.yaml",
            "  - {topics: [invoice], channels: [x]",
            "  - {topics: [invoice, invoice], channels: [x]",
            "ownership.yaml:3: topic 'invoice' on x is owned twice",
            "keep one; the first is on line 3",
        ),
        (
            "ownership.yaml",
            "department: billing, stage: central",
            "channels: [forum], department: billing, stage: central",
            "topics.yaml:2: topic 'invoice' has no owner",
            "add it to a line without channels in ownership.yaml",
        ),
        (
            "ownership.yaml",
            "channels: [x], department: billing, stage: pilot, percent: 30",
            "department: legal, stage: live",
            "ownership.yaml:3: topic 'invoice' without channels is owned twice",
            "keep one; the first is on line 2",
        ),
        (
            "routes.yaml",
            "followers_min: 10",
            "topics: [invoice], channels: [x], words: [gdpr], kinds: [dm]",
            "routes.yaml:5: route 'broad' never matches: 'narrow' covers it",
            "move it above 'narrow' or give 'narrow' narrower conditions",
        ),
        (
            "sla.yaml",
            "targets: {urgent: 5 minutes}",
            "targets: {normal: 1 minute}",
            "sla.yaml:7: rule 'narrower' is never chosen: 'narrow' covers it",
            "move it above 'narrow'",
        ),
        (
            "sla.yaml",
            "metric: ownership, ",
            "metric: ownership, when: {channels: [forum]}, ",
            "sla.yaml:1: ownership promises nothing at priority urgent, high, normal, low when no other rule fits",
            "add a rule without `when` as the last of the metric",
        ),
        (
            "topics.yaml",
            "Mijn factuur klopt niet",
            "Waar is de winkel",
            "topics.yaml:10: 'Waar is de winkel' wants invoice and gets no topic (0.00), on no phrase",
            "correct a phrase, its weight or the example",
        ),
        (
            "topics.yaml",
            "Waar is de winkel",
            "Bill",
            "topics.yaml:11: 'Bill' wants anything but invoice and gets invoice (0.63), on 'Bill' for invoice (+1)",
            "correct a phrase, its weight or the example",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_way_out(
    file: str, old: str, new: str, problem: str, way_out: str
) -> None:
    assert problems(edited(file, old, new)) == [f"{problem}; {way_out}"]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    broken = FILES | {
        "accounts.yaml": ACCOUNTS.replace("nl}", "de}"),
        "escalation.yaml": ESCALATION.replace("high, words: [advocaat]", "&p high, words: [*p]"),
        "feedback.yaml": FEEDBACK.replace("delay: 1 minute", "delay: soon").replace("90 days", "never"),
        "routes.yaml": "routes: [",
        "sla.yaml": SLA.replace("pauses: [customer]", "pauses: [bilking]"),
        "topics.yaml": TOPICS.replace("Waar is de winkel", "Factuur"),
    }
    del broken["calendars.yaml"]
    assert [told.split(": ")[0] for told in problems(broken)] == [
        "accounts.yaml:3",
        "calendars.yaml:1",
        "escalation.yaml:2",
        "escalation.yaml:2",
        "feedback.yaml:2",
        "feedback.yaml:3",
        "routes.yaml:2",
        "sla.yaml:14",
        "topics.yaml:11",
    ]


def test_parts_within_parts_have_an_end() -> None:
    deep = "[" * 1_000 + "]" * 1_000
    told = "routes.yaml:2: more than 20 parts within each other; write it flatter"
    assert problems(FILES | {"routes.yaml": f"# deep\nroutes: {deep}\n"}) == [told]


def test_a_file_of_other_bytes_than_text_is_told() -> None:
    with TemporaryDirectory() as folder:
        for name, text in FILES.items():
            Path(folder, name).write_bytes(text.encode("utf-16" if name == "sla.yaml" else "utf-8") + b"\xff")
        with pytest.raises(RulebookInvalid) as caught:
            load(Path(folder))
    assert {problem.file for problem in caught.value.problems} == set(FILES)
