"""Versions as ETags (RFC 9110, sections 8.8.3 and 13.1.1): a writer that saw an older version is told so.

Knows the two headers. Refuses to know what has a version; the comparison itself is the write's own `WHERE version`.
"""

import re
from typing import Annotated

from fastapi import Depends, Header

from app.kit.errors import Invalid

# Weak tags count as strong ones: proxies that compress weaken tags, and ours name a state, not bytes.
_TAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')


class IfMatchUnreadable(Invalid):
    """An `If-Match` that is no ETag of ours."""


def etag(version: int) -> str:
    return f'"{version}"'


def parse_if_match(header: str | None) -> int | None:
    """The version that a writer saw. None: it did not say, or `*`, any. Raises `IfMatchUnreadable`."""
    if header is None or header.strip() == "*":
        return None
    tag = _TAG.fullmatch(header.strip())
    if tag is None:
        raise IfMatchUnreadable(
            'Send the ETag of the answer that you saw, such as "7", or leave it out.', field="If-Match"
        )
    return int(tag[1])


async def _expected(
    if_match: Annotated[
        str | None,
        Header(alias="If-Match", description="The `ETag` that was seen; 412 when it is another by now"),
    ] = None,
) -> int | None:
    return parse_if_match(if_match)


ExpectedVersion = Annotated[int | None, Depends(_expected)]
"""A route's parameter: the version that the caller expects to change, None for whichever stands."""
