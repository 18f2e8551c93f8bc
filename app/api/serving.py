"""How a request reaches its route: the runtime that serves it, and the way round the framework for the hottest one."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.runtime import Runtime


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


Serving = Annotated[Runtime, Depends(_runtime)]
"""The runtime, as a parameter of a route."""


class Shortcut(Route):
    """A route without FastAPI around it: a fifth less of this process's time for a call that is made for every post.

    FastAPI's own route for the same call stays below it and describes it in OpenAPI.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self  # what requests are counted by
        await super().handle(scope, receive, send)
