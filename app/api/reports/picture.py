"""What a chart shows of a report: steps along the axis and a series for each group, or a bar for each group.

Knows which groups are shown when there are too many, and says so. Refuses to know how a chart is drawn (chart).
"""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

from app.api.reports.chart import MOST_SERIES, Chart, Kind, Series
from app.api.reports.lines import Lines
from app.api.reports.scale import ticks
from app.api.reports.words import Speech
from app.reports.dictionary import Unit
from app.reports.question import Interval

MOST_BARS = 24
LONGEST = 60  # letters of a group's name, before it takes the room of what is drawn
_ENDS = {Unit.SHARE: (0.0, 1.0), Unit.SCORE: (-100.0, 100.0)}

Key = tuple[str | None, ...]


def plot(lines: Lines, figure: str | None, speech: Speech) -> Chart:
    """The chart of one figure of a report. Raises `UnknownFigure`."""
    name = lines.figure(figure)
    unit, interval = lines.figures[name], lines.question.interval
    stepped = interval is not Interval.NONE
    keys = _keys(lines)
    shown = _heaviest(lines, keys, MOST_SERIES if stepped else MOST_BARS)
    values = {(row[0], _key(lines, row)): row[lines.place(name)] for row in lines.rows}
    certain = {key: _certainty(lines, name, key, speech) for key in shown}
    steps = list(dict.fromkeys(row[0] for row in lines.rows))
    title = f"{speech.texts['reports'][lines.report]}: {speech.texts['figures'][name]}"
    named = {key: _named(lines, key, speech) for key in shown}
    if stepped:
        labels = tuple(speech.moment(step.astimezone(lines.question.zone), interval) for step in steps)
        drawn = (
            Series(f"{named[key]}{certain[key]}", tuple(values.get((step, key)) for step in steps)) for key in shown
        )
        series = tuple(one for one in drawn if any(value is not None for value in one.values))
        kind = Kind.STACKED if lines.adds and unit is Unit.COUNT else Kind.LINES
    else:
        labels = tuple(f"{named[key]}: {speech.figure(values[None, key], unit)}{certain[key]}" for key in shown)
        series = (Series(speech.texts["figures"][name], tuple(values[None, key] for key in shown)),)
        kind = Kind.LYING
    read = _read(labels, series, unit, speech) if stepped else [f"{label}." for label in labels]
    note = _period(lines, speech)
    if stepped and len(series) == 1 and (lines.keys or certain[shown[0]]):
        note = f"{note} \N{MIDDLE DOT} {series[0].name}"  # there is no legend of one
    if len(shown) < len(keys):
        note = f"{note} \N{MIDDLE DOT} {speech.texts['chosen'].format(shown=len(shown), all=len(keys))}"
    least, most = _ENDS.get(unit, (None, None))
    return Chart(
        kind,
        title,
        note,
        " ".join([f"{note}.", *read]),
        labels,
        series,
        partial(speech.tick, unit=unit),
        speech.texts["nothing"],
        least,
        most,
        ticks(_heights(series, piled=kind is Kind.STACKED), unit),
    )


def _heights(series: tuple[Series, ...], *, piled: bool) -> list[float]:
    """How far from zero anything is drawn."""
    drawn = [[value or 0.0 for value in one.values] for one in series]
    return [sum(pile) for pile in zip(*drawn, strict=True)] if piled else [value for one in drawn for value in one]


def _key(lines: Lines, row: tuple[Any, ...]) -> Key:
    return row[1 : 1 + len(lines.keys)]


def _keys(lines: Lines) -> list[Key]:
    return list(dict.fromkeys(_key(lines, row) for row in lines.rows))


def _heaviest(lines: Lines, keys: list[Key], most: int) -> list[Key]:
    """At most so many, those with the highest counts, in the order in which they stand."""
    weights: Counter[Key] = Counter()
    for row in lines.rows:
        weights[_key(lines, row)] += row[lines.place(lines.weight)] or 0
    chosen = set(sorted(keys, key=lambda key: -weights[key])[:most])
    return [key for key in keys if key in chosen]


def _named(lines: Lines, key: Key, speech: Speech) -> str:
    """`first reply, Billing`; one line for everything is called so."""
    named = ", ".join(speech.name(*one) for one in zip(lines.keys, key, strict=True)) or speech.texts["all"]
    return named if len(named) <= LONGEST else f"{named[: LONGEST - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def _certainty(lines: Lines, figure: str, key: Key, speech: Speech) -> str:
    """What an NPS is never told without: how many gave it and, of one step, how sure it is; nothing of others."""
    if (lines.report, figure) != ("nps", "nps"):
        return ""
    rows = [row for row in lines.rows if _key(lines, row) == key]
    n = speech.figure(sum(row[lines.place("n")] for row in rows), Unit.COUNT)
    low, high = (rows[0][lines.place(end)] if len(rows) == 1 else None for end in ("low", "high"))
    if low is None or high is None:
        return f" (n = {n})"
    bounds = speech.texts["bounds"].format(low=speech.figure(low, Unit.SCORE), high=speech.figure(high, Unit.SCORE))
    return f" ({bounds}; n = {n})"


def _period(lines: Lines, speech: Speech) -> str:
    question = lines.question
    last = question.end - timedelta(microseconds=1)
    return speech.period(*(at.astimezone(question.zone) for at in (question.start, last)))


def _read(labels: tuple[str, ...], series: tuple[Series, ...], unit: Unit, speech: Speech) -> list[str]:
    """Each series in words, for those who hear a chart: of a few values all, of many the ends and the extremes."""
    sentences = []
    for one in series:
        measured = [(label, value) for label, value in zip(labels, one.values, strict=True) if value is not None]
        if len(measured) > MOST_BARS:
            extremes = (min(measured, key=lambda pair: pair[1]), max(measured, key=lambda pair: pair[1]))
            measured = [measured[0], *extremes, measured[-1]]
        said = "; ".join(f"{label} {speech.figure(value, unit)}" for label, value in dict.fromkeys(measured))
        sentences.append(f"{one.name}: {said or speech.texts['nothing']}.")
    return sentences
