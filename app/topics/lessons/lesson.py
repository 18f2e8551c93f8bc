"""How much a label on a post would teach, and why.

Knows doubt and rarity. Refuses to know where probabilities come from, which posts say the same (likeness) and what is
done with the order.

Doubt is one minus the margin between the two best topics (margin sampling: Scheffer, Decomain and Wrobel, *Active
hidden Markov models for information extraction*, IDA 2001; Settles, *Active learning literature survey*, 2009, 2.1): a
post that may be this or that moves the border between them. Rarity favours topics of which little was said so far, as
margins alone ask again and again about the large ones.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

NEAR = 0.1  # a topic that is less probable is not near: of thirty, a model gives each 0.03 where it knows nothing
FEW = 10  # labels of a topic at which it is half as rare as one without any

Best: TypeAlias = Sequence[tuple[str, float]]
"""The best topics with their probabilities, best first; none where nothing is known."""

WORDS = {
    "unknown": "nothing that is known fits it",
    "one": "it may be {first} ({p:.2f}), and no other topic is near",
    "margin": "it may be {first} ({p:.2f}) or {second} ({q:.2f})",
    "rare": "{labels} posts about {first} were labelled so far",
    "alike": "{alike} more posts say nearly the same",
}


class Reason(NamedTuple):
    code: str
    text: str


def doubt(best: Best) -> float:
    """0: certain, 1: the two best are equal, or nothing is known."""
    first, second = (*(p for _, p in best[:2]), 0.0, 0.0)[:2]
    return 1.0 - (first - second)


def worth(best: Best, labels: int) -> float:
    """0 to 1: doubt times the mean of 1 and the rarity of the best topic, of which there are so many `labels`.

    Where no topic is near, none is rare.
    """
    near = _near(best)
    rarity = FEW / (FEW + labels) if near else 0.0
    return doubt(near) * (1.0 + rarity) / 2


def from_scores(scores: Best) -> Best:
    """Probabilities for where there is no model: phrases' scores as shares of how sure all of them together make us."""
    total = sum(score for _, score in scores)
    return [(topic, share) for topic, score in scores for share in [score / (1.0 + total)]]


def reasons(best: Best, labels: int, alike: int) -> Iterator[Reason]:
    """Why it stands where it stands; `alike` posts wait beside it that a label on it would settle too."""
    (first, p), (second, q) = (*_near(best)[:2], ("", 0.0), ("", 0.0))[:2]
    code = "margin" if second else "one" if first else "unknown"
    told = {"first": first, "p": p, "second": second, "q": q, "labels": labels, "alike": alike}
    yield Reason(code, WORDS[code].format(**told))
    if first and labels < FEW:
        yield Reason("rare", WORDS["rare"].format(**told))
    if alike:
        yield Reason("alike", WORDS["alike"].format(**told))


def _near(best: Best) -> Best:
    return [(topic, p) for topic, p in best if p >= NEAR]
