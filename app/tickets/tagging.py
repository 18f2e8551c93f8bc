"""Tags: a few words on a ticket, each once, in the order in which they were put there.

Knows how a wish about tags becomes the tags. Refuses to know what any of them means.
"""

from dataclasses import dataclass

from app.kit.errors import Invalid

AT_MOST = 20


class TooManyTags(Invalid):
    pass


@dataclass(frozen=True, slots=True)
class Tagging:
    """What somebody wants: all of the tags anew (None: those that stand), some more, and some away."""

    tags: tuple[str, ...] | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def of(self, standing: tuple[str, ...]) -> tuple[str, ...]:
        """The tags that follow. What is both added and removed is away. Raises `TooManyTags`."""
        wanted = dict.fromkeys((*(standing if self.tags is None else self.tags), *self.add))
        left = tuple(tag for tag in wanted if tag not in self.remove)
        if len(left) > AT_MOST:
            raise TooManyTags(f"A ticket has at most {AT_MOST} tags, not {len(left)}.", field="add_tags")
        return left
