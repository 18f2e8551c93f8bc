"""How figures read to a person, in Dutch and English: names, moments, shares and durations.

Knows how a number is said; the words stand in nl.yaml and en.yaml, names of topics and departments in the rulebook.
Refuses to know what a figure is about, and where people live: moments come with the time zone that they are told in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from fastapi import Request

from app.reports.dictionary import Unit
from app.reports.question import Interval
from app.rulebook import Rulebook


class Language(StrEnum):
    NL = "nl"
    EN = "en"


_LENGTHS = (86_400, 3_600, 60, 1)  # seconds of the four units of duration
_GAP = "\N{NO-BREAK SPACE}"
_DECIMALS = {Unit.COUNT: 0, Unit.SHARE: 1, Unit.SCORE: 1, Unit.RATIO: 1}
_TEXTS: Mapping[Language, Mapping[str, Any]] = {
    language: yaml.safe_load(Path(__file__).with_name(f"{language}.yaml").read_text("utf-8")) for language in Language
}


@dataclass(frozen=True, slots=True)
class Speech:
    """One language. `texts` are its words, `topics` and `departments` names by slug."""

    language: Language
    texts: Mapping[str, Any]
    topics: Mapping[str, str]
    departments: Mapping[str, str]

    def name(self, dimension: str, value: str | None) -> str:
        """What people call a value of a dimension; what has no name of its own reads as it is kept."""
        if value is None:
            return str(self.texts["none"])
        topics = dict.fromkeys(("topic", "first", "now"), self.topics)
        own = {**topics, "department": self.departments, "end": self.texts["ends"]}
        known = own.get(dimension, self.texts["names"])
        return str(known.get(value, value))

    def moment(self, at: datetime, interval: Interval) -> str:
        """The step that begins at `at`, short enough for an axis."""
        pattern = self.texts["day" if interval is Interval.NONE else interval]
        month = self.texts["months"][at.month - 1]
        week = at.isocalendar().week
        return str(pattern.format(hour=at.hour, day=at.day, month=month, year=at.year, week=week))

    def period(self, first: date, last: date) -> str:
        """Both days included; one day is told once."""
        days = self.date(first), self.date(last)
        return days[0] if days[0] == days[1] else str(self.texts["period"].format(first=days[0], last=days[1]))

    def date(self, at: date) -> str:
        return f"{at.day} {self.texts['months'][at.month - 1]} {at.year}"

    def figure(self, value: float | None, unit: Unit) -> str:
        """A figure with its unit, each of a unit with as many decimals; what was not measured is a dash."""
        return self._figure(value, unit, _DECIMALS.get(unit, 0))

    def tick(self, value: float | None, unit: Unit) -> str:
        """The same at an axis: `50%` where a figure would be `50.0%`."""
        shown = 100 * value if value is not None and unit is Unit.SHARE else value
        whole = shown is not None and round(float(shown), 6).is_integer()
        return self._figure(value, unit, 0 if whole else 1)

    def duration(self, seconds: float) -> str:
        """In its two largest units, which stay on one line: `2 d 3 u`, `1 u 5 min`, `40 s`."""
        left = round(abs(seconds))
        parts: list[str] = []
        for length, name in zip(_LENGTHS, self.texts["durations"], strict=True):
            count, left = divmod(left, length)
            if count or (parts and left):
                parts.append(f"{count}{_GAP}{name}" if count else "")
            if len(parts) == 2:  # noqa: PLR2004 - more than two units tell nothing more
                break
        said = _GAP.join(filter(None, parts)) or f"0{_GAP}{self.texts['durations'][-1]}"
        return f"-{said}" if seconds < 0 else said

    def _figure(self, value: float | None, unit: Unit, decimals: int) -> str:
        if value is None:
            return "\N{EN DASH}"
        if unit is Unit.SECONDS:
            return self.duration(value)
        return f"{self._number(100 * value, decimals)}%" if unit is Unit.SHARE else self._number(value, decimals)

    def _number(self, value: float, decimals: int) -> str:
        plain = f"{round(value, decimals) + 0.0:,.{decimals}f}"  # nothing is less than nothing: 0.0 for -0.0
        return plain.translate(str.maketrans({",": self.texts["thousands"], ".": self.texts["decimal"]}))


def speak(language: Language, rulebook: Rulebook) -> Speech:
    return Speech(
        language,
        _TEXTS[language],
        {slug: topic.name[language] for slug, topic in rulebook.topics.items()},
        {slug: department.name[language] for slug, department in rulebook.departments.items()},
    )


def language_of(request: Request, wanted: Language | None = None) -> Language:
    """What was asked for, else the language of the browser that we speak (RFC 9110, 12.5.4), else Dutch."""
    return wanted or next(_accepted(request.headers.get("accept-language", "")), Language.NL)


def _accepted(header: str) -> Iterator[Language]:
    parts = [part.partition(";") for part in header.lower().split(",")]
    tags = (tag.strip().partition("-")[0] for tag, _, weight in sorted(parts, key=lambda part: -_weight(part[2])))
    return (Language(tag) for tag in tags if tag in set(Language))


def _weight(parameter: str) -> float:
    try:
        return float(parameter.replace(" ", "").removeprefix("q="))
    except ValueError:
        return 1.0
