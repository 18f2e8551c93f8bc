"""A person places a ticket: by its topic, or with a department directly.

Knows what follows from either. Refuses to know who may do it and how the ticket moves.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from app.kit.errors import Invalid
from app.routing.decision import Decision, Priority, Reason, Routing
from app.routing.ownership import Owned, Stage, find

RULE = "by hand"


class UnknownDepartment(Invalid):
    pass


class UnknownTopic(Invalid):
    pass


class UnknownChannel(Invalid):
    pass


def check_names(rules: Routing, topic: str | None, department: str | None, *, topics: Mapping[str, object]) -> None:
    """Raises `UnknownTopic` or `UnknownDepartment`, each with the names that there are."""
    if topic is not None and topic not in topics:
        raise UnknownTopic(f"There is no topic '{topic}'; there are: {', '.join(topics)}.", field="topic")
    if department is not None and department not in rules.departments:
        known = ", ".join(rules.departments)
        raise UnknownDepartment(f"There is no department '{department}'; there are: {known}.", field="department")


def check_channels(channels: Iterable[str], *, named: Mapping[str, object]) -> None:
    """Raises `UnknownChannel`, with the channels that there are: the keys of `named`."""
    unknown = [channel for channel in channels if channel not in named]
    if unknown:
        raise UnknownChannel(f"There is no channel '{unknown[0]}'; there are: {', '.join(named)}.", field="channels")


def place_by_topic(rules: Routing, topic: str, channel: str, ticket_id: UUID, *, named: Mapping[str, object]) -> Owned:
    """Whoever owns the topic on this channel. `named` are the topics that there are. Raises `UnknownTopic`."""
    check_names(rules, topic, None, topics=named)
    return find(rules.ownerships, topic, channel, ticket_id)


def place_by_department(
    rules: Routing, department: str, topic: str | None, channel: str, ticket_id: UUID, *, webcare: str
) -> Owned:
    """The department itself: at the stage of its ownership where it owns the topic, else it only advises.

    The department named by `webcare` answers centrally. Raises `UnknownDepartment`.
    """
    check_names(rules, None, department, topics={})
    if department == webcare:
        return Owned(webcare, Stage.CENTRAL, None, RULE)
    if topic in {owning.topic for owning in rules.ownerships}:  # not one that the rules knew only once
        owned = find(rules.ownerships, topic, channel, ticket_id)
        if owned.department == department and owned.stage is not Stage.CENTRAL:
            return owned
    return Owned(department, Stage.ADVISE, None, RULE)


def decided(
    owned: Owned, topic: str | None, *, actor: str, reason: str, priority: str, tags: tuple[str, ...], digest: str
) -> Decision:
    """The decision record of a person's choice: certain, and for the reason that the person gave."""
    text = f"{actor} placed it with {owned.department}: {reason}"
    return Decision(
        topic=topic,
        confidence=1.0 if topic else 0.0,
        department=owned.department,
        stage=owned.stage,
        arm=owned.arm,
        priority=Priority(priority),
        tags=tags,
        rule=RULE,
        digest=digest,
        evidence=(),
        considered=(),
        reasons=(Reason("by_hand", text, {"actor": actor, "reason": reason}),),
    )
