"""One act on one ticket: what every such route takes, and what it answers.

Knows the ticket's id in the path, the version that the caller saw, and the `ETag` of the answer. Refuses to know acts.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Concatenate, ParamSpec
from uuid import UUID

from fastapi import Depends, Response

from app.access.role import Caller
from app.api.etag import ExpectedVersion, etag
from app.api.serving import Serving
from app.api.tickets import TicketLine, line
from app.runtime import Runtime, Unit
from app.tickets.ticket import Ticket

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Acting:
    """Bound to one request. `expected` None: the caller does not care which version it changes."""

    runtime: Runtime
    ticket_id: UUID
    expected: int | None
    response: Response

    async def run(
        self,
        flow: Callable[Concatenate[Unit, Caller, UUID, int | None, P], Awaitable[Ticket]],
        caller: Caller,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> TicketLine:
        """Run the flow as one transaction; the ticket as it stands then, with its `ETag`."""
        ticket = await self.runtime.run(flow, caller, self.ticket_id, self.expected, *args, **kwargs)
        self.response.headers["ETag"] = etag(ticket.version)
        return shown(ticket)


def shown(ticket: Ticket) -> TicketLine:
    return TicketLine.model_validate(line(ticket))


async def _acting(runtime: Serving, ticket_id: UUID, expected: ExpectedVersion, response: Response) -> Acting:
    return Acting(runtime, ticket_id, expected, response)


OneTicket = Annotated[Acting, Depends(_acting)]
"""A route's parameter: `on: OneTicket`, then `return await on.run(work.claim, caller)`."""
