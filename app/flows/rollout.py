"""The oil stain: where each line stands, whether it may spread, and the step back when a gate breaks.

Knows how figures, gates and rules come together. Refuses to know how rules come into force (rules).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from app.access.role import Caller
from app.delivery import store as outbox
from app.delivery.endpoints import store as endpoints
from app.delivery.envelope import Happening, webhooks
from app.flows.rules import BY_ITSELF, RulesMovedOn, follow, put_in_force
from app.kit import logs
from app.kit.errors import Conflict, NotFound
from app.kit.ids import new_id
from app.reports.rollout.store import Line, list_figures, list_opened
from app.routing.ownership import Owning
from app.routing.readiness import (
    Figures,
    Gate,
    Step,
    broken,
    is_ready,
    judge,
    next_step,
    step_before,
)
from app.routing.rules import store as versions
from app.routing.rules.version import Origin, Version
from app.rulebook import Rulebook
from app.rulebook.stepping import FILE, stepped, steps_in
from app.runtime import Runtime, Unit

LOOKED_BACK = 100  # versions in which the beginning of a line's stage is looked for


class OwnershipNotFound(NotFound):
    pass


class NoSuchStep(Conflict):
    """The line stands at the first or the last step."""


class GatesNotOpen(Conflict):
    """A department does not do well enough, or has too few cases to tell, to answer for more."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One line of the oil stain. `opened` tickets came in on it since `since`, the later of window and present stage.

    `back` and `ahead` are the steps beside it; `ready` says whether every gate holds.
    """

    line: Owning
    channels: tuple[str, ...]
    step: Step
    since: datetime
    opened: int
    figures: Figures
    gates: tuple[Gate, ...]
    ready: bool
    back: Step | None
    ahead: Step | None


async def read_rollout(runtime: Runtime, now: datetime) -> list[Spread]:
    """Every line, in the order of the rules, with its figures."""
    rules, window = runtime.rulebook, now - runtime.rulebook.rollout.gates.window
    async with runtime.reading(reports=True) as tx:
        past = await versions.list_sources(tx, FILE, LOOKED_BACK)
        since = {line: max(window, _since(line, past, window)) for line in rules.routing.ownerships}
        moments = set(since.values())
        figures = {moment: await list_figures(tx, moment) for moment in moments}
        opened = {moment: await list_opened(tx, moment) for moment in moments}
    spreads = []
    for line in rules.routing.ownerships:
        channels, moment = channels_of(rules, line), since[line]
        step = Step(line.stage, line.percent)
        found = _added(figures[moment], line, channels)
        gates = judge(found, rules.rollout.gates)
        spreads.append(
            Spread(
                line,
                channels,
                step,
                moment,
                sum(opened[moment].get((line.topic, channel), 0) for channel in channels),
                found,
                gates,
                is_ready(gates),
                step_before(step, rules.rollout.steps),
                next_step(step, rules.rollout.steps),
            )
        )
    return spreads


async def take_step(
    runtime: Runtime,
    caller: Caller,
    now: datetime,
    topic: str,
    channels: Iterable[str] | None,
    *,
    ahead: bool,
    despite: bool,
    note: str,
) -> Version:
    """Move one line a step ahead or back; new tickets go by it.

    Raises `OwnershipNotFound`, the 409s above and `RulesMovedOn`.
    """
    await follow(runtime)
    asked = None if channels is None else frozenset(channels)
    spread = next(
        (one for one in await read_rollout(runtime, now) if (one.line.topic, one.line.channels) == (topic, asked)), None
    )
    if spread is None:
        raise OwnershipNotFound("There is no such line; `GET /ownership` lists them, with their channels.")
    to = spread.ahead if ahead else spread.back
    if to is None:
        raise NoSuchStep(f"This line stands at {spread.step}, and there is no step {'ahead' if ahead else 'back'}.")
    if ahead and not spread.ready and not despite:
        shut = [gate.text for gate in spread.gates if not gate.holds]
        raise GatesNotOpen(f"Not yet: {'; '.join(shut)}. Send `despite: true` to go on all the same.", gates=shut)
    return await _step(runtime, spread, to, caller.actor, note)


async def mind_gates(runtime: Runtime, now: datetime) -> int:
    """Take every line whose gate broke a step back, and tell its department; returns how many."""
    await follow(runtime)
    if not runtime.rulebook.rollout.step_back:
        return 0
    # A line that only advises publishes nothing itself, so there is nothing to take back from it.
    fallen = [one for one in await read_rollout(runtime, now) if one.step.reach > 0 and one.back and broken(one.gates)]
    for spread in fallen:
        assert spread.back is not None
        await _step(runtime, spread, spread.back, BY_ITSELF, "; ".join(gate.text for gate in broken(spread.gates)))
    return len(fallen)


async def _step(runtime: Runtime, spread: Spread, to: Step, actor: str, note: str) -> Version:
    where = "anywhere" if spread.line.channels is None else ", ".join(sorted(spread.line.channels))
    why = f"{spread.line.topic} on {where}: {spread.step} to {to}: {note}"
    await follow(runtime)
    source = runtime.rulebook.sources[FILE]
    if steps_in(source).get((spread.line.topic, spread.line.channels)) not in {spread.step, to}:
        raise RulesMovedOn("Others moved this line meanwhile; look at it, and try again.")
    changed = {FILE: stepped(source, spread.line, to)}
    telling = partial(_tell, spread=spread, to=to, reason=note)
    activated = await put_in_force(runtime, changed, Origin.STEP, actor, why, telling)
    if activated.changed:
        logs.transition(
            "ownership.stepped", topic=spread.line.topic, before=str(spread.step), after=str(to), actor=actor
        )
    return activated.version


async def _tell(unit: Unit, spread: Spread, to: Step, reason: str) -> None:
    happened = Happening(
        type="ownership.stepped",
        at=unit.now,
        departments=frozenset({spread.line.department}),
        details={
            "topic": spread.line.topic,
            "channels": None if spread.line.channels is None else sorted(spread.line.channels),
            "from": str(spread.step),
            "to": str(to),
            "reason": reason,
            "figures": asdict(spread.figures),
        },
    )
    listening = await endpoints.list_active_endpoints(unit.tx, [spread.line.department])
    await outbox.add_messages(unit.tx, webhooks(happened, listening, new_id))


def _since(line: Owning, past: Sequence[tuple[datetime, str]], earliest: datetime) -> datetime:
    """Since when the line stands at its present step: `past` holds the file of each version, newest first."""
    began = earliest
    for at, source in past:
        if steps_in(source).get((line.topic, line.channels)) != Step(line.stage, line.percent):
            break
        began = at
    else:
        return earliest
    return began


def channels_of(rules: Rulebook, line: Owning) -> tuple[str, ...]:
    """The channels on which the line decides: its own, or those that no other line of the topic names."""
    if line.channels is not None:
        return tuple(sorted(line.channels))
    named = {channel for one in rules.routing.ownerships if one.topic == line.topic for channel in one.channels or ()}
    return tuple(sorted(rules.accounts.keys() - named))


def _added(figures: Mapping[Line, Figures], line: Owning, channels: Iterable[str]) -> Figures:
    parts = (figures.get((line.topic, channel, line.department)) for channel in channels)
    return sum(filter(None, parts), Figures())
