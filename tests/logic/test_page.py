"""The colours of the page can be read by everybody: contrast is arithmetic."""

from dataclasses import replace

import pytest

from app.feedback.page import Palette, contrast, faint
from app.rulebook import Problem, RulebookInvalid, parse
from tests.support.rules import FILES, shipped

PRODUCTION = shipped().feedback


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),  # the grey that is famous for just failing
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#ffffff", 8.59),
        ("#FF0000", "#0000FF", 2.15),
    ],
)
def test_contrast_agrees_with_known_ratios(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(one, other) == contrast(other, one)


@pytest.mark.parametrize("palette", [PRODUCTION.light, PRODUCTION.dark], ids=["light", "dark"])
def test_the_production_colours_can_be_read(palette: Palette) -> None:
    assert list(faint(palette)) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"text": "#777777"}, [("text", "page")]),
        ({"edge": "#949494"}, []),
        ({"edge": "#959595"}, [("edge", "page")]),
        ({"accent": "#ffd700"}, [("accent", "page"), ("on_accent", "accent")]),
        ({"wrong": "#ff6b6b"}, [("wrong", "page")]),
    ],
)
def test_what_is_too_faint_is_named(change: dict[str, str], found: list[tuple[str, str]]) -> None:
    palette = replace(PRODUCTION.light, **change)

    assert [(one.ink, one.ground) for one in faint(palette)] == found


def test_rules_with_colours_that_cannot_be_read_are_refused_with_the_figure() -> None:
    broken = {**FILES, "feedback.yaml": FILES["feedback.yaml"].replace("#0b4fa0", "#ffd700")}

    with pytest.raises(RulebookInvalid) as refused:
        parse(broken)

    assert refused.value.problems == (
        Problem(
            "feedback.yaml",
            8,
            "accent on page has a contrast of 1.40, which not everybody can see",
            "choose colours with at least 4.5 (WCAG 2.2)",
        ),
    )
