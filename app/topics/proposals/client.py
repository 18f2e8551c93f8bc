"""Grouping, in a process of its own: `python -m app.topics.proposals.client`. Refuses to know what groups mean."""

from collections.abc import Sequence
from datetime import timedelta

import orjson

from app.kit.apart import compute, serve
from app.kit.errors import Unavailable
from app.kit.wire import dump

DEADLINE = timedelta(minutes=5)  # three thousand posts take some seconds

Found = tuple[tuple[int, ...], tuple[str, ...]]
"""Places in the list of texts, and telling words (grouping.Group)."""


class GroupingFailed(Unavailable):
    """The process that groups posts died or took too long."""


async def list_groups(texts: Sequence[str]) -> list[Found]:
    """Raises `GroupingFailed`; when cancelled, that process ends too."""
    answer = await compute(__name__, dump(list(texts)), DEADLINE, GroupingFailed)
    return [(tuple(members), tuple(words)) for members, words in orjson.loads(answer)]


def _grouped(texts: bytes) -> bytes:
    from app.topics.proposals.grouping import group  # noqa: PLC0415 - scikit-learn, which only this process may load

    return orjson.dumps([list(one) for one in group(orjson.loads(texts))])


if __name__ == "__main__":
    serve(_grouped)
