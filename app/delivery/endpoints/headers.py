"""Headers of a department's own that go along with every message, such as the key of its gateway.

Knows which names and values may be chosen. Refuses to know how they are kept and sent.
"""

import re
from collections.abc import Mapping

from app.kit.errors import Invalid

MOST = 10
LONGEST_VALUE = 2000
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")  # RFC 9110, 5.6.2: token
_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")
# What the message, the connection and the signature are made of.
_OURS = re.compile(
    r"webhook-.*|content-.*|proxy-.*|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect"
    r"|accept-encoding",
    re.IGNORECASE,
)


class HeaderRefused(Invalid):
    pass


def check_headers(headers: Mapping[str, str]) -> None:
    """Whether these may go along. Raises `HeaderRefused` with the reason, and never with a value."""
    if len({name.lower() for name in headers}) < len(headers):
        raise HeaderRefused("Name each header once; upper and lower case are the same.", field="headers")
    if len(headers) > MOST:
        raise HeaderRefused(f"Give at most {MOST} headers.", field="headers", most=MOST)
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise HeaderRefused(f"'{name}' is not the name of a header.", field="headers")
        if _OURS.fullmatch(name):
            raise HeaderRefused(f"'{name}' is not yours to choose: webcare or the connection sets it.", field="headers")
        if len(value) > LONGEST_VALUE or not _VALUE.fullmatch(value):
            raise HeaderRefused(
                f"The value of '{name}' is not 1 to {LONGEST_VALUE} visible ASCII characters, spaces between them.",
                field="headers",
                longest=LONGEST_VALUE,
            )
