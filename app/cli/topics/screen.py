"""What `webcare topics` shows of models: what they learned from and how they compare."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from app.flows.learn import Standing
from app.topics.versions.version import State, Version

_FIGURES = ("right", "wrong", "triage")


Models = Sequence[tuple[Version, State]]


def status_lines(standing: Standing, models: Models, refused: int | None, enough: int) -> Iterator[str | Table]:
    """In words what is in force and what is new, then the models."""
    promotion = standing.promotion
    if promotion is None or promotion.model is None:
        yield "In force: no model. Phrases alone decide."
    else:
        yield f"In force: model {promotion.model}, since {promotion.at:%Y-%m-%d %H:%M} UTC, by {promotion.actor}."
    if refused is not None:
        yield f"Model {refused} should be in force and cannot be read: promote another, or `topics rollback`."
    new = ", ".join(f"{count} {source}" for source, count in standing.new.items())
    yield f"New labels since the last training: {new}; at {enough} the worker trains again the next night."
    if standing.newest is not None and standing.newest.examples != standing.examples:
        yield "The examples in the rulebook changed since; the worker trains again within seconds."
    if models:
        yield _models(models)


def comparison_lines(told: Mapping[str, Any]) -> Iterator[str | Table]:
    """A comparison (`Comparison.as_json`) in words and by topic: those that changed most first."""
    against = "phrases alone" if told["against"] is None else f"model {told['against']}"
    seen = "that neither had learned from" if told["evidence"] == "unseen" else "that both know"
    verdict = "better" if told["better"] else "not better"
    if told["posts"]:
        yield f"Tried on {told['posts']} labelled posts {seen}, against {against}: {verdict}."
    else:
        yield f"No labelled post could try it against {against} yet: it counts as {verdict}."
    if told["worse"]:
        yield f"Worse on {', '.join(told['worse'])}, which it may not be."
    table = Table("topic", "labels", *_FIGURES, "taken from others")
    shown = {"all": {"labels": "", "before": told["before"], "after": told["after"]}, **_by_change(told["topics"])}
    for topic, one in shown.items():
        figures = [f"{one['before'][name]} → {one['after'][name]}" for name in (*_FIGURES, "taken")]
        table.add_row(topic, str(one["labels"]), *figures)
    yield table


def as_facts(version: Version, state: State | None = None) -> dict[str, Any]:
    """A model as JSON-ready data."""
    facts = {name: getattr(version, name) for name in ("number", "digest", "labels", "taught_until", "actor", "at")}
    return {**facts, "comparison": version.comparison, **({} if state is None else {"state": state})}


def _models(models: Models) -> Table:
    table = Table("model", "state", "trained", "by", "learned from", *_FIGURES, "better")
    for version, state in models:
        told = version.comparison
        learned = ", ".join(f"{count} {source}" for source, count in version.labels.items())
        figures = [f"{told['before'][name]} → {told['after'][name]}" for name in _FIGURES]
        trained = f"{version.at:%Y-%m-%d %H:%M}"
        better = "yes" if told["better"] else "no"
        table.add_row(str(version.number), state, trained, version.actor, learned, *figures, better)
    return table


def _by_change(topics: Mapping[str, Any]) -> dict[str, Any]:
    def change(one: Mapping[str, Any]) -> int:
        return sum(abs(one["after"][name] - one["before"][name]) for name in one["after"])

    return dict(sorted(topics.items(), key=lambda pair: (-change(pair[1]), pair[0])))
