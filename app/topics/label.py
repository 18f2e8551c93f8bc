"""A label: what somebody knows that a text is about, or is not about. Refuses to know who said so, and when."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """`text` as its author wrote it; `mine` False: it is *not* about `topic`, and nobody said what it is about.

    `proves` False: written to teach. That it is told rightly says nothing of what customers write; that it is
    not says much.
    """

    text: str
    topic: str
    mine: bool = True
    proves: bool = True
