"""Rules come into force: at a start, by hand, and again after all; on every process alike.

Knows that the newest version in the database counts and how a process follows it. Refuses to know what rules say.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.access.role import Caller
from app.kit import logs
from app.kit.errors import Conflict, Invalid
from app.routing.rules import store
from app.routing.rules.version import Origin, Version
from app.rulebook import FILES, Rulebook, RulebookInvalid, Sources, load, parse
from app.runtime import Runtime, Unit

BY_ITSELF = "system"

Besides = Callable[[Unit], Awaitable[None]]


class UnknownFile(Invalid):
    """A file that no rules are read from."""


class RulesMovedOn(Conflict):
    """Other rules came into force meanwhile, and what was built upon those before would undo them."""


@dataclass(frozen=True, slots=True)
class Activated:
    """A version that came into force, and whether it is another than before."""

    version: Version
    changed: bool


async def begin_rules(runtime: Runtime) -> None:
    """At the start of a process: files that changed since they were last read come into force.

    If they did not, what was put in force by hand after that stands: a restart undoes no rollback.
    """
    await runtime.run(_start, runtime.rulebook)
    await follow(runtime)


async def follow(runtime: Runtime) -> None:
    """Take over the version in force, if it is another than this process goes by.

    One that this program cannot read is logged once and left aside: the rules that it has go on.
    """
    async with runtime.reading() as tx:
        if await store.find_number(tx) == runtime.rules.number:
            return
        newest = await store.find_newest(tx)
    if newest is None:
        return
    rulebook = runtime.rulebook
    if newest.digest != rulebook.digest:
        try:
            rulebook = await asyncio.to_thread(parse, newest.sources)
        except RulebookInvalid as error:
            logs.failure("rules.unreadable", error, version=newest.number, digest=newest.digest)
    runtime.rules.put(rulebook, newest.number)
    logs.transition("rules.followed", version=newest.number, digest=rulebook.digest)


async def propose(runtime: Runtime, sources: Sources | None) -> Rulebook:
    """The rules in the folder, or those in force with the files of `sources` in place of theirs.

    Raises `RulebookInvalid`, `UnknownFile`.
    """
    if sources is None:
        return await asyncio.to_thread(load, runtime.knobs.rules_dir)
    unknown = sorted(sources.keys() - {f"{name}.yaml" for name in FILES})
    if unknown:
        known = ", ".join(f"{name}.yaml" for name in FILES)
        raise UnknownFile(f"No rules stand in '{unknown[0]}'; there are: {known}.", field="files")
    return await asyncio.to_thread(parse, {**runtime.rulebook.sources, **sources})


async def reload(runtime: Runtime, caller: Caller, sources: Sources | None, note: str | None) -> Activated:
    """Put the files in the folder, or those that are sent, in force. Raises as `put_in_force`, and nothing changes."""
    if sources is not None:
        await follow(runtime)
        return await put_in_force(runtime, sources, Origin.SENT, caller.actor, note)
    return await _activate(runtime, await propose(runtime, None), None, Origin.FOLDER, caller.actor, note)


async def put_in_force(
    runtime: Runtime, sources: Sources, origin: Origin, actor: str, note: str | None, besides: Besides | None = None
) -> Activated:
    """Put these files in force in the place of those that are. Raises `RulebookInvalid`, `UnknownFile`, `RulesMovedOn`.

    Call `follow` before they are made from what is in force. `besides` happens with a new version, or neither does.
    """
    base = runtime.rules.number
    return await _activate(runtime, await propose(runtime, sources), base, origin, actor, note, besides)


async def roll_back(runtime: Runtime, caller: Caller, number: int, note: str | None) -> Activated:
    """Put an earlier version in force again; a file that was not read in its days stays as it is.

    Raises `RulesVersionNotFound` and as `put_in_force`.
    """
    await follow(runtime)
    async with runtime.reading() as tx:
        earlier = await store.get_version(tx, number)
    read = {name: earlier.sources[name] for name in runtime.rulebook.sources if name in earlier.sources}
    return await put_in_force(runtime, read, Origin.ROLLBACK, caller.actor, note or f"back to version {number}")


async def _activate(
    runtime: Runtime,
    rulebook: Rulebook,
    base: int | None,
    origin: Origin,
    actor: str,
    note: str | None,
    besides: Besides | None = None,
) -> Activated:
    activated = await runtime.run(_put, rulebook, base, origin, actor, note, besides)
    await follow(runtime)
    return activated


async def _start(unit: Unit, rulebook: Rulebook) -> None:
    await store.claim_rules(unit.tx)
    last = await store.find_newest(unit.tx, Origin.FOLDER)
    if last is None or last.digest != rulebook.digest:
        await _add(unit, rulebook, Origin.FOLDER, BY_ITSELF, None)


async def _put(
    unit: Unit,
    rulebook: Rulebook,
    base: int | None,
    origin: Origin,
    actor: str,
    note: str | None,
    besides: Besides | None,
) -> Activated:
    """What is in force already is no new version. `base` is the version that the rules were made from, if any."""
    await store.claim_rules(unit.tx)
    before = await store.find_newest(unit.tx)
    if before is not None and before.digest == rulebook.digest:
        return Activated(before, changed=False)
    if before is not None and base not in {None, before.number}:
        raise RulesMovedOn(f"Version {before.number} came into force meanwhile; look at it, and try again.")
    if besides is not None:
        await besides(unit)
    return Activated(await _add(unit, rulebook, origin, actor, note), changed=True)


async def _add(unit: Unit, rulebook: Rulebook, origin: Origin, actor: str, note: str | None) -> Version:
    version = await store.add_version(unit.tx, rulebook.digest, rulebook.sources, origin, actor, note, unit.now)
    logs.transition("rules.activated", version=version.number, digest=version.digest, actor=actor)
    return version
