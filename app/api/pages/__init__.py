"""Pages for customers: HTML from templates, and the headers that go with it.

Knows how a page is rendered so that nothing in it can run, be framed, be kept or be found. Refuses to know what the
words and colours mean: the rulebook has them. Without scripts, so that a page works on any phone.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.feedback.page import Palette

_HERE = Path(__file__).parent
_STYLE = (_HERE / "survey.css").read_text(encoding="utf-8")
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def render(
    template: str, status: HTTPStatus = HTTPStatus.OK, *, light: Palette, dark: Palette, **facts: Any
) -> HTMLResponse:
    """The page `<template>.html` with `facts`, all of them escaped, in the colours of the day or of the night."""
    style = _style(light, dark)
    page = _TEMPLATES.get_template(f"{template}.html").render(facts, style=style)
    return HTMLResponse(page, status, dict(_headers(style)))


@lru_cache(maxsize=16)
def _style(light: Palette, dark: Palette) -> str:
    by_day, by_night = (
        " ".join(f"--{name.replace('_', '-')}: {colour};" for name, colour in asdict(palette).items())
        for palette in (light, dark)
    )
    return (
        f":root {{ color-scheme: light dark; {by_day} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {by_night} }} }}\n{_STYLE}"
    )


@lru_cache(maxsize=16)
def _headers(style: str) -> Mapping[str, str]:
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{hashed}'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow",
    }
