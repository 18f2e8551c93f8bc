"""The runtime that serves a request, as a parameter of its route."""

from typing import Annotated

from fastapi import Depends, Request

from app.runtime import Runtime


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


Serving = Annotated[Runtime, Depends(_runtime)]
