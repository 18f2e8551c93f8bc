"""Pages for customers: HTML from templates, and the headers that go with it.

Knows how a page is rendered so that nothing in it can run, be framed, be kept or be found. Refuses to know what the
words mean: the rulebook has them. Without scripts, so that a page works on any phone.
"""

import base64
import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).parent
_STYLE = (_HERE / "survey.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.globals["style"] = _STYLE

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


def render(template: str, status: HTTPStatus = HTTPStatus.OK, **facts: Any) -> HTMLResponse:
    """The page `<template>.html` with `facts`, all of them escaped."""
    return HTMLResponse(_TEMPLATES.get_template(f"{template}.html").render(facts), status, HEADERS)
