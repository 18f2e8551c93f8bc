"""`Idempotency-Key`: a creating call that its caller may send again, when the answer was lost on the way.

Knows the header, what makes two calls the same, and how an answer is kept and replayed. Refuses to know the work. Keys
belong to a token, so callers cannot meet in each other's. Kept answers are sealed at rest: some hold a secret that is
shown once. The rule that work and answer stand or fall together is `app.flows.admit.do_once`.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from app.access.role import Caller
from app.api.serving import Serving
from app.flows.admit import Answer, Repeatable, do_once
from app.runtime import Runtime, Unit

P = ParamSpec("P")
T = TypeVar("T")

KEY_HEADER = b"idempotency-key"  # as ASGI names headers

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Any text of your own, new for each new call: sending the call again with it does the work once "
        "and brings the first answer back, for 24 hours",
    ),
]


@dataclass(frozen=True, slots=True)
class Once:
    """Bound to one request; runs its flow at most once per key. `fingerprint` is of method, path and body."""

    runtime: Runtime
    key: str | None
    fingerprint: bytes

    def part(self, name: str) -> "Once":
        """The same for a part of a call that does many things, each once."""
        return replace(self, key=self.key and f"{self.key}/{name}")

    async def run(
        self,
        caller: Caller,
        status: int | Callable[[T], int],
        shape: Callable[[T], BaseModel],
        flow: Callable[Concatenate[Unit, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Response:
        """Run the flow as one transaction and answer what `shape` makes of its result, with a `status` that may tell
        what the result is.

        A kept answer says so in the header `Idempotency-Replayed: true`. Raises what the flow raises, and the 409s
        of a key that is in flight or was used for another call.
        """

        def status_of(result: T) -> int:
            return status(result) if callable(status) else status

        if self.key is None:
            result = await self.runtime.run(flow, *args, **kwargs)
            return _json(status_of(result), shape(result).model_dump_json())
        sealer = self.runtime.sealer

        async def work(unit: Unit) -> Answer:
            result = await flow(unit, *args, **kwargs)
            return Answer(status_of(result), sealer.seal(shape(result).model_dump_json()))

        call = Repeatable(caller.token_id, self.key, self.fingerprint)
        answer = await self.runtime.run_idempotent(do_once, call, work)
        replayed = {"Idempotency-Replayed": "true"} if answer.replayed else {}
        return _json(answer.status, sealer.open(answer.sealed), replayed)


def _json(status: int, body: str, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


async def _once(request: Request, runtime: Serving, key: Key = None) -> Once:
    asked = f"{request.method} {request.url.path}\n".encode() + await request.body()
    return Once(runtime, key, hashlib.sha256(asked).digest())


Repeating = Annotated[Once, Depends(_once)]
"""A route's parameter for creating calls: `once: Repeating`, then `return await once.run(caller, 201, ...)`."""
