"""What a rulebook that is right says, the small one of these tests and the one that is shipped."""

from datetime import UTC, datetime, timedelta

import pytest

from app.routing.ownership import Stage
from app.sla.business_time import add
from app.topics.classify import readable
from tests.support.rules import FILES, OWNERSHIP, edited, loaded, shipped

RULEBOOK = loaded(FILES)


def test_a_rulebook_is_what_its_files_say() -> None:
    assert RULEBOOK.departments["billing"].name == {"nl": "Facturatie", "en": "Billing"}
    assert [(owning.channels, owning.stage, owning.percent) for owning in RULEBOOK.routing.ownerships] == [
        (None, Stage.CENTRAL, None),
        (frozenset({"x"}), Stage.PILOT, 30),
    ]
    assert [route.name for route in RULEBOOK.routing.routes] == ["narrow", "broad"]
    assert RULEBOOK.routing.routes[0].when.words == ("avg", "gdpr")
    assert RULEBOOK.feedback.cool_down == timedelta(days=90)
    assert RULEBOOK.sla_rules[0].targets == {"normal": timedelta(minutes=5)}
    assert [(phrase.text, phrase.weight, phrase.language) for phrase in RULEBOOK.topics["invoice"].phrases] == [
        ("factuur", 1.0, "nl"),
        ("rekening*", 2.0, "nl"),
        ("bill", 1.0, None),
    ]
    late_on_christmas_eve = datetime(2026, 12, 24, 10, 30, tzinfo=UTC)
    due_at = add(RULEBOOK.calendars["office"], late_on_christmas_eve, timedelta(hours=1))
    assert due_at == datetime(2026, 12, 28, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("process: claims", "process: claims  # of any kind", True),
        ("process: claims", "process: 'claims'", True),
        ("process: claims", "process: complaints", False),
    ],
)
def test_the_digest_names_the_content(old: str, new: str, same: bool) -> None:
    assert (loaded(edited("departments.yaml", old, new)).digest == RULEBOOK.digest) is same


def test_the_digest_counts_the_order_of_rules() -> None:
    heading, *lines = OWNERSHIP.splitlines()
    assert loaded(FILES | {"ownership.yaml": "\n".join((heading, *reversed(lines)))}).digest != RULEBOOK.digest


@pytest.mark.parametrize(
    ("channel", "handle", "external_id", "own"),
    [
        ("x", "poldermobiel", None, True),
        ("x", "@POLDERMOBIEL", None, True),
        ("x", "renamed", "42", True),
        ("x", None, "42", True),
        ("x", "poldermobiel", "43", True),
        ("x", "poldermobiel_fan", "43", False),
        ("x", None, None, False),
        ("forum", "poldermobiel", "42", False),
        ("elsewhere", "poldermobiel", None, False),
    ],
)
def test_own_posts_are_recognised(channel: str, handle: str | None, external_id: str | None, own: bool) -> None:
    assert RULEBOOK.is_own(channel, handle, external_id) is own


def test_words_of_routes_and_risks_are_found_as_they_stand() -> None:
    texts = [readable("Mijn Advocaat vraagt dit, AVG!", "nl"), readable("Dank je wel", "nl"), readable("")]
    assert [heard.words for heard in RULEBOOK.hear(texts)] == [{"avg": "AVG", "advocaat": "Advocaat"}, {}, {}]


def test_the_production_rulebook_has_examples_of_each_topic_in_both_languages() -> None:
    rulebook = shipped()
    assert len(rulebook.topics) >= 25
    for topic in rulebook.topics.values():
        languages = [example.lang for example in topic.examples if not example.counter]
        assert languages.count("nl") >= 5, topic.slug
        assert languages.count("en") >= 5, topic.slug


def test_the_production_rulebook_lets_the_oil_stain_spread() -> None:
    stages = {owning.stage for owning in shipped().routing.ownerships}
    assert stages == set(Stage)


def test_a_survey_keeps_to_the_first_window_of_its_platform() -> None:
    channels = shipped().feedback.channels
    windows = {name: channels[name].reply_window for name in ("whatsapp", "tiktok", "instagram", "x")}
    assert windows == {
        "whatsapp": timedelta(hours=24),
        "tiktok": timedelta(hours=48),
        "instagram": timedelta(hours=24),
        "x": None,
    }
