"""Once a day, by one process for all: posts that nobody found a topic for are grouped, and groups become proposals.

Knows the order: whose turn, gather, group while no transaction is open, keep. Refuses to know how posts are grouped
(topics.proposals) and changes no rule: what a manager accepts is only noted.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from app.access.role import Caller
from app.answers.masking import masked
from app.kit import logs
from app.kit.ids import new_id
from app.runtime import Runtime, Unit
from app.topics.proposals import store as proposals
from app.topics.proposals.client import Found, list_groups
from app.topics.proposals.proposal import Proposal, ProposalState, known
from app.topics.proposals.store import Post
from app.topics.turns.store import claim_turn

EVERY = timedelta(days=1)
REACH = timedelta(days=14)
MOST = 3_000  # posts: what grouping holds in 200 MB
PEOPLE = 5  # who wrote a group at least: one customer's flood is no topic
KEPT = 50  # posts of a proposal


async def propose(runtime: Runtime, now: datetime, every: timedelta = EVERY) -> int:
    """One look, unless it was taken; returns how many new proposals there are. Raises `GroupingFailed`."""
    if not await runtime.run(_take_turn, every):
        return 0
    async with runtime.reading(reports=True) as tx:
        posts = await proposals.list_unplaced(tx, now - REACH, MOST)
    guard = runtime.rulebook.guard
    groups = await list_groups([masked(post.text, guard, post.names) for post in posts])
    return await runtime.run(_keep, posts, groups)


async def _take_turn(unit: Unit, every: timedelta) -> bool:
    return await claim_turn(unit.tx, "proposals", every)


async def _keep(unit: Unit, posts: Sequence[Post], groups: Sequence[Found]) -> int:
    """What was proposed before keeps its id, and what a manager thought of it."""
    before = await proposals.claim_proposals(unit.tx)
    new = 0
    for places, words in groups:
        members = [posts[place] for place in places]
        people = len({post.author_id for post in members})
        if people < PEOPLE:
            continue
        ids = tuple(post.id for post in members)
        same = known(words, ids, before)
        made = replace(same, words=words, posts=ids[:KEPT], size=people, seen_at=unit.now) if same else None
        if made is None:
            made = Proposal(new_id(), ProposalState.OPEN, words, ids[:KEPT], people, unit.now, unit.now)
            before.append(made)
            new += 1
            logs.transition("proposal.made", proposal=str(made.id), size=people)
        await proposals.record_proposal(unit.tx, made)
    return new


async def decide(unit: Unit, caller: Caller, proposal_id: UUID, state: ProposalState) -> Proposal:
    """A manager accepts or dismisses it. Raises `ProposalNotFound`, `ProposalDecided`."""
    decided = await proposals.mark_decided(unit.tx, proposal_id, state, caller.actor, unit.now)
    logs.transition(f"proposal.{state}", proposal=str(proposal_id), actor=caller.actor)
    return decided
