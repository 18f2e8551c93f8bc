"""The lines of a report, before they are written as JSON, a table, a chart or a page.

Knows what a line is made of. Refuses to know any format: each of them shows these same lines, so they cannot differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.kit.errors import Invalid
from app.reports.dictionary import Unit, figures_of
from app.reports.question import Question
from app.reports.store import Counted


class UnknownFigure(Invalid):
    pass


@dataclass(frozen=True, slots=True)
class Lines:
    """Each row is its step and then one value per name: first what the line is about, last its figures.

    A chart shows the figure `shown` unless another is asked for, and of too many groups those with most of `weight`.
    What happened by `as_of` is counted. `adds`: counts of different lines are of different things, so they can be
    piled up.
    """

    report: str
    question: Question
    as_of: datetime
    keys: tuple[str, ...]
    figures: Mapping[str, Unit]
    rows: Sequence[tuple[Any, ...]]
    shown: str
    weight: str = "n"
    adds: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.keys, *self.figures)

    def figure(self, wanted: str | None) -> str:
        """The figure that a chart shows. Raises `UnknownFigure`."""
        name = wanted or self.shown
        if name not in self.figures:
            allowed = list(self.figures)
            message = f"There is no figure '{name}' here; use {', '.join(allowed)}."
            raise UnknownFigure(message, field="figure", allowed=allowed)
        return name

    def place(self, name: str) -> int:
        """Where a figure stands in a row."""
        return 1 + self.names.index(name)


def lines_of(
    report: str,
    question: Question,
    counted: Counted[Any],
    shown: str,
    *,
    beside: tuple[str, ...] = (),
    weight: str = "n",
    adds: bool = False,
) -> Lines:
    """Those of a report whose figures, as the dictionary has them, are the members of what was counted.

    `beside` what the question groups by, lines are about what the last members of their groups are called.
    """
    rows = [(step, *group, *figures) for step, group, figures in counted.lines]
    keys = (*question.group_by, *beside)
    return Lines(report, question, counted.as_of, keys, figures_of(report), rows, shown, weight, adds)
