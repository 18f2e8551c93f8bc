"""The model learns: labels are gathered, a model is trained apart, and comes into force if it is better.

Knows when there is something to learn and what is kept of it. Refuses to know how a model is trained (training) and
how processes come to follow it (promote).
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.flows.promote import promote_better
from app.kit import logs
from app.rulebook import Rulebook
from app.runtime import Runtime, Unit
from app.sla.calendar import last_hour
from app.topics.labels.labelling import Labelling, Source, in_force
from app.topics.labels.store import get_counts, list_labels, record_imported
from app.topics.versions import store
from app.topics.versions.comparison import Comparison
from app.topics.versions.material import digest_of
from app.topics.versions.version import Promotion, State, Version, state_of
from app.training import DEADLINE, NotTrained, Task, Taught, judge, train

BY_ITSELF = "system"
MOST = 50_000  # labels: what training can hold, and more than a team gives in years
_EXAMPLES = "example"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in force, and whether there is something to learn.

    `examples` names what the rulebook teaches; `new` counts by source the labels that the newest model has not learned
    from.
    """

    promotion: Promotion | None
    newest: Version | None
    examples: str
    new: Mapping[Source, int]


async def take_in(unit: Unit, labels: Sequence[Labelling]) -> int:
    """Keep labels of texts that stand nowhere else; returns how many are new."""
    return await record_imported(unit.tx, labels)


async def read_standing(runtime: Runtime, until: datetime | None = None) -> Standing:
    """As it is; of new labels those alone that were given by `until`."""
    async with runtime.reading() as tx:
        newest = await store.find_newest(tx)
        new = await get_counts(tx, newest.taught_until if newest else None, until)
        promotion = await store.find_promotion(tx)
    return Standing(promotion, newest, _examples(runtime.rulebook), new)


async def read_models(runtime: Runtime, *, before: int | None = None, limit: int) -> list[tuple[Version, State]]:
    """Models with a smaller number than `before`, newest first."""
    async with runtime.reading() as tx:
        promotions = await store.list_promotions(tx)
        versions = await store.list_versions(tx, before=before, limit=limit)
    return [(one, state_of(one.number, promotions)) for one in versions]


async def read_model(runtime: Runtime, number: int) -> tuple[Version, State]:
    """Raises `ModelNotFound`."""
    async with runtime.reading() as tx:
        return await store.get_version(tx, number), state_of(number, await store.list_promotions(tx))


async def evaluate(runtime: Runtime, number: int) -> tuple[Version, Comparison | None]:
    """A model against phrases alone, on the labels that came since it was trained; None while there are none.

    Raises `ModelNotFound`, `ModelUnusable`.
    """
    async with runtime.reading() as tx:
        version = await store.get_version(tx, number)
        _, content = await store.get_content(tx, number)
        labels = in_force(await list_labels(tx, since=version.taught_until, limit=MOST))
    return version, await asyncio.to_thread(judge, runtime.rulebook, labels, content)


async def teach(runtime: Runtime, actor: str) -> Version:
    """Train a model on all that there is and keep it, compared with what is in force.

    The same lessons make the same model, which is kept once. Raises `NotTrained`, `TrainingFailed`.
    """
    rules = runtime.rulebook
    async with runtime.reading() as tx:
        labels = in_force(await list_labels(tx, limit=MOST))
        standing = await store.find_promotion(tx)
        against = standing.model if standing else None
        active = None if against is None else await store.get_version(tx, against)
        content = None if against is None else (await store.get_content(tx, against))[1]
    task = Task(rules.sources, labels, content, against, active.taught_until if active else None)
    taught = await train(task)
    counts = {_EXAMPLES: sum(len(topic.examples) for topic in rules.topics.values())}
    counts |= Counter(str(one.source) for one in labels)
    until = max((one.at for one in labels), default=None)
    return await runtime.run(_keep, taught, _examples(rules), counts, until, actor)


async def learn_by_itself(runtime: Runtime, now: datetime, ending: asyncio.Event) -> int:
    """Train where there is something new: other examples in the rulebook at once, enough labels at night.

    Night is an hour in webcare's own time zone, so that topics are not read differently in the middle of a day; where
    no worker was there at that hour, the first to come trains. One process of all does it, once; what proved better
    comes into force. Returns how many models were trained. When `ending` is set, training is given up and left to the
    next process that looks.
    """
    knobs = runtime.knobs
    if not knobs.learn:
        return 0
    night = last_hour(runtime.rulebook.zone, knobs.learn_hour, now)
    standing = await read_standing(runtime, night)
    for slot in _slots(standing, night, knobs.learn_from):
        if await runtime.run(_claim, slot):
            return await _learn(runtime, slot, ending)
    return 0


async def _learn(runtime: Runtime, slot: str, ending: asyncio.Event) -> int:
    training, end = asyncio.ensure_future(teach(runtime, BY_ITSELF)), asyncio.ensure_future(ending.wait())
    try:
        await asyncio.wait({training, end}, return_when=asyncio.FIRST_COMPLETED)
        if not training.done():
            await runtime.run(_give_up, slot)
            return 0
        version = await training
        await runtime.run(promote_better, BY_ITSELF, version)
    except NotTrained as error:
        logs.failure("topics.not_trained", error)
        version = None
    finally:
        training.cancel()
        end.cancel()
        await asyncio.wait({training, end})
    await runtime.run(_end, slot)
    return 0 if version is None else 1


def _slots(standing: Standing, night: datetime, enough: int) -> list[str]:
    """What there is to train for, each under a name that no other occasion has."""
    newest = standing.newest
    slots = []
    if newest is None or newest.examples != standing.examples:
        slots.append(f"examples {standing.examples} after model {newest.number if newest else 0}")
    if sum(standing.new.values()) >= enough:
        slots.append(f"labels of the night {night.isoformat()}")
    return slots


def _examples(rules: Rulebook) -> str:
    return digest_of(rules.topics, rules.sources["words.yaml"])


async def _claim(unit: Unit, slot: str) -> bool:
    return await store.claim_training(unit.tx, slot, 2 * DEADLINE)


async def _give_up(unit: Unit, slot: str) -> None:
    await store.mark_given_up(unit.tx, slot)


async def _end(unit: Unit, slot: str) -> None:
    await store.mark_trained(unit.tx, slot, unit.now)


async def _keep(
    unit: Unit, taught: Taught, examples: str, labels: Mapping[str, int], until: datetime | None, actor: str
) -> Version:
    await store.claim_promotion(unit.tx)  # nobody keeps the same model beside us
    known = await store.find_version(unit.tx, taught.digest)
    if known is not None:
        return known
    version = await store.add_version(
        unit.tx,
        taught.content,
        digest=taught.digest,
        examples=examples,
        labels=labels,
        taught_until=until,
        comparison=taught.comparison,
        actor=actor,
        at=unit.now,
    )
    logs.transition("topics.trained", model=version.number, better=version.comparison["better"], actor=actor)
    return version
