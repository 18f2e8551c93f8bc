"""A step of the oil stain, written into the rules: one topic on some channels gets another stage.

Knows how a line of `ownership.yaml` is parted from the others of its entry. Refuses to know whether the step is wise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

import yaml

from app.routing.ownership import Owning, Stage
from app.routing.readiness import Step

FILE = "ownership.yaml"
Where = tuple[str, frozenset[str] | None]

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the same in C, where PyYAML was built with it


class _Plain(yaml.SafeDumper):
    """Writes out what stands twice, as rules hold no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def stepped(source: str, line: Owning, to: Step) -> str:
    """The file with this line at another step. It loses its comments; the version before keeps them."""
    content: dict[str, Any] = _read(source)
    entries: list[Any] = []
    for entry in content["ownership"]:
        if line.topic not in entry["topics"] or _channels(entry) != line.channels:
            entries.append(entry)
            continue
        others = [topic for topic in entry["topics"] if topic != line.topic]
        if others:
            entries.append({**entry, "topics": others})
        moved = {**entry, "topics": [line.topic], "stage": str(to.stage)}
        moved.pop("percent", None)
        entries.append(moved | ({"percent": str(to.percent)} if to.percent else {}))
    content["ownership"] = entries
    return yaml.dump(content, Dumper=_Plain, allow_unicode=True, sort_keys=False)


@lru_cache(maxsize=256)  # versions of the rules; most of them changed other files
def steps_in(source: str) -> Mapping[Where, Step]:
    """At which step a version of the file has each line, by its topic and channels."""
    return {
        (topic, _channels(entry)): Step(Stage(entry["stage"]), int(entry["percent"]) if "percent" in entry else None)
        for entry in _read(source)["ownership"]
        for topic in entry["topics"]
    }


@dataclass(frozen=True, slots=True)
class Taken:
    """A line went from one step to another, ahead or back, `at` that moment."""

    topic: str
    channels: frozenset[str] | None
    at: datetime
    before: Step
    after: Step


def steps_taken(past: Iterable[tuple[datetime, str]]) -> tuple[Taken, ...]:
    """Every step between versions of the file, newest first as the versions are."""
    return tuple(
        Taken(topic, channels, at, earlier[topic, channels], after)
        for (at, source), (_, source_before) in pairwise(past)
        for earlier in [steps_in(source_before)]
        for (topic, channels), after in steps_in(source).items()
        if earlier.get((topic, channels), after) != after
    )


def _read(source: str) -> Any:
    return yaml.load(source, _Loader)  # noqa: S506 - makes texts and nothing else


def _channels(entry: Mapping[str, Any]) -> frozenset[str] | None:
    return frozenset(entry["channels"]) if "channels" in entry else None
