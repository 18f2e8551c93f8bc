"""Live updates over HTTP, as server-sent events: what happens to the tickets that the caller may see.

Knows what one listener asked for, from where it goes on, and how the stream looks on the wire (WHATWG HTML, section
9.2). Refuses to know how this process comes by its news (live).
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.types import Send

from app.access.role import Caller
from app.api.fields import InModel, Name, Text
from app.api.live import PRESENCE, Live, Seat, Told, marked, told_of, written
from app.api.serving import Serving
from app.api.tickets import Reader
from app.delivery.event_type import EVENT_TYPES, check_known
from app.kit.errors import Unavailable
from app.runtime import Runtime
from app.tickets import store as tickets
from app.tickets.journal.position import BEGINNING, Position, parse
from app.tickets.journal.store import find_position, list_entries

router = APIRouter(prefix="/api/v1", tags=["agents"])

HEARTBEAT = 15.0  # seconds after which something is said even when nothing happens
PATIENCE = 30.0  # seconds in which a listener must take what it is given
COMES_BACK = 2000  # milliseconds after which a client that lost its stream is asked to come back
CHUNK = 200  # things told at a time

GAP = {"reason": "the last event that you saw is not known here (any more); read your lists again"}

LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", max_length=200, description="The newest `id` that was seen; browsers send it"),
]


class Asked(InModel):
    """Every filter that is given must hold."""

    type: Annotated[list[Name], Field(max_length=50)] = Field(
        [], description="Event types; several: any of them", examples=[["ticket.opened", "ticket.reassigned"]]
    )
    department: Name | None = Field(None, description="Slug of one whose ticket it is, was or becomes")
    ticket_id: UUID | None = Field(None, description="What happens to this one alone")
    last_event_id: Annotated[str, Text(200)] | None = Field(
        None, description="As the header, for clients that cannot send it"
    )

    def wants(self, told: Told) -> bool:
        return (
            (not self.type or told.type in self.type)
            and (self.department is None or self.department in told.departments)
            and (self.ticket_id is None or self.ticket_id == told.ticket_id)
        )


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events, without an end"}},
    summary="Follow what happens",
)
async def read_stream(
    request: Request, caller: Reader, runtime: Serving, asked: Annotated[Asked, Query()], last: LastEventId = None
) -> StreamingResponse:
    """Every event of the tickets that the caller may see, within a second of its commit, as `text/event-stream`.

    Each has its type as `event`, and as `data` JSON with `type, ticket_id, number, sequence, at, actor, departments,
    data`. Send the last `id` back as `Last-Event-ID` and the stream goes on right after it, without gap or double;
    without one it begins now. An id that stands no more is answered by the event `reset`: read your lists again. The
    ids are opaque. Every 15 seconds there is at least a comment.

    Who looks at a ticket or types there is told as `presence`, with `ticket_id, number, actor, doing, at, until,
    departments`: it has no id, is never told again, and holds until `until` unless it is said again.
    """
    check_known(asked.type, (*EVENT_TYPES, PRESENCE), field="type")
    if asked.ticket_id is not None:
        async with runtime.reading() as tx:
            await tickets.get_ticket(tx, asked.ticket_id, department=caller.department)
    live: Live = request.app.state.live
    return EventStream(Listener(runtime, live, caller, asked).listen(last or asked.last_event_id))


class EventStream(StreamingResponse):
    """Ends when a listener takes nothing for too long: what waits for it would be kept for ever."""

    media_type = "text/event-stream"

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        super().__init__(chunks, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._chunks = chunks

    async def stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with contextlib.suppress(TimeoutError):
            async with contextlib.aclosing(self._chunks) as chunks:
                async for chunk in chunks:
                    async with asyncio.timeout(PATIENCE):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class Listener:
    """One stream, which goes on from the last event that it passed, whether that was asked for or not."""

    def __init__(self, runtime: Runtime, live: Live, caller: Caller, asked: Asked) -> None:
        self._runtime = runtime
        self._live = live
        self._caller = caller
        self._asked = asked
        self._position = BEGINNING
        self._said_at = 0.0

    async def listen(self, last: str | None) -> AsyncGenerator[bytes, None]:
        """What is written to the client, from right after the event `last` on; ends when it must come back."""
        with self._live.seat(self._caller) as seat, contextlib.suppress(Unavailable):
            head = await self._live.join(seat)
            if seat.is_over:
                return
            yield await self._open(head, last)
            async for chunk in self._missed(head):
                yield chunk
            while not seat.is_over:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(self._said_at + HEARTBEAT):
                        await self._live.wait(seat)
                if self._live.is_behind(seat):
                    async for chunk in self._missed(self._live.skip(seat)):
                        yield chunk
                elif chunk := self._next(seat):
                    yield chunk

    async def _open(self, head: Position, last: str | None) -> bytes:
        """The first words; from then on it is known where the stream goes on."""
        self._said_at = _now()
        self._position = head
        first = b"retry: %d\n" % COMES_BACK
        if last is None:
            return first + marked(head) + b"\n"
        known = parse(last)  # the beginning always stands
        if known not in {None, BEGINNING}:
            async with self._runtime.reading() as tx:
                known = await find_position(tx, known)
        if known is None:
            return first + written("reset", GAP, head)
        self._position = known
        return first + b"\n"

    async def _missed(self, until: Position) -> AsyncIterator[bytes]:
        """What happened up to and including `until`, from the database, a page at a time."""
        while self._position < until:
            async with self._live.missing, self._runtime.reading() as tx:
                page = await list_entries(tx, self._position, until=until, limit=CHUNK)
            if chunk := self._chosen(map(told_of, page)):
                yield chunk
            self._position = page[-1].position if page else until

    def _next(self, seat: Seat) -> bytes:
        """What this process told meanwhile; a sign of life when nothing of it was wanted for a while."""
        told = [one for one in self._live.take(seat, CHUNK) if one.position is None or one.position > self._position]
        chunk = self._chosen(told)
        self._position = max((one.position for one in told if one.position), default=self._position)
        if not chunk and _now() - self._said_at >= HEARTBEAT:
            chunk = b": still here\n" + marked(self._position) + b"\n"
        if chunk:
            self._said_at = _now()
        return chunk

    def _chosen(self, all_told: Iterable[Told]) -> bytes:
        return b"".join(told.to(self._caller.department) for told in all_told if self._asked.wants(told))


def _now() -> float:
    """In seconds, on the clock of the event loop's timeouts."""
    return asyncio.get_running_loop().time()
