"""What the survey page says and looks like: its words in each language, its colours, and whether they can be read.

Knows the formula of contrast (WCAG 2.2). Refuses to know HTML and who opens the page.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_READABLE = 4.5  # WCAG 2.2, 1.4.3: text of usual size
_VISIBLE = 3.0  # WCAG 2.2, 1.4.11: what a control is recognised by
_LINEAR = 0.04045  # below this sRGB is a straight line
# Which colour stands on which, and how much they must differ.
_MUST_DIFFER = (
    ("text", "page", _READABLE),
    ("accent", "page", _READABLE),  # links
    ("on_accent", "accent", _READABLE),  # the button, and the score that was chosen
    ("wrong", "page", _READABLE),
    ("edge", "page", _VISIBLE),
)


@dataclass(frozen=True, slots=True)
class Texts:
    """Every word of the invitation and of the page, in one language. Plain text.

    `language` is the language's own name, as the page's switch shows it, and `languages` what the switch is for.
    `invitation` is posted with the link beside it. `lowest` and `highest` explain the ends of the scale, `hardest` and
    `easiest` those of the second question. `thanks` and `change` are read after sending, `stop` is the button for who
    never wants to be asked again and `stopped` the answer to it. `closed` is said of every link that is not, or no
    longer, good. `score_missing`, `effort_wrong` and `comment_too_long` stand at the field they are about.
    """

    language: str
    languages: str
    invitation: str
    question: str
    lowest: str
    highest: str
    comment: str
    hardest: str
    easiest: str
    send: str
    thanks: str
    change: str
    stop: str
    stopped: str
    closed: str
    score_missing: str
    effort_wrong: str
    comment_too_long: str


@dataclass(frozen=True, slots=True)
class Palette:
    """The page's colours, each as `#rrggbb`: `accent` is the brand's own, `on_accent` what is written on it."""

    text: str
    page: str
    edge: str
    accent: str
    on_accent: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Faint:
    """Two colours that differ too little for what stands in `ink` on `ground`."""

    ink: str
    ground: str
    contrast: float
    needed: float


def faint(palette: Palette) -> Iterator[Faint]:
    """What of the page could not be read, or seen, by everybody."""
    for ink, ground, needed in _MUST_DIFFER:
        found = contrast(getattr(palette, ink), getattr(palette, ground))
        if found < needed:
            yield Faint(ink, ground, found, needed)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21, as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb` in sRGB, 0 to 1, as WCAG 2.2 defines it."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= _LINEAR else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
