"""Mentions come in: once each, in the right ticket, with reasons, whatever else is in the list."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from app.delivery.endpoints.endpoint import Endpoint, Payload
from app.delivery.endpoints.store import add_endpoint
from app.delivery.tables import message as message_table
from app.flows.receive import receive, withdraw
from app.flows.record import record_one
from app.flows.settle import Outcome, Received
from app.kit.errors import WebcareError
from app.kit.failures import RowRefused
from app.kit.ids import new_id
from app.mentions.mention import Author, Kind, Mention
from app.mentions.tables import author as author_table
from app.mentions.tables import mention as mention_table
from app.mentions.tables import mention_revision
from app.routing.tables import decision as decision_table
from app.runtime import Learned, Runtime, Unit
from app.tickets import lifecycle
from app.tickets.store import claim_ticket, get_ticket, list_events
from app.tickets.tables import event as event_table
from app.tickets.tables import ticket
from app.tickets.ticket import State, Ticket
from tests.support.clock import Clock
from tests.support.learned import model_of
from tests.support.mentions import GREETING, mention


async def take(runtime: Runtime, *said: Mention) -> list[Received]:
    answers = await receive(runtime, said)
    return [answer for answer in answers if isinstance(answer, Received)]


async def take_one(runtime: Runtime, said: Mention) -> tuple[Outcome, Ticket | None]:
    (received,) = await take(runtime, said)
    return received.outcome, received.ticket


async def test_a_mention_opens_a_ticket_at_the_owner_of_its_topic_with_the_clocks_running(runtime: Runtime) -> None:
    (received,) = await take(runtime, mention())

    assert received.outcome is Outcome.OPENED
    assert received.ticket is not None
    assert received.ticket.department == "supply_chain"
    assert {"first_reply", "resolution"} <= set(received.ticket.due)
    assert any(reason["code"] == "phrase" for reason in received.reasons)


async def test_a_mention_without_a_sure_topic_waits_in_triage(runtime: Runtime) -> None:
    _, opened = await take_one(runtime, mention(GREETING))

    assert opened is not None
    assert (opened.state, opened.department, opened.holder) == (State.TRIAGE, None, "triage")


async def test_a_model_decides_where_phrases_are_silent_and_the_record_says_so_in_words(runtime: Runtime) -> None:
    model = model_of({"order_status": ["zoekgeraakt"], "billing_question": ["centjes"]})
    runtime.rules.learn(Learned(number=7, model=model))
    unsure, sure = [received.reasons for received in await take(runtime, mention(GREETING), mention("zoekgeraakt"))]
    runtime.rules.learn(Learned())

    assert [reason["text"] for reason in unsure] == [
        "model 7 thinks of order_status with 56%, billing_question 44%; it decides from 90% on",
        "no topic is sure enough: no phrase was found",
    ]
    told = [reason["text"] for reason in sure]
    assert told[0].startswith("model 7 thinks of order_status with 100%, billing_question 0%; it decides from 90% on")
    assert told[1] == "topic order_status, confidence 1.00, decided by the model"
    async with runtime.reading() as tx:
        kept = [record for (record,) in await tx.rows(select(decision_table.c.record))]
    (by_model,) = [record["model"] for record in kept if record["verdict"] == "model"]
    assert (by_model["version"], by_model["threshold"], by_model["best"][0]["topic"]) == (7, 0.9, "order_status")


async def test_the_same_mention_again_is_a_duplicate_with_what_stands(runtime: Runtime) -> None:
    said = mention()
    _, opened = await take_one(runtime, said)

    outcome, standing = await take_one(runtime, said)

    assert outcome is Outcome.DUPLICATE
    assert opened is not None
    assert standing is not None
    assert standing.id == opened.id


async def test_changed_words_become_a_revision(runtime: Runtime) -> None:
    said = mention()
    await take_one(runtime, said)

    outcome, _ = await take_one(runtime, replace(said, text="Nu is mijn pakket ook nog beschadigd"))

    async with runtime.reading() as tx:
        assert outcome is Outcome.UPDATED
        assert await tx.scalar(select(mention_table.c.text)) == "Nu is mijn pakket ook nog beschadigd"
        assert await tx.scalar(select(mention_revision.c.text)) == said.text


async def test_an_edit_that_arrives_late_changes_nothing(runtime: Runtime) -> None:
    said = mention(revision=3)
    await take_one(runtime, said)

    outcome, _ = await take_one(runtime, replace(said, text="older words", revision=2))

    assert outcome is Outcome.DUPLICATE


async def test_two_versions_in_one_list_are_taken_in_their_order(runtime: Runtime) -> None:
    said = mention()

    first, second = await take(runtime, said, replace(said, text="Mijn pakket is er, dank!"))

    assert (first.outcome, second.outcome) == (Outcome.OPENED, Outcome.UPDATED)


async def test_a_deletion_beats_a_create_that_comes_late(runtime: Runtime) -> None:
    said = mention()
    gone = await runtime.run_idempotent(withdraw, said.key)

    outcome, opened = await take_one(runtime, said)

    assert gone.mention_id is None
    assert (outcome, opened) == (Outcome.IGNORED, None)


async def test_a_deletion_takes_the_words_away_and_settles_a_ticket_of_which_nothing_is_left(runtime: Runtime) -> None:
    said = mention()
    await take_one(runtime, said)

    gone = await runtime.run_idempotent(withdraw, said.key)
    again = await runtime.run_idempotent(withdraw, said.key)

    assert gone.ticket is not None
    assert (gone.ticket.state, gone.ticket.resolution) == (State.RESOLVED, "withdrawn")
    assert again.ticket is not None
    assert again.ticket.version == gone.ticket.version
    async with runtime.reading() as tx:
        assert await tx.scalar(select(mention_table.c.text)) == ""


async def test_our_own_posts_are_known_and_make_no_ticket(runtime: Runtime) -> None:
    outcome, opened = await take_one(runtime, mention(author=Author(handle="@PolderMobiel")))

    assert (outcome, opened) == (Outcome.IGNORED, None)


async def test_reposts_are_counted_on_their_original(runtime: Runtime) -> None:
    said = mention()
    await take_one(runtime, said)

    reposts = [mention(by=name, kind=Kind.REPOST, parent_id=said.external_id) for name in ("joris", "mila")]
    outcomes = {received.outcome for received in await take(runtime, *reposts)}

    async with runtime.reading() as tx:
        counted = select(mention_table.c.reposts).where(mention_table.c.external_id == said.external_id)
        assert outcomes == {Outcome.IGNORED}
        assert await tx.scalar(counted) == 2


async def test_a_repost_in_the_same_list_as_its_original_is_counted_too(runtime: Runtime) -> None:
    said = mention()

    opened, ignored = await take(runtime, said, mention(by="joris", kind=Kind.REPOST, parent_id=said.external_id))

    async with runtime.reading() as tx:
        assert (opened.outcome, ignored.outcome) == (Outcome.OPENED, Outcome.IGNORED)
        assert ignored.reasons[0]["facts"] == {"original": said.external_id}
        assert "counted" in ignored.reasons[0]["text"]
        assert await tx.scalar(select(func.max(mention_table.c.reposts))) == 1


async def test_twenty_posts_in_one_conversation_at_once_make_one_ticket(runtime: Runtime) -> None:
    said = [mention(conversation_id="c-1") for _ in range(20)]

    received = await asyncio.gather(*(take(runtime, one) for one in said))

    tickets = {one.ticket.id for (one,) in received if one.ticket}
    opened = [one for (one,) in received if one.outcome is Outcome.OPENED]
    assert len(tickets) == 1
    assert len(opened) == 1


async def test_a_reply_finds_the_conversation_of_the_post_that_it_answers(runtime: Runtime) -> None:
    first = mention()
    second = mention(parent_id=first.external_id, kind=Kind.REPLY)

    opened, joined = await take(runtime, first, second)

    assert (opened.outcome, joined.outcome) == (Outcome.OPENED, Outcome.JOINED)
    assert opened.ticket is not None
    assert joined.ticket is not None
    assert opened.ticket.id == joined.ticket.id


async def test_another_person_in_the_same_thread_gets_a_ticket_of_their_own(runtime: Runtime) -> None:
    first = mention(conversation_id="c-1", by="sanne")
    second = mention(conversation_id="c-1", by="joris")

    assert [one.outcome for one in await take(runtime, first, second)] == [Outcome.OPENED, Outcome.OPENED]


async def test_a_next_post_that_makes_the_topic_clear_takes_the_ticket_out_of_triage(runtime: Runtime) -> None:
    await take_one(runtime, mention(GREETING, conversation_id="c-1"))

    outcome, joined = await take_one(runtime, mention(conversation_id="c-1"))

    assert outcome is Outcome.JOINED
    assert joined is not None
    assert (joined.state, joined.department) == (State.ROUTED, "supply_chain")


async def test_one_that_the_database_refuses_fails_alone(runtime: Runtime) -> None:
    # The doors refuse such text; a flow that is called by other programs must still keep the neighbours.
    good, bad, fine = mention(), mention("half\x00a text"), mention()

    first, second, third = await receive(runtime, [good, bad, fine])

    assert isinstance(first, Received)
    assert isinstance(second, RowRefused)
    assert isinstance(third, Received)
    async with runtime.reading() as tx:
        assert await tx.scalar(select(func.count()).select_from(ticket)) == 2


async def test_imported_history_starts_its_clocks_at_receipt(runtime: Runtime, clock: Clock) -> None:
    old = mention(at=clock() - timedelta(days=400), imported=True)

    _, opened = await take_one(runtime, old)

    assert opened is not None
    assert opened.due["first_reply"] > clock()


async def test_events_are_numbered_and_the_ticket_knows_the_last(runtime: Runtime) -> None:
    _, opened = await take_one(runtime, mention())

    assert opened is not None
    async with runtime.reading() as tx:
        standing = await get_ticket(tx, opened.id)
        events = await list_events(tx, opened.id)
    assert [event.sequence for event in events] == list(range(1, standing.sequence + 1))
    assert [event.type for event in events][:3] == ["mention.received", "ticket.opened", "ticket.routed"]


async def test_an_answer_is_given_for_each_in_its_place(runtime: Runtime) -> None:
    said = [mention(f"{number} {GREETING}", conversation_id=f"c-{number % 7}") for number in range(120)]

    answers: list[Received | WebcareError] = await receive(runtime, said)

    async with runtime.reading() as tx:
        for one, answer in zip(said, answers, strict=True):
            assert isinstance(answer, Received)
            found = select(mention_table.c.external_id).where(mention_table.c.id == answer.mention_id)
            assert await tx.scalar(found) == one.external_id


async def test_one_list_joins_a_ticket_and_opens_another(runtime: Runtime) -> None:
    await take_one(runtime, mention(conversation_id="c-1"))

    joined, opened = await take(runtime, mention(conversation_id="c-1"), mention(conversation_id="c-2"))

    assert (joined.outcome, opened.outcome) == (Outcome.JOINED, Outcome.OPENED)


async def test_numbers_follow_the_order_of_the_list(runtime: Runtime) -> None:
    numbers = [one.ticket.number for one in await take(runtime, *(mention() for _ in range(4))) if one.ticket]

    assert numbers == sorted(numbers)


async def test_an_edit_on_an_old_ticket_leaves_the_new_one_of_its_conversation_alone(
    runtime: Runtime, clock: Clock
) -> None:
    old = mention(conversation_id="c-1")
    _, first = await take_one(runtime, old)
    assert first is not None
    await runtime.run(close_for_good, first.id)
    await take_one(runtime, mention(conversation_id="c-1"))

    edited, joined = await take(
        runtime, replace(old, text="Nu is het pakket ook nog stuk"), mention(conversation_id="c-1")
    )

    assert edited.ticket is not None
    assert joined.ticket is not None
    assert (edited.ticket.id, edited.outcome) == (first.id, Outcome.UPDATED)
    assert joined.outcome is Outcome.JOINED
    assert joined.ticket.previous_id == first.id


async def test_a_post_that_tells_less_of_its_author_changes_nothing_about_them(runtime: Runtime) -> None:
    known = Author(external_id="u-1", handle="sanne", followers=1200, verified=True)
    await take_one(runtime, mention(author=known))
    await take_one(runtime, mention(author=Author(external_id="u-1", followers=1300)))

    async with runtime.reading() as tx:
        row = await tx.first(select(author_table))
    assert row is not None
    assert (row.handle, row.followers, row.verified) == ("sanne", 1300, True)


async def test_of_a_deleted_post_no_words_are_left_anywhere(runtime: Runtime) -> None:
    now = runtime.now()
    hook = Endpoint(
        new_id(), "supply_chain", "https://hook.test/", None, Payload.FULL, b"", created_at=now, updated_at=now
    )
    await runtime.database.transact(lambda tx: add_endpoint(tx, hook))
    said = mention(channel="forum")
    await take_one(runtime, said)
    await runtime.run_idempotent(withdraw, said.key)

    async with runtime.reading() as tx:
        columns = (decision_table.c.record, message_table.c.body, event_table.c.data)
        # Not the rows themselves, which show no more than the ends of a long text.
        kept = [str(row[0]) for column in columns for row in await tx.rows(select(column))]
    assert any("ticket.routed" in text for text in kept)
    assert not [text for text in kept if "pakketje" in text]


async def close_for_good(unit: Unit, ticket_id: UUID) -> None:
    resolved = lifecycle.resolve(await claim_ticket(unit.tx, ticket_id), "agent:anna", "solved", None, unit.now)
    await record_one(unit, resolved.then(lifecycle.close(resolved.ticket, unit.now)))
