"""A step of the oil stain, written into the rules: one topic on some channels gets another stage.

Knows how a line of `ownership.yaml` is parted from the others of its entry. Refuses to know whether the step is wise.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from app.routing.ownership import Owning
from app.routing.readiness import Step
from app.rulebook import Sources

FILE = "ownership.yaml"


class _Plain(yaml.SafeDumper):
    """Writes out what stands twice, as rules hold no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def stepped(sources: Sources, line: Owning, to: Step) -> Sources:
    """The rules with this line at another step. The file loses its comments; the version before keeps them."""
    content: dict[str, Any] = yaml.load(sources[FILE], yaml.BaseLoader)  # noqa: S506 - of texts only, and it was parsed before
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
    return {**sources, FILE: yaml.dump(content, Dumper=_Plain, allow_unicode=True, sort_keys=False)}


def find_step(source: str, line: Owning) -> Step | None:
    """The step at which a version of the file has this line; None where it has no such line."""
    content: Mapping[str, Any] = yaml.load(source, yaml.BaseLoader)  # noqa: S506
    for entry in content["ownership"]:
        if line.topic in entry["topics"] and _channels(entry) == line.channels:
            percent = entry.get("percent")
            return Step(type(line.stage)(entry["stage"]), int(percent) if percent else None)
    return None


def _channels(entry: Mapping[str, Any]) -> frozenset[str] | None:
    return frozenset(entry["channels"]) if "channels" in entry else None
