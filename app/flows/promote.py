"""A model comes into force: because it is better, by hand, or again after all; on every process alike.

Knows that the newest promotion counts and how a process follows it. Refuses to know how a model was trained (learn)
and what it says about a text (topics).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.kit import logs
from app.kit.db import Reading
from app.kit.errors import Conflict
from app.runtime import Learned, Runtime, Unit
from app.topics.model import Model, ModelUnusable
from app.topics.versions import store
from app.topics.versions.version import Origin, Promotion, Version, stacked


class NotBetter(Conflict):
    """The comparison does not speak for this model; `worse` names the topics that it would harm."""


class NothingToTakeBack(Conflict):
    """Phrases decide alone already."""


@dataclass(frozen=True, slots=True)
class Promoted:
    """What is in force now, and whether it is another than before."""

    promotion: Promotion
    changed: bool


async def follow_model(runtime: Runtime) -> None:
    """Take over the model in force, if it is another than this process reads topics with.

    One that was tampered with, or that this program cannot read, is refused: the one before goes on. A process that has
    none yet looks for one among those that were in force before.
    """
    known = runtime.rules.learned
    async with runtime.reading() as tx:
        promotion = await store.find_promotion(tx)
        if promotion is None or promotion.number == known.promotion:
            return
        number = promotion.model
        model = None if number is None else await _read(tx, number)
        refused = number if model is None else None
        if refused is not None:
            number, model = known.number, known.model
            if model is None:
                number, model = await _last_readable(tx, await _before(tx))
        learned = Learned(promotion.number, number, model, refused)
    runtime.rules.learn(learned)
    logs.transition("topics.followed", promotion=promotion.number, model=learned.number, refused=learned.refused)


async def promote(unit: Unit, actor: str, number: int, note: str | None, *, despite: bool) -> Promoted:
    """Put a model in force. Where it is already, every process reads it anew: one that was refused may be whole again.

    Raises `ModelNotFound`, `ModelUnusable`; `NotBetter`, unless `despite` what the comparison says.
    """
    await store.claim_promotion(unit.tx)
    version = await store.get_version(unit.tx, number)
    await _get_model(unit.tx, number)
    if not despite and not version.comparison["better"]:
        raise NotBetter(_why_not(version), worse=version.comparison["worse"])
    return await _put(unit, number, Origin.BY_HAND, actor, note)


async def promote_better(unit: Unit, actor: str, version: Version) -> bool:
    """Put a model in force that just proved better than what is; returns whether it came into force.

    Not one that was compared with a model that meanwhile made room, and none after a person took one back: then the
    next is for a person to promote, too.
    """
    await store.claim_promotion(unit.tx)
    standing = await store.find_promotion(unit.tx)
    active, origin = (standing.model, standing.origin) if standing else (None, Origin.BETTER)
    if not version.comparison["better"] or version.comparison["against"] != active or origin is Origin.ROLLBACK:
        return False
    return (await _put(unit, version.number, Origin.BETTER, actor, None)).changed


async def roll_back(unit: Unit, actor: str, note: str | None) -> Promoted:
    """Put the model in force again that was before the one that is; before the first, phrases decide alone.

    One that cannot be read any more is passed over. Raises `NothingToTakeBack`.
    """
    await store.claim_promotion(unit.tx)
    standing = await store.find_promotion(unit.tx)
    if standing is None or standing.model is None:
        raise NothingToTakeBack("No model is in force: phrases decide alone already.")
    before, _ = await _last_readable(unit.tx, await _before(unit.tx))
    return await _put(unit, before, Origin.ROLLBACK, actor, note)


async def _before(tx: Reading) -> Sequence[int | None]:
    """What one may go back to, the last first: the models under the one in force, then phrases alone."""
    *under, _ = stacked(reversed(await store.list_promotions(tx)))
    return [*reversed(under), None]


async def _last_readable(tx: Reading, numbers: Sequence[int | None]) -> tuple[int | None, Model | None]:
    for number in numbers:
        model = None if number is None else await _read(tx, number)
        if model is not None:
            return number, model
    return None, None


async def _put(unit: Unit, number: int | None, origin: Origin, actor: str, note: str | None) -> Promoted:
    standing = await store.find_promotion(unit.tx)
    promotion = await store.add_promotion(unit.tx, number, origin, actor, note, unit.now)
    logs.transition("topics.promoted", model=number, origin=origin, actor=actor)
    return Promoted(promotion, changed=standing is None or standing.model != number)


async def _read(tx: Reading, number: int) -> Model | None:
    try:
        return await _get_model(tx, number)
    except ModelUnusable as error:
        logs.failure("topics.unreadable", error, model=number)
        return None


async def _get_model(tx: Reading, number: int) -> Model:
    """Raises `ModelNotFound`, `ModelUnusable`."""
    digest, content = await store.get_content(tx, number)
    model = await asyncio.to_thread(Model, content)
    if model.digest != digest:
        raise ModelUnusable(f"model {number} is not the one that was kept under this number")
    return model


def _why_not(version: Version) -> str:
    worse = version.comparison["worse"]
    harm = f"it does worse on {', '.join(worse)}" if worse else "it did not do better"
    against = version.comparison["against"]
    than = "than phrases alone" if against is None else f"than model {against}"
    return f"Model {version.number} stays out: on the posts it was tried on {harm} {than}. Look, or say `despite`."
