"""Gates open on enough good cases, shut on enough bad ones, and say nothing on few."""

import pytest

from app.routing.ownership import Owning, Stage
from app.routing.readiness import (
    Figures,
    Gates,
    Rollout,
    Step,
    broken,
    is_ready,
    judge,
    next_step,
    parse_step,
    step_before,
)
from app.rulebook.stepping import stepped, steps_in

GOOD = Figures(40, 40, 38, 40, 30, 4, 35, 20, 5)
STEPS = Rollout().steps


@pytest.mark.parametrize(
    ("figures", "ready", "shut"),
    [
        (GOOD, True, []),
        (Figures(), False, []),
        (Figures(40, 40, 35, 40, 30, 4, 35, 20, 5), False, ["acceptance"]),
        (Figures(40, 40, 36, 40, 24, 6, 30, 10, 10), True, []),  # each at its very bound
        (Figures(40, 40, 38, 40, 23, 7, 35, 5, 20), False, ["answered", "hand_back", "nps"]),
        (Figures(40, 40, 38, 40, 30, 4, 29, 0, 29), False, []),  # too few scores to shut the gate, and to open it
    ],
)
def test_gates(figures: Figures, ready: bool, shut: list[str]) -> None:
    gates = judge(figures, Gates())
    assert is_ready(gates) is ready
    assert [gate.name for gate in broken(gates)] == shut


def test_a_gate_that_is_not_set_asks_nothing() -> None:
    assert [gate.name for gate in judge(GOOD, Gates(acceptance=None, nps=None))] == ["answered", "hand_back"]


def test_a_gate_tells_its_figure_and_what_is_wanted() -> None:
    assert [gate.text for gate in judge(GOOD, Gates(answered=None, acceptance=None))] == [
        "hand_back is 0.10 of 40 cases, wanted is at most 0.15",
        "nps is 42.86 of 35 cases, wanted is at least 0",
    ]
    assert judge(Figures(), Gates())[0].text == "acceptance is none of 0 cases, wanted is at least 0.9"


def test_figures_add_up() -> None:
    assert Figures(80, 80, 76, 80, 60, 8, 70, 40, 10) == GOOD + GOOD


@pytest.mark.parametrize(
    ("now", "back", "ahead"),
    [
        ("central", None, "advise"),
        ("advise", None, "pilot 30 %"),
        ("pilot 1 %", "advise", "pilot 30 %"),
        ("pilot 10 %", "advise", "pilot 30 %"),
        ("pilot 30 %", "advise", "pilot 60 %"),
        ("pilot 60 %", "pilot 30 %", "live"),
        ("pilot 99 %", "pilot 60 %", "live"),
        ("live", "pilot 60 %", None),
    ],
)
def test_steps_beside_each_other(now: str, back: str | None, ahead: str | None) -> None:
    step = parse_step(now)
    assert now == str(step)
    assert step_before(step, STEPS) == (back and parse_step(back))
    assert next_step(step, STEPS) == (ahead and parse_step(ahead))


@pytest.mark.parametrize("text", ["", "pilot", "pilot 0 %", "pilot 100 %", "pilot x", "lively", "live 30 %"])
def test_what_is_no_step(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$|is not a valid Stage"):
        parse_step(text)


def test_one_line_is_parted_from_the_others_of_its_entry() -> None:
    source = (
        "ownership:\n"
        "- {topics: [a, b], channels: [x], department: d, stage: pilot, percent: 30}\n"
        "- {topics: [a, b], department: d, stage: advise}\n"
    )

    moved = stepped(source, Owning("a", frozenset({"x"}), "d", Stage.PILOT, 30), Step(Stage.LIVE))

    assert steps_in(moved) == {
        ("b", frozenset({"x"})): Step(Stage.PILOT, 30),
        ("a", frozenset({"x"})): Step(Stage.LIVE),
        ("a", None): Step(Stage.ADVISE),
        ("b", None): Step(Stage.ADVISE),
    }
