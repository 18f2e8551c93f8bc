"""The log: one JSON object a line, on standard error, for machines first.

Knows how a line looks. Refuses to know the words of customers: an exception is told by its class and the places it
passed, never by its message, which may quote a row or a request.
"""

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

import orjson

_transitions = logging.getLogger("webcare")
# Chatty at levels where we are not; a missed tick of the alarm clock means only that the last one is still at work.
_QUIETER = {
    "alembic": logging.WARNING,
    "apscheduler": logging.ERROR,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
}


def transition(action: str, **facts: Any) -> None:
    """Log that something changed its state: ids, names and figures, never a text that a customer wrote."""
    _transitions.info(action, extra={"facts": facts})


def failure(action: str, error: BaseException, **facts: Any) -> None:
    """Log that something of ours failed and goes on; by class and places, as all exceptions are."""
    _transitions.error(action, exc_info=error, extra={"facts": facts})


def configure(level: str) -> None:
    """Send every line of this process, also those of libraries, through one formatter. Call once, at a door."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, quieter in _QUIETER.items():
        logging.getLogger(name).setLevel(max(quieter, logging.getLevelName(level)))


class JsonLines(logging.Formatter):
    """`{"at", "level", "logger", "action", ...facts, "error"?: {"class", "places", "cause"?}}`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "action": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = _told(record.exc_info[1])
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode()


def _told(error: BaseException) -> dict[str, Any]:
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    told: dict[str, Any] = {"class": f"{type(error).__module__}.{type(error).__qualname__}", "places": places}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause:
        told["cause"] = _told(cause)
    return told
