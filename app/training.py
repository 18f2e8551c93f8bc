"""Training, in a process of its own: rules and labels go in, a model and its comparison come out.

Knows how both are written. What training takes in memory and time ends with that process, and no other ever loads
what it needs. Refuses to know the database, and what becomes of the model.
"""

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from app.kit.apart import compute, serve
from app.kit.errors import Invalid, Unavailable, WebcareError
from app.kit.wire import dump
from app.rulebook import Rulebook, Sources, parse
from app.topics.labels.labelling import Labelling, Source
from app.topics.model import Model
from app.topics.versions.comparison import Comparison, JudgedOn, compare, hold_out
from app.topics.versions.material import material, precisions

DEADLINE = timedelta(minutes=20)  # 10,000 labels take half a minute


class NotTrained(Invalid):
    """There is too little to learn from, or something in it means nothing."""


class TrainingFailed(Unavailable):
    """The process that trains died or took too long."""


@dataclass(frozen=True, slots=True)
class Taught:
    """A model as bytes, and how it compares with what is in force (`Comparison.as_json`)."""

    digest: str
    content: bytes
    comparison: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What to learn, and what to compare with.

    `labels` are those in force, oldest first, each with its text. `active` is the model in force, if one is: it was
    trained on labels until `seen_until`.
    """

    sources: Sources
    labels: Sequence[Labelling]
    active: bytes | None = None
    against: int | None = None
    seen_until: datetime | None = None


async def train(task: Task) -> Taught:
    """Train in another process. Raises `NotTrained`, `TrainingFailed`; when cancelled, that process ends too."""
    answer = await compute(__name__, _written(task), DEADLINE, TrainingFailed)
    head, _, content = answer.partition(b"\n")
    told = orjson.loads(head)
    if "problem" in told:
        raise NotTrained(told["problem"])
    return Taught(content=content, **told)


def learn(task: Task) -> Taught:
    """Train and compare, in this process. Raises `NotTrained` and what parsing the rules raises."""
    rules = parse(task.sources)
    labels = [one for one in task.labels if one.topic in rules.topics]
    judged_on, teaching, judged = hold_out(labels, task.seen_until)
    model = _train(rules, labels)
    apart = model if len(teaching) == len(labels) else _train(rules, teaching)
    active = None if task.active is None else Model(task.active)
    before, after = (_decided(rules, one, judged) for one in (active, apart))
    compared = compare(judged_on, task.against, judged, before, after, _counts(labels))
    return Taught(model.digest, model.content, compared.as_json())


def judge(rules: Rulebook, labels: Sequence[Labelling], content: bytes) -> Comparison | None:
    """A model against phrases alone, on labels that it has not learned from; None without any.

    Raises `ModelUnusable`.
    """
    model = Model(content)
    judged = [one for one in labels if one.topic in rules.topics]
    if not judged:
        return None
    before, after = (_decided(rules, one, judged) for one in (None, model))
    return compare(JudgedOn.UNSEEN, None, judged, before, after, _counts(judged))


def _train(rules: Rulebook, labels: Sequence[Labelling]) -> Model:
    from app.topics.training import train as fit  # noqa: PLC0415 - scikit-learn, which only this process may load

    return fit(material(rules.topics, labels), precisions(rules.topics), rules.words)


def _decided(rules: Rulebook, model: Model | None, judged: Sequence[Labelling]) -> list[str | None]:
    """The topic that each text would get, by the phrases and this model together."""
    texts = [rules.read(one.text or "", one.language) for one in judged]
    return [found.topic for found in rules.with_model(model, None).classifier.classify(texts)]


def _counts(labels: Sequence[Labelling]) -> Counter[str]:
    return Counter(one.topic for one in labels if one.mine)


def _written(task: Task) -> bytes:
    active = None if task.active is None else b64encode(task.active).decode()
    return dump(
        {
            "sources": task.sources,
            "labels": task.labels,
            "active": active,
            "against": task.against,
            "seen_until": task.seen_until,
        }
    )


def _read(written: bytes) -> Task:
    told = orjson.loads(written)
    return Task(
        sources=told["sources"],
        labels=[
            Labelling(**{**one, "source": Source(one["source"]), "at": datetime.fromisoformat(one["at"])})
            for one in told["labels"]
        ],
        active=None if told["active"] is None else b64decode(told["active"]),
        against=told["against"],
        seen_until=None if told["seen_until"] is None else datetime.fromisoformat(told["seen_until"]),
    )


def _answered(task: bytes) -> bytes:
    """A line of JSON, and behind it the model."""
    try:
        taught = learn(_read(task))
        told, content = {"digest": taught.digest, "comparison": taught.comparison}, taught.content
    except WebcareError as error:
        told, content = {"problem": error.message}, b""
    return dump(told) + b"\n" + content


if __name__ == "__main__":
    serve(_answered)
