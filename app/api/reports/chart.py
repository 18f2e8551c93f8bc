"""A chart as an SVG that can be pasted in a report: no script, no font or picture from elsewhere, the same each time.

Knows how lines and bars are drawn and told to those who do not see them. Refuses to know what is drawn. Drawn with
pygal: 6 MB of memory, where matplotlib takes 60 and those that draw in a browser's engine (plotly, vega) 150 or more.
"""

import hashlib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from xml.etree import ElementTree as ET

import pygal
from pygal.style import Style

# pygal looks for maps in every import from then on, by an interface that Python 3.12 no longer knows. We draw no maps.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

MEDIA_TYPE = "image/svg+xml"
MOST_SERIES = 8  # colours that people who see colours differently can still tell apart
WIDTH, HEIGHT = 960, 420
TITLE, NOTE = 30, 22  # where the title stands, and of the height the line below it
BAR, AROUND = 24, 100  # of the height: a lying bar, and what stands above and below all of them
ROOM, LETTER = 860, 8  # along the axis and for a letter of its labels, before they run into each other
BOX = 3  # letters that the coloured box before a name takes
DOTTED = 40  # up to so many steps each has a dot
LEGEND, ROW = 4, 21  # names in a row, at most, and the height of a row

# M. Okabe and K. Ito, "Color Universal Design" (2008), yellow replaced by grey: it is not seen on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#555555", "#000000")
_DASHES = ("", "8,4", "2,3", "10,3,2,3")
_FONT = "Arial, Helvetica, sans-serif"
_FAINT = "#555555"
# What XML cannot hold, however it is written (XML 1.0, production 2): nobody could open a chart with such a name.
_UNSAID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Kind(Enum):
    LINES = pygal.Line
    BARS = pygal.Bar
    STACKED = pygal.StackedBar
    LYING = pygal.HorizontalBar


@dataclass(frozen=True, slots=True)
class Series:
    """One line or colour; a value for each label of the chart, None where nothing was measured."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. `about` says it to those who do not see it, `note` stands below the title.

    `tick` tells a value at the axis with its unit, `ticks` are the values that are told; none: those that fit.
    """

    kind: Kind
    title: str
    note: str
    about: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    tick: Callable[[float | None], str]
    nothing: str  # what stands there when nothing was measured
    least: float | None = None
    most: float | None = None
    ticks: tuple[float, ...] = ()


def draw(chart: Chart) -> str:
    """The SVG as text. Takes some 10 ms: not for the event loop."""
    columns = _columns(chart.series)
    rows = -(-len(chart.series) // columns)
    height = AROUND + BAR * len(chart.labels) if chart.kind is Kind.LYING else HEIGHT + ROW * max(0, rows - 2)
    drawn = chart.kind.value(
        title=chart.title,
        width=WIDTH,
        height=NOTE + max(HEIGHT, height),
        explicit_size=True,
        style=_style(),
        js=(),
        show_y_labels=bool(chart.series),
        show_legend=len(chart.series) > 1,
        legend_at_bottom=True,
        legend_at_bottom_columns=columns,
        truncate_legend=-1,
        truncate_label=-1,
        x_label_rotation=0,
        x_labels_major_every=1 if chart.kind is Kind.LYING else _every(chart.labels),
        show_minor_x_labels=False,
        y_labels_major_every=1 if chart.kind is Kind.LYING else None,
        show_dots=len(chart.labels) <= DOTTED,
        dots_size=3,
        value_formatter=chart.tick,
        allow_interruptions=True,
        margin_top=20 + NOTE,
        margin_bottom=20 + ROW * (rows - len(chart.series) // columns),  # pygal forgets a row that is not full
        no_data_text=chart.nothing,
        include_x_axis=True,
        range=None if chart.least is None or chart.most is None else (chart.least, chart.most),
    )
    upwards = -1 if chart.kind is Kind.LYING else 1  # pygal begins at the bottom
    drawn.x_labels = list(chart.labels)[::upwards]
    if chart.ticks and chart.series:
        drawn.y_labels = list(chart.ticks)
    for place, one in enumerate(chart.series):
        dash = _DASHES[place % len(_DASHES)] if chart.kind is Kind.LINES else ""
        drawn.add(one.name, list(one.values)[::upwards], stroke_style={"dasharray": dash} if dash else None)
    drawn.uuid = _name(chart)
    return _told(drawn.render_tree(), chart)


def _told(root: ET.Element, chart: Chart) -> str:
    """With a name and a description for screen readers, without the library's script and its remarks on the day."""
    for parent in root.iter():
        for child in list(parent):
            if child.tag == "script" or not isinstance(child.tag, str):
                parent.remove(child)
    title = root.find("title")
    assert title is not None
    name = root.attrib["id"]
    title.set("id", f"{name}-title")
    about = ET.Element("desc", {"id": f"{name}-about"})
    about.text = chart.about
    place = {"x": str(WIDTH // 2), "y": str(TITLE + NOTE), "text-anchor": "middle", "fill": _FAINT}
    note = ET.Element("text", {**place, "font-family": _FONT, "font-size": "14"})
    note.text = chart.note
    root.remove(title)
    root[:0] = [title, about]
    root.append(note)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-about")
    return _UNSAID.sub("\N{REPLACEMENT CHARACTER}", ET.tostring(root, encoding="unicode"))


def _every(labels: Sequence[str]) -> int:
    """Each how manieth label is written, so that all that are can be read."""
    width = LETTER * (2 + max(map(len, labels), default=0))
    return max(1, -(-len(labels) * width // ROOM))


def _columns(series: Sequence[Series]) -> int:
    """Names of series in a row, so that none runs into the next."""
    width = LETTER * (BOX + max((len(one.name) for one in series), default=0))
    return max(1, min(len(series), LEGEND, ROOM // width))


def _name(chart: Chart) -> str:
    """Charts that stand in one page have rules of style of their own, by this name."""
    told: Sequence[object] = (chart.kind.name, chart.title, chart.note, chart.labels, chart.series)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]


def _style() -> Style:
    return Style(
        background="#ffffff",
        plot_background="#ffffff",
        foreground="#333333",
        foreground_strong="#111111",
        foreground_subtle="#767676",
        font_family=_FONT,
        title_font_size=20,
        label_font_size=13,
        major_label_font_size=13,
        legend_font_size=14,
        no_data_font_size=20,
        guide_stroke_color="#dddddd",
        guide_stroke_dasharray="none",
        major_guide_stroke_color="#dddddd",
        major_guide_stroke_dasharray="none",
        stroke_width="2.5",
        stroke_width_hover="2.5",
        opacity=".9",
        opacity_hover="1",
        transition="0s",
        colors=_COLOURS,
    )
