"""Reports as pages: HTML from templates that is read in a browser, printed on A4 or saved as one file.

Knows how a page is put together so that nothing in it can run and nothing is fetched: charts are pictures within it.
Refuses to know any figure.
"""

import base64
import hashlib
from asyncio import to_thread
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.api.reports.chart import MEDIA_TYPE, Chart, draw
from app.api.reports.lines import Lines
from app.api.reports.words import Speech

_HERE = Path(__file__).parent
_STYLE = (_HERE / "sheet.css").read_text("utf-8")
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.globals["style"] = _STYLE
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as a page holds it: `source` is the whole of it, `about` says it in words."""

    title: str
    about: str
    source: str


@dataclass(frozen=True, slots=True)
class Told:
    """A figure in words, and what has to stand with it, a line each."""

    figure: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cells:
    """The figures of a report by what its lines are about, to be told in a page."""

    lines: Lines

    def say(self, speech: Speech, figure: str, key: Sequence[str | None] = ()) -> str:
        """A figure of one line, with its unit; a dash where there is no such line, or nothing was measured."""
        return speech.figure(self.value(figure, key), self.lines.figures[figure])

    def tell(self, speech: Speech, figure: str, key: Sequence[str | None] = ()) -> Told:
        return Told(self.say(speech, figure, key))

    def value(self, figure: str, key: Sequence[str | None] = ()) -> float | None:
        keys = len(self.lines.keys)
        place = self.lines.place(figure)
        return next((row[place] for row in self.lines.rows if tuple(row[1 : 1 + keys]) == tuple(key)), None)


async def render(template: str, speech: Speech, charts: Mapping[str, Chart], **facts: Any) -> HTMLResponse:
    """The page `<template>.html` with `facts`, all of them escaped, and its `charts` as pictures by their names."""
    pictures = await to_thread(lambda: {name: _picture(chart) for name, chart in charts.items()})
    page = _TEMPLATES.get_template(f"{template}.html").render(
        facts, say=speech, words=speech.texts["pages"], pictures=pictures
    )
    return HTMLResponse(page, headers=HEADERS)


def _picture(chart: Chart) -> Picture:
    drawn = base64.b64encode(draw(chart).encode()).decode()
    return Picture(chart.title, chart.about, f"data:{MEDIA_TYPE};base64,{drawn}")
