"""Material: all that a model learns from, in an order that never changes.

Knows that the rulebook's worked examples always teach but prove nothing, as they are posts that phrases find and a
model decides where phrases are silent; and that people's labels come after. Refuses to know how anything is learned.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping

from app.topics.classify import Topic
from app.topics.label import Label
from app.topics.labels.labelling import Labelling

_DIGEST_LENGTH = 12


def material(topics: Mapping[str, Topic], labels: Iterable[Labelling]) -> list[Label]:
    """The examples of the rulebook, then what people said; a topic that the rulebook does not have teaches nothing."""
    examples = [
        Label(example.text, topic.slug, not example.counter, proves=False)
        for topic in topics.values()
        for example in topic.examples
    ]
    said = [Label(one.text, one.topic, one.mine) for one in labels if one.text is not None and one.topic in topics]
    return [*examples, *said]


def precisions(topics: Mapping[str, Topic]) -> dict[str, float]:
    """The precision that each topic wants."""
    return {topic.slug: topic.precision for topic in topics.values()}


def digest_of(topics: Mapping[str, Topic], words: str) -> str:
    """12 hex digits that name what the rulebook teaches: topics with their precision and examples, and how words are
    read (the text of that file).
    """
    taught: list[object] = [words]
    taught += [
        [topic.slug, topic.precision, [[one.text, one.lang, one.counter] for one in topic.examples]]
        for topic in topics.values()
    ]
    return hashlib.sha256(json.dumps(taught).encode()).hexdigest()[:_DIGEST_LENGTH]
