"""A version of the model of topics: when it was trained, on what, and how it compares; and who put which in force.

Knows these facts and the states that follow from them. Refuses to know what the model holds, and what a process does
when there is a newer one (flows.promote).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Not in force yet, in force, or no longer in force."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    RETIRED = "retired"


class Origin(StrEnum):
    """How a model came into force: because it was better, by hand, or as the one before another that was taken back."""

    BETTER = "better"
    BY_HAND = "by_hand"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Version:
    """`digest` names the content, `examples` the worked examples of the rulebook that it learned from.

    `labels` counts what it learned from by source, `taught_until` is the moment of the newest label among them.
    `comparison` is what `Comparison.as_json` gives.
    """

    number: int
    digest: str
    examples: str
    labels: Mapping[str, int]
    taught_until: datetime | None
    comparison: Mapping[str, Any]
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Promotion:
    """What came into force: the model with the number `model`, or none of them, so that phrases decide alone."""

    number: int
    model: int | None
    origin: Origin
    actor: str
    note: str | None
    at: datetime


def state_of(number: int, promotions: Sequence[Promotion]) -> State:
    """`promotions` are newest first."""
    if promotions and promotions[0].model == number:
        return State.ACTIVE
    return State.RETIRED if any(one.model == number for one in promotions) else State.CANDIDATE


def stacked(promotions: Iterable[Promotion]) -> list[int]:
    """The models that a rollback takes off one by one, the one in force last. `promotions` are oldest first.

    A promotion puts its model on top, and a rollback takes off what is above the one that it names; None: all.
    """
    stack: list[int] = []
    for one in promotions:
        if one.origin is Origin.ROLLBACK:
            stack = stack[: stack.index(one.model)] if one.model in stack else []
        if one.model is not None:
            stack = [*(model for model in stack if model != one.model), one.model]
    return stack
