"""What is wrong in calendars.yaml and sla.yaml is told with its line and the way out."""

import pytest

from app.rulebook import RulebookInvalid
from tests.support.rules import edited, loaded


@pytest.mark.parametrize(
    ("file", "old", "new", "problem", "way_out"),
    [
        (
            "sla.yaml",
            "warn: 0.5",
            "ladder: stairs",
            "sla.yaml:16: unknown ladder 'stairs'",
            "use one of: none yet",
        ),
        (
            "sla.yaml",
            "warn: 0.5",
            "warn: 2 hours",
            "sla.yaml:16: a warning is a share of the target, above 0 and up to 1, or a time that is shorter, not -1.0",
            "correct the targets or the warning",
        ),
        (
            "sla.yaml",
            "warn: 0.5}",
            "warn: 0.5}\nladders:\n  steep:\n    - {at: noon, notify: lead}",
            "sla.yaml:19: 'noon' is no place on a ladder",
            "write a share of the target such as 0.9, breach, 15 minutes before or 2 hours after",
        ),
        (
            "sla.yaml",
            "warn: 0.5}",
            "warn: 0.5}\nladders:\n  steep:\n    - {at: breach, notify: lead, escalate: pr}",
            "sla.yaml:19: a rung does one thing",
            "give it one of: notify, raise, take_back, escalate",
        ),
        (
            "sla.yaml",
            "warn: 0.5}",
            "warn: 0.5}\nladders:\n  steep:\n    - {at: 1, notify: lead}\n    - {at: breach, notify: lead}",
            "sla.yaml:20: ladder 'steep' has a rung twice",
            "keep one",
        ),
        (
            "calendars.yaml",
            "    holidays:",
            "    yearly: {12-32: []}\n    holidays:",
            "calendars.yaml:7: '12-32' is no date of every year",
            "write month and day, as in 12-24",
        ),
        (
            "calendars.yaml",
            "    holidays:",
            "    changes: {2027-01-01: {}}\n    holidays:",
            "calendars.yaml:7: a change that changes nothing",
            "give another week or other holidays",
        ),
        (
            "calendars.yaml",
            "    holidays:",
            "    changes: {2027-01-01: {week: {mon: []}}}\n    holidays:",
            "calendars.yaml:7: a week in which nobody ever works",
            "give one day at least its hours",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_way_out(
    file: str, old: str, new: str, problem: str, way_out: str
) -> None:
    with pytest.raises(RulebookInvalid) as caught:
        loaded(edited(file, old, new))

    assert [str(one) for one in caught.value.problems] == [f"{problem}; {way_out}"]
