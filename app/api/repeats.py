"""A query that names a field twice is refused: every field takes one value, and one of the two would be lost.

Knows how a query is read. Refuses to know which fields there are.
"""

from collections import Counter

from fastapi import Request

from app.kit.errors import Invalid


class FieldRepeated(Invalid):
    """A field stands more than once in the query."""


async def refuse_repeats(request: Request) -> None:
    """Raises `FieldRepeated`. Links to public pages may carry whatever others hang onto them."""
    if not request.scope["query_string"] or not request.scope["path"].startswith("/api/"):
        return
    names = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in names.items():
        if times > 1:
            raise FieldRepeated(f"`{name}` stands {times} times in the query; give it one value.", field=name)
