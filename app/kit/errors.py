"""The tree of errors: what a caller did wrong and what the world failed to do.

Knows the families and their stable codes. Refuses to know HTTP: statuses live in `app/api/problems.py` alone.

    WebcareError
    |- NotFound       it is not there, or not yours: both read the same
    |- Conflict       it is there, but not in a state that allows this
    |- Refused        understood, and never allowed for this caller or content
    |- Invalid        the input does not mean anything; names the field and the way out
    |- Unauthorised   nobody we know
    `- Unavailable    the world failed us; try again later
"""

import re
from typing import Any

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class WebcareError(Exception):
    """An error that a caller may read.

    `code` is stable and comes from the class name (`IllegalMove` -> `illegal_move`). `facts` are JSON-ready
    members that travel with the message, such as the moves that would have been legal.
    """

    code = "webcare_error"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.code = _WORDS.sub("_", cls.__name__).lower()

    def __init__(self, message: str, *, field: str | None = None, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.facts = facts


class NotFound(WebcareError):
    pass


class Conflict(WebcareError):
    pass


class Refused(WebcareError):
    pass


class Invalid(WebcareError):
    pass


class Unauthorised(WebcareError):
    pass


class Unavailable(WebcareError):
    """`retry_after`: whole seconds after which another try makes sense."""

    def __init__(self, message: str, *, retry_after: int = 2, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_after = retry_after
