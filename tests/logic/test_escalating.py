"""What is wrong in what was agreed about PR is told with its line and the way out."""

import pytest

from tests.logic.test_rulebook_mistakes import problems
from tests.support.rules import edited


@pytest.mark.parametrize(
    ("file", "old", "new", "problem", "way_out"),
    [
        (
            "escalation.yaml",
            "threshold: 50",
            "threshold: 50\nwatchdogs: {kassa: {name: Kassa, kind: programme, risk: media, words: [kassa]}}",
            "escalation.yaml:1: watchdog 'kassa' tells unknown risk 'media'",
            "name one of `risks`",
        ),
        (
            "escalation.yaml",
            "reach:",
            "  media: {priority: high, words: [pers, advocaat]}\nreach:",
            "escalation.yaml:1: phrase 'advocaat' tells 'legal' and 'media'",
            "keep it under one of them",
        ),
        (
            "escalation.yaml",
            "threshold: 50",
            "threshold: 50\ntell: [press]",
            "escalation.yaml:6: unknown department 'press'",
            "use one of: billing, legal",
        ),
        (
            "escalation.yaml",
            "calm: 0.1",
            "calm: 0.001",
            "escalation.yaml:7: an incident would flicker",
            "make `calm` larger than `chance`",
        ),
        (
            "crisis.yaml",
            "Dag {name}",
            "Dag {naam}",
            "crisis.yaml:6: There is no merge field {naam}; there are: {customer_name}, {ticket_number}, {topic}.",
            "use the merge fields at the top of crisis.yaml",
        ),
        (
            "escalation.yaml",
            "{raised: {posts: 5, times: 2}}",
            "{raised: {posts: 5, times: 2}, worse: {posts: 9, times: 3}}",
            "crisis.yaml:1: nothing is agreed for severity 'worse'",
            "add who says what then",
        ),
        (
            "crisis.yaml",
            "severities:",
            "severities:\n  risen: {lead: b, say: [{who: pr, says: a, where: [press], leaves: n}], holding: {en: Hi}}",
            "crisis.yaml:2: unknown severity 'risen'",
            "did you mean 'raised'?",
        ),
        (
            "crisis.yaml",
            "    lead: boss",
            "    lead: boss\n    leed: boss",
            "crisis.yaml:4: unknown key 'leed'",
            "did you mean 'lead'?",
        ),
    ],
)
def test_a_mistake_is_told_with_the_way_out(file: str, old: str, new: str, problem: str, way_out: str) -> None:
    assert problems(edited(file, old, new)) == [f"{problem}; {way_out}"]
