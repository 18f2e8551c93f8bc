"""What docs/topics.md shows of decisions is what they say of themselves today."""

import re
from uuid import UUID

import pytest

from app.routing.decision import Subject, as_record, decide, in_words
from app.settings import PROJECT
from tests.support.learned import model_of
from tests.support.rules import shipped

RULES = shipped().with_model(
    model_of(
        {"device_repair": ["wifibol", "knippert", "paars"], "delivery_delay": ["pakket"], "invoice_wrong": ["factuur"]},
        strength=0.6,
    ),
    4,
)
_SECTION = (PROJECT / "docs" / "topics.md").read_text("utf-8").partition("## How a decision explains itself")[2]
SHOWN = re.findall(r"```\n(.+)\n((?:    .+\n)+)```", _SECTION)


def words(text: str) -> list[str]:
    """Of a post on the forum, without the name of the rulebook."""
    read = RULES.read(text)
    [found], [heard] = RULES.classifier.classify([read]), RULES.hear([read])
    post = Subject(UUID(int=7), "forum", None, "post", read.language, None, False, "public", found, heard)
    return [one.partition(", rulebook")[0] for one in in_words(as_record(decide(post, RULES.routing, RULES.digest)))]


def test_a_rule_a_model_an_abstention_and_parts_are_shown() -> None:
    assert len(SHOWN) == 4


@pytest.mark.parametrize(("text", "said"), SHOWN)
def test_what_is_shown_is_said(text: str, said: str) -> None:
    assert [line.strip() for line in said.splitlines()] == words(text)
