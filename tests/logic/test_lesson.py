"""Which post teaches most, why, and which say the same."""

import pytest

from app.topics.lessons.lesson import doubt, from_scores, reasons, worth
from app.topics.lessons.likeness import BANDS, bands

SURE = [("delivery", 0.94), ("invoice", 0.03), ("roaming", 0.01)]
TORN = [("delivery", 0.41), ("invoice", 0.40), ("roaming", 0.1)]


@pytest.mark.parametrize(
    ("best", "expected"),
    [(SURE, 0.09), (TORN, 0.99), ([("delivery", 0.6)], 0.4), ([("a", 0.2), ("b", 0.2)], 1.0), ([], 1.0)],
)
def test_doubt_is_what_the_margin_leaves(best: list[tuple[str, float]], expected: float) -> None:
    assert doubt(best) == pytest.approx(expected)


def test_the_narrow_margin_comes_first_then_the_rare_topic() -> None:
    assert worth(TORN, labels=1000) > worth(SURE, labels=0)
    assert worth(TORN, labels=0) > worth(TORN, labels=10) > worth(TORN, labels=1000)
    assert worth(TORN, labels=0) > worth([], labels=0) >= worth(TORN, labels=1000) - 0.01


def test_a_model_that_knows_nothing_of_a_post_is_near_no_topic() -> None:
    lost = [("outage", 0.041), ("delivery", 0.04)]
    assert worth(lost, labels=0) == worth([], labels=0) < worth(TORN, labels=0)
    assert [reason.code for reason in reasons(lost, labels=0, alike=0)] == ["unknown"]


@pytest.mark.parametrize("best", [SURE, TORN, [], [("a", 1.0)]])
@pytest.mark.parametrize("labels", [0, 1, 10**9])
def test_worth_is_a_share(best: list[tuple[str, float]], labels: int) -> None:
    assert 0 <= worth(best, labels) <= 1


def test_scores_of_phrases_leave_room_for_what_nobody_knows() -> None:
    weak, strong = from_scores([("delivery", 0.5)]), from_scores([("delivery", 4.0), ("invoice", 1.0)])
    assert dict(weak) == pytest.approx({"delivery": 1 / 3})
    assert dict(strong) == pytest.approx({"delivery": 2 / 3, "invoice": 1 / 6})
    assert from_scores([]) == []
    assert doubt(weak) > doubt(strong)


def test_the_reasons_are_told_in_words() -> None:
    assert [reason.text for reason in reasons(TORN, labels=3, alike=7)] == [
        "it may be delivery (0.41) or invoice (0.40)",
        "3 posts about delivery were labelled so far",
        "7 more posts say nearly the same",
    ]
    assert [reason.code for reason in reasons(SURE[:1], labels=99, alike=0)] == ["one"]
    assert [reason.code for reason in reasons([], labels=0, alike=0)] == ["unknown"]


ASKED = "Goedemiddag, wij wachten al twee weken op een nieuwe simkaart en niemand kan ons vertellen waar die blijft"


def alike(one: str, other: str) -> bool:
    return not set(bands(one)).isdisjoint(bands(other))


@pytest.mark.parametrize(
    "other",
    [
        ASKED.upper(),
        f"@poldermobiel {ASKED}!!! https://voorbeeld.nl/7",
        ASKED.replace(",", " ..."),
        f"{ASKED} 123",
        f"{ASKED} hoor",
    ],
)
def test_the_same_once_more_is_alike(other: str) -> None:
    assert alike(ASKED, other)


@pytest.mark.parametrize(
    "other",
    [
        "Goedemiddag, wij wachten al twee weken op een monteur en bellen helpt niet",
        "Mijn factuur klopt niet, ik betaal dubbel",
        "",
        "\N{THUMBS UP SIGN}",
    ],
)
def test_what_only_begins_alike_is_not(other: str) -> None:
    assert not alike(ASKED, other)


@pytest.mark.parametrize("text", ["", " ", "\N{THUMBS UP SIGN}", "\u200f\u202e", "a" * 20_000, "12345", "\ud800"])
def test_any_text_has_its_numbers(text: str) -> None:
    found = bands(text)
    assert len(found) == BANDS
    assert all(0 <= one < 2**63 for one in found)
    assert found == bands(text)
