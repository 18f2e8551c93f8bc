"""Topics that the rulebook may be missing, for managers: read, accepted, dismissed.

Knows the wire form and how a proposal reads in YAML. Refuses to know how it came about, and edits no rules.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import yaml
from fastapi import APIRouter, Query
from pydantic import Field

from app.access.role import Caller, Permission
from app.answers.masking import masked
from app.api.auth import allow
from app.api.fields import OutModel
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.flows.propose import decide
from app.runtime import Runtime
from app.topics.proposals import store as proposals
from app.topics.proposals.proposal import Proposal, ProposalState, as_topic
from app.topics.proposals.store import Post

router = APIRouter(prefix="/api/v1/topics/proposals", tags=["managers"])

Teacher = Annotated[Caller, allow(Permission.TEACH_TOPICS)]

EXAMPLES = 3
_places = Places(UUID)


class ProposalFilter(Paging):
    state: ProposalState = Field(ProposalState.OPEN, description="open, accepted or dismissed")


class ProposalOut(OutModel):
    """Posts of the last two weeks that nobody found a topic for, and that are about the same."""

    id: UUID
    state: ProposalState
    words: list[str] = Field(description="That tell it from other posts, the most telling first", examples=[["esim"]])
    size: int = Field(description="How many people wrote about it", examples=[14])
    examples: list[str] = Field(description="The most typical posts, without what tells who wrote them")
    yaml: str = Field(description="For topics.yaml, once it has good names and, in ownership.yaml, an owner")
    proposed_at: datetime
    seen_at: datetime = Field(description="The last day on which it was found")
    decided_at: datetime | None
    decided_by: str | None = Field(examples=["manager:kim"])


@router.get("", summary="List topics that may be missing")
async def read_proposals(_: Teacher, runtime: Serving, asked: Annotated[ProposalFilter, Query()]) -> Page[ProposalOut]:
    """Newest first. What was accepted or dismissed is not proposed again."""
    before = _places.decode(asked.cursor)
    async with runtime.reading() as tx:
        found = await proposals.list_proposals(tx, state=asked.state, limit=asked.limit + 1, before=before)
        page, next_cursor = _places.cut(found, asked.limit, lambda one: one.id)
        typical = await proposals.list_typical(tx, [one.id for one in page], EXAMPLES)
    items = [_shown(runtime, one, typical[one.id]) for one in page]
    return Page(items=items, next_cursor=next_cursor)


@router.post("/{proposal_id}/accept", summary="Take up a topic that is missing")
async def accept_proposal(caller: Teacher, runtime: Serving, proposal_id: UUID) -> ProposalOut:
    """Noted, and no more: its `yaml` is for whoever edits the rules."""
    return await _decide(runtime, caller, proposal_id, ProposalState.ACCEPTED)


@router.post("/{proposal_id}/dismiss", summary="Say that this is no topic")
async def dismiss_proposal(caller: Teacher, runtime: Serving, proposal_id: UUID) -> ProposalOut:
    """The same posts are not proposed again."""
    return await _decide(runtime, caller, proposal_id, ProposalState.DISMISSED)


async def _decide(runtime: Runtime, caller: Caller, proposal_id: UUID, state: ProposalState) -> ProposalOut:
    decided = await runtime.run(decide, caller, proposal_id, state)
    async with runtime.reading() as tx:
        typical = await proposals.list_typical(tx, [decided.id], EXAMPLES)
    return _shown(runtime, decided, typical[decided.id])


def _shown(runtime: Runtime, one: Proposal, posts: Sequence[Post]) -> ProposalOut:
    texts = [masked(post.text, runtime.rulebook.guard, post.names) for post in posts]
    examples = zip(texts, (post.language for post in posts), strict=True)
    return ProposalOut(
        id=one.id,
        state=one.state,
        words=list(one.words),
        size=one.size,
        examples=texts,
        yaml=_yaml(one.words, list(examples)),
        proposed_at=one.proposed_at,
        seen_at=one.seen_at,
        decided_at=one.decided_at,
        decided_by=one.decided_by,
    )


def _yaml(words: Sequence[str], examples: Sequence[tuple[str, str | None]]) -> str:
    return yaml.safe_dump(as_topic(words, examples), allow_unicode=True, sort_keys=False, width=100)
