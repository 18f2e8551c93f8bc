"""A model is trained when there is something to learn, comes into force when it is better, and can be taken back."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from app.flows.learn import evaluate, learn_by_itself, read_models, read_standing, take_in, teach
from app.flows.promote import NotBetter, NothingToTakeBack, follow_model, promote, promote_better, roll_back
from app.routing.ownership import Department
from app.runtime import InForce, Runtime
from app.tickets.ticket import Ticket
from app.topics.classify import Classifier, readable
from app.topics.model import ModelUnusable
from app.topics.tables import topic_model, topic_training
from app.topics.versions.store import ModelNotFound, get_content
from app.topics.versions.version import State, Version
from app.training import NotTrained, Task, train
from tests.support.clock import MOMENT, Clock
from tests.support.mentions import mention
from tests.support.teaching import NEW_WORDS, RULES, TOPIC, kept, labels
from tests.support.tickets import ticket_of

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    return process(runtime)


def process(runtime: Runtime) -> Runtime:
    """Another process over the same database."""
    return replace(runtime, rules=InForce(RULES))


def learning(runtime: Runtime) -> Runtime:
    return replace(runtime, knobs=runtime.knobs.model_copy(update={"learn": True}))


async def learn(runtime: Runtime) -> int:
    return await learn_by_itself(learning(runtime), runtime.now(), asyncio.Event())


async def promoted(runtime: Runtime, *words: str) -> list[Version]:
    """Models that know a word each, in force one after the other."""
    versions = [await kept(runtime, word) for word in words]
    for version in versions:
        await runtime.run(promote, "admin:sam", version.number, None, despite=False)
    return versions


async def ask(runtime: Runtime, words: str) -> Ticket:
    return await ticket_of(runtime, mention(words))


def topic_of(runtime: Runtime, words: str) -> str | None:
    return runtime.rulebook.classifier.classify([readable(words)])[0].topic


async def states(runtime: Runtime) -> Sequence[tuple[int, State]]:
    return [(version.number, state) for version, state in await read_models(runtime, limit=100)]


async def test_the_first_model_comes_from_the_examples_and_the_next_at_night_from_enough_labels(
    runtime: Runtime, clock: Clock
) -> None:
    assert await learn(runtime) == 1
    await follow_model(runtime)
    assert await learn(runtime) == 0
    assert (await ask(runtime, f"{NEW_WORDS} 99")).topic is None

    few, more = labels(runtime.knobs.learn_from - 1, clock), labels(runtime.knobs.learn_from + 5, clock)
    await runtime.run(take_in, few)
    clock.pass_(days=1)
    assert await learn(runtime) == 0
    await runtime.run(take_in, more)
    clock.pass_(days=1)
    assert await learn(runtime) == 1
    await follow_model(runtime)

    assert (await ask(runtime, f"{NEW_WORDS} 99")).topic == TOPIC
    (newest, first) = await read_models(runtime, limit=100)
    assert (newest[1], first[1]) == (State.ACTIVE, State.RETIRED)
    assert newest[0].labels["import"] == len(more)
    assert newest[0].comparison["against"] == first[0].number
    assert newest[0].comparison["topics"][TOPIC]["after"]["right"] == len(more) // 3


async def test_enough_labels_are_learned_in_the_night_of_where_webcare_works(runtime: Runtime, clock: Clock) -> None:
    team = Department("webcare", {"nl": "Webcare", "en": "Webcare"}, "the conversation itself", "office")
    runtime.rules.put(replace(RULES, departments={**RULES.departments, team.slug: team}), 1)
    assert await learn(runtime) == 1
    await runtime.run(take_in, labels(runtime.knobs.learn_from, clock))

    clock.at = datetime(2026, 11, 19, 2, 59, tzinfo=AMSTERDAM)
    assert await learn(runtime) == 0
    await runtime.run(take_in, labels(runtime.knobs.learn_from, clock, words="Nog een raar ding, nummer"))
    clock.pass_(minutes=1)
    assert [await learn(runtime), await learn(runtime)] == [1, 0]


async def test_a_worker_that_was_away_at_night_learns_when_it_comes(runtime: Runtime, clock: Clock) -> None:
    assert await learn(runtime) == 1
    await runtime.run(take_in, labels(runtime.knobs.learn_from, clock))
    clock.pass_(days=2, hours=3)
    assert [await learn(runtime), await learn(runtime)] == [1, 0]


async def test_of_several_processes_one_trains(runtime: Runtime) -> None:
    done = await asyncio.gather(*(learn(process(runtime)) for _ in range(3)))
    assert sorted(done) == [0, 0, 1]


async def test_training_that_is_broken_off_is_taken_up_again(runtime: Runtime) -> None:
    ending = asyncio.Event()
    ending.set()
    assert await learn_by_itself(learning(runtime), runtime.now(), ending) == 0
    assert await states(runtime) == []
    a_moment_ago = update(topic_training).values(lease_until=topic_training.c.lease_until - MOMENT)
    await runtime.database.transact(lambda tx: tx.execute(a_moment_ago))
    assert await learn(runtime) == 1


async def test_it_trains_by_hand_only_where_that_is_wanted(runtime: Runtime) -> None:
    assert await learn_by_itself(runtime, runtime.now(), asyncio.Event()) == 0
    assert (await teach(runtime, "admin:sam")).actor == "admin:sam"


async def test_what_was_learned_already_makes_no_second_model(runtime: Runtime) -> None:
    first, again = await teach(runtime, "admin:sam"), await teach(runtime, "admin:sam")
    assert first == again


async def test_a_topic_that_the_rules_lost_is_named_no_more_and_the_rest_is_learned_anew(runtime: Runtime) -> None:
    await runtime.run(promote_better, "system", await kept(runtime, "wifibol"))
    await follow_model(runtime)
    standing = await read_standing(runtime)
    assert topic_of(runtime, "wifibol") == TOPIC

    rest = {slug: topic for slug, topic in RULES.topics.items() if slug != TOPIC}
    runtime.rules.put(replace(RULES, topics=rest, classifier=Classifier(tuple(rest.values()))), 2)

    assert topic_of(runtime, "wifibol") is None
    assert (await read_standing(runtime)).examples != standing.examples


async def test_a_rollback_reaches_every_process_and_nothing_comes_into_force_by_itself_after_it(
    runtime: Runtime, clock: Clock
) -> None:
    elsewhere = process(runtime)
    first = await kept(runtime, "wifibol")
    assert await runtime.run(promote_better, "system", first)
    await follow_model(elsewhere)
    assert (await ask(elsewhere, "wifibol")).topic == TOPIC

    done = await runtime.run(roll_back, "manager:kim", "wifibol is a toy")
    await follow_model(elsewhere)
    assert (done.promotion.model, elsewhere.rules.learned.number) == (None, None)
    assert (await ask(elsewhere, "wifibol")).topic is None
    with pytest.raises(NothingToTakeBack):
        await runtime.run(roll_back, "manager:kim", None)

    assert not await runtime.run(promote_better, "system", await kept(runtime, "wifibol", "paars"))
    assert [state for _, state in await states(runtime)] == [State.CANDIDATE, State.RETIRED]


async def test_one_goes_back_step_by_step(runtime: Runtime) -> None:
    first, _ = await promoted(runtime, "wifibol", "paars")
    back = [(await runtime.run(roll_back, "admin:sam", None)).promotion.model for _ in range(2)]
    assert back == [first.number, None]


async def test_what_was_in_force_before_comes_back_although_it_is_newer(runtime: Runtime) -> None:
    first, second = await kept(runtime, "wifibol"), await kept(runtime, "paars")
    for version in (second, first):
        await runtime.run(promote, "admin:sam", version.number, None, despite=False)
    assert (await runtime.run(roll_back, "admin:sam", None)).promotion.model == second.number


async def test_who_promotes_what_came_back_lets_models_come_into_force_by_themselves_again(runtime: Runtime) -> None:
    first, _ = await promoted(runtime, "wifibol", "paars")
    await runtime.run(roll_back, "admin:sam", None)
    assert not await runtime.run(promote_better, "system", await kept(runtime, "zolder"))

    assert not (await runtime.run(promote, "admin:sam", first.number, "this one is good", despite=False)).changed
    assert await runtime.run(promote_better, "system", await kept(runtime, "gang"))


async def test_a_model_that_was_compared_with_another_than_is_in_force_waits_for_a_person(runtime: Runtime) -> None:
    first, second = await kept(runtime, "wifibol"), await kept(runtime, "paars")
    assert await runtime.run(promote_better, "system", first)
    assert not await runtime.run(promote_better, "system", second)


async def test_a_model_that_is_not_better_stays_out_unless_a_person_says_so(runtime: Runtime) -> None:
    worse = await kept(runtime, "wifibol", better=False)
    assert not await runtime.run(promote_better, "system", worse)
    with pytest.raises(NotBetter) as refused:
        await runtime.run(promote, "admin:sam", worse.number, None, despite=False)
    assert refused.value.facts == {"worse": [TOPIC]}
    assert (await runtime.run(promote, "admin:sam", worse.number, "a try", despite=True)).changed
    with pytest.raises(ModelNotFound):
        await runtime.run(promote, "admin:sam", 99_999, None, despite=False)


async def test_a_model_that_was_tampered_with_is_refused_and_the_one_before_goes_on(runtime: Runtime) -> None:
    first, second = await kept(runtime, "wifibol"), await kept(runtime, "paars")
    await runtime.run(promote, "admin:sam", first.number, None, despite=False)
    await follow_model(runtime)
    await runtime.run(promote, "admin:sam", second.number, None, despite=False)
    await tamper(runtime, second)

    fresh = process(runtime)
    for one in (runtime, fresh):
        await follow_model(one)
        assert (one.rules.learned.number, one.rules.learned.refused) == (first.number, second.number)


async def test_nobody_puts_a_model_in_force_that_no_process_could_read(runtime: Runtime) -> None:
    first, second, _ = await promoted(runtime, "wifibol", "paars", "zolder")
    await tamper(runtime, second)

    with pytest.raises(ModelUnusable):
        await runtime.run(promote, "admin:sam", second.number, None, despite=False)
    assert (await runtime.run(roll_back, "admin:sam", None)).promotion.model == first.number


async def test_a_model_whose_bytes_were_restored_is_read_again_when_it_is_promoted(runtime: Runtime) -> None:
    first, second = await promoted(runtime, "wifibol", "paars")
    async with runtime.reading() as tx:
        _, whole = await get_content(tx, second.number)
    await tamper(runtime, second)
    await follow_model(runtime)
    assert (runtime.rules.learned.number, runtime.rules.learned.refused) == (first.number, second.number)

    await tamper(runtime, second, whole)
    await runtime.run(promote, "admin:sam", second.number, None, despite=False)
    await follow_model(runtime)
    assert (runtime.rules.learned.number, runtime.rules.learned.refused) == (second.number, None)


async def tamper(runtime: Runtime, version: Version, content: bytes = b"else") -> None:
    tampered = update(topic_model).where(topic_model.c.number == version.number).values(content=content)
    await runtime.database.transact(lambda tx: tx.execute(tampered))


async def test_a_model_of_other_bytes_than_its_digest_is_refused(runtime: Runtime) -> None:
    first, second = await kept(runtime, "wifibol"), await kept(runtime, "paars")
    swapped = update(topic_model).where(topic_model.c.number == second.number)
    taken = select(topic_model.c.content).where(topic_model.c.number == first.number).scalar_subquery()
    await runtime.run(promote, "admin:sam", second.number, None, despite=False)
    await runtime.database.transact(lambda tx: tx.execute(swapped.values(content=taken)))

    await follow_model(runtime)

    assert (runtime.rules.learned.model, runtime.rules.learned.refused) == (None, second.number)


async def test_what_keeps_it_from_training_is_told_in_words() -> None:
    with pytest.raises(NotTrained, match=r"topics\.yaml:1: the file is missing"):
        await train(Task({}, ()))


async def test_a_model_is_evaluated_on_what_came_since(runtime: Runtime, clock: Clock) -> None:
    version = await kept(runtime, "wifibol")
    assert (await evaluate(runtime, version.number))[1] is None

    clock.pass_(days=1)
    await runtime.run(take_in, labels(5, clock, words="wifibol"))
    _, since = await evaluate(runtime, version.number)

    assert since is not None
    assert (since.posts, since.before.triage, since.after.right) == (5, 5, 5)
