"""Looking a ticket up by what was said on it, by who said it, or by its number.

Knows the wire form of a question and of what is found, which is written without the framework's models, as the queue's
pages are. Refuses to know how it is found (search). A department finds its own tickets only.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.access.role import Caller
from app.api.fields import Instant, Name, OutModel, Text
from app.api.paging import Page, Paging, Places
from app.api.serving import Serving
from app.api.tickets import Reader, TicketLine, line
from app.kit.ids import first_id_at
from app.kit.wire import dump
from app.search import store as search
from app.search.excerpt import excerpt
from app.search.question import read
from app.search.store import FIRST, LAST, Among, Match, Place, Told
from app.tickets import store as tickets
from app.tickets.ticket import State, Ticket

router = APIRouter(prefix="/api/v1", tags=["agents"])

_places = Places(tuple[UUID, UUID, UUID])

Several = Field(max_length=50)
Names = Annotated[list[Name], Several]


class SearchIn(Paging):
    """Every filter that is given must hold; one that is given several times holds with any of its values."""

    q: Annotated[str, Text(200, 1)] = Field(
        description='All of the words, in any of their forms, in Dutch or English; `"in this order"`, `-without`, '
        "`this or that`. Or the beginning of a name, `@handle`, `#number`",
        examples=['pakket "niet ontvangen"'],
    )
    state: Annotated[list[State], Several] = Field([], description="Left out: every state, closed too")
    department: Names = Field([], description="Slug of the owner", examples=[["billing"]])
    topic: Names = Field([], description="Slug", examples=[["number_porting"]])
    channel: Names = Field([], description="Any of these", examples=[["x", "instagram"]])
    from_: Instant | None = Field(None, alias="from", description="Said, and received here, from then on")
    to: Instant | None = Field(None, description="Said, and received here, before then")

    def among(self, caller: Caller) -> Among:
        return Among(
            state=tuple(self.state),
            department=tuple(self.department),
            topic=tuple(self.topic),
            channel=tuple(self.channel),
            within=caller.department,
        )

    def beginning(self) -> Place:
        return Place(first_id_at(self.to), FIRST, LAST) if self.to else Place(LAST, LAST, LAST)


class PieceOut(OutModel):
    text: str = Field(description="Plain text; show it as text, never as HTML", examples=["pakket"])
    match: bool


class MatchOut(OutModel):
    """Why a ticket was found: its newest post or reply that matches."""

    kind: str = Field(
        description="`post` or `reply`: by its words; `name`: by who wrote it; `number`: by the ticket's number",
        examples=["post"],
    )
    id: UUID = Field(description="Of the post or the reply")
    by: str | None = Field(description="Who said it", examples=["jan"])
    at: datetime = Field(description="When it was said")
    excerpt: list[PieceOut] = Field(
        description="Some 200 characters around the first match, in order",
        examples=[[{"text": "Waar blijft mijn ", "match": False}, {"text": "pakketje", "match": True}]],
    )


class SearchLine(TicketLine):
    match: MatchOut


@router.get("/search", responses={200: {"model": Page[SearchLine]}}, response_class=Response, summary="Search tickets")
async def search_tickets(caller: Reader, runtime: Serving, asked: Annotated[SearchIn, Query()]) -> Response:
    """The newest match first; the ticket with the number itself before all others, whatever the filters.

    A page may hold fewer tickets than `limit`, or none, while there are more: follow `next_cursor` until it is null.
    That happens when many posts hold the words but few of them fit the filters. Deleted posts are never found.
    """
    after = _places.decode(asked.cursor)
    async with runtime.reading() as tx:
        sought = await search.get_sought(tx, read(asked.q))
        numbered = await search.find_numbered(tx, sought, caller.department) if after is None else None
        found = await search.list_matches(
            tx,
            sought,
            asked.among(caller),
            limit=asked.limit,
            before=Place(*after) if after else asked.beginning(),
            since=first_id_at(asked.from_) if asked.from_ else FIRST,
        )
        matches = (*([numbered] if numbered else []), *found.matches)
        told = await search.list_told(tx, sought, matches)
        known = await tickets.list_tickets(tx, [match.ticket_id for match in matches])
    items = [_line(known[one.ticket_id], one, told[one.id], by_number=one is numbered) for one in matches]
    rest = found.after
    next_cursor = _places.encode((rest.match_id, rest.ticket_id, rest.newest_id)) if rest else None
    return Response(dump({"items": items, "next_cursor": next_cursor}), media_type="application/json")


def _line(ticket: Ticket, match: Match, told: Told, *, by_number: bool) -> dict[str, Any]:
    why = {
        "kind": "number" if by_number else told.kind,
        "id": match.id,
        "by": told.by,
        "at": told.at,
        "excerpt": [PieceOut.plain(piece) for piece in excerpt(told.text, told.marked)],
    }
    return {**line(ticket), "match": why}
