"""A query that names a field twice is refused where the field takes one value: one of the two would be lost.

Knows how a query is read, and from the route which fields take several. Refuses to know what they mean.
"""

from collections import Counter
from collections.abc import Iterator
from typing import get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.kit.errors import Invalid


class FieldRepeated(Invalid):
    """A field that takes one value stands more than once in the query."""


async def refuse_repeats(request: Request) -> None:
    """Raises `FieldRepeated`. Links to public pages may carry whatever others hang onto them."""
    if not request.scope["query_string"] or not request.scope["path"].startswith("/api/"):
        return
    names = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in names.items():
        if times > 1 and name not in _several(request.scope["route"]):
            raise FieldRepeated(f"`{name}` stands {times} times in the query; give it one value.", field=name)


def _several(route: APIRoute) -> frozenset[str]:
    """The fields of its query that are lists."""
    return frozenset(name for name, field in _fields(route.dependant) if get_origin(field.annotation) is list)


def _fields(dependant: Dependant) -> Iterator[tuple[str, FieldInfo]]:
    for asked in dependant.query_params:
        model = asked.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from ((field.alias or name, field) for name, field in model.model_fields.items())
        else:
            yield asked.alias, asked.field_info
    for needed in dependant.dependencies:
        yield from _fields(needed)
