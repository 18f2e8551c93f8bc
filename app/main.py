"""The API as one ASGI application: routers, doors and the contract's description.

Knows what is put together and in which order. Refuses to know what any route does.
"""

from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi

from app.api import (
    admin,
    agents,
    bulk,
    calendars,
    channels,
    combining,
    departments,
    drafts,
    drift,
    endpoints,
    follow_ups,
    health,
    history,
    incidents,
    ingest,
    macros,
    manual,
    notices,
    ownership,
    people,
    pr,
    problems,
    profiles,
    proposals,
    public,
    queue,
    replies,
    reports,
    rules,
    search,
    sources,
    statements,
    stream,
    tickets,
    topics,
    verbatims,
    webhooks,
)
from app.api.auth import Doorkeeper
from app.api.idempotency import KEY_HEADER
from app.api.intake import Intake
from app.api.limits import Limits
from app.api.live import Live
from app.api.metrics import Measured, Metrics
from app.api.refusals import refusals
from app.api.repeats import refuse_repeats
from app.api.serving import Shortcut
from app.flows.receive import receive
from app.runtime import Runtime

BATCH_PATH = "/api/v1/mentions/batch"
LONGEST_BODY = 2**20  # bytes; only a batch may be longer, as long as the settings allow

DESCRIPTION = """\
**webcare** takes in what customers say on social channels, understands the topic, and puts each mention in the hands
of the department that owns the customer process, with the clock running until the customer is answered.

Calls under `/api/v1` take a token: `Authorization: Bearer wc_...`. What went wrong is told as a problem (RFC 9457)
with a stable `code`. Times are UTC with `Z`. Lists come in pages: send `next_cursor` back as `cursor`. Tickets carry
an `ETag`; a write with `If-Match` is refused with 412 when somebody was first. A creating call that is sent again with
the same `Idempotency-Key` is done once.
"""

TAGS = [
    {"name": "ingest", "description": "Mentions come in, and channels say whether they can be reached. Role `ingest`."},
    {"name": "agents", "description": "The queue, tickets, replies, macros, search and the stream. Role `agent`."},
    {
        "name": "departments",
        "description": "Owners of customer processes answer, and choose what they are told. Role `department`.",
    },
    {"name": "webhooks", "description": "What departments' endpoints are told; signed by Standard Webhooks 1.0."},
    {"name": "pr", "description": "Escalations, embargoes and incidents. Role `pr`."},
    {
        "name": "managers",
        "description": "Scores, promises, opening hours, the oil stain and models of topics. Role `manager`.",
    },
    {"name": "admin", "description": "Tokens, rules and partners that push. Role `admin`."},
    {"name": "public", "description": "The page on which customers answer. No token."},
    {"name": "health", "description": "For probes and Prometheus. No token."},
]

# In the order in which the description lists their calls.
AUDIENCES = (
    ingest,
    queue,
    profiles,
    agents,
    bulk,
    combining,
    replies,
    macros,
    statements,
    search,
    tickets,
    history,
    drafts,
    people,
    stream,
    departments,
    endpoints,
    follow_ups,
    pr,
    incidents,
    reports,
    drift,
    verbatims,
    proposals,
    notices,
    ownership,
    calendars,
    channels,
    rules,
    topics,
    sources,
    admin,
    public,
    health,
)

_root = APIRouter()


@_root.get("/", include_in_schema=False)
async def read_root(request: Request) -> dict[str, str]:
    return {"name": "webcare", "version": request.app.version, "api": "/openapi.json", "docs": manual.PATH}


def create_app(runtime: Runtime) -> FastAPI:
    """The application over this runtime. It opens nothing by itself and may be made many times in one process."""
    app = FastAPI(
        title="webcare",
        version=version("webcare"),
        docs_url=None,
        redoc_url=None,
        strict_content_type=False,  # a body without a content type is read as JSON, which is all that we take
        responses=problems.RESPONSES,
        generate_unique_id_function=lambda route: route.name,  # short names for those who generate clients
    )
    app.state.runtime = runtime
    app.state.doorkeeper = Doorkeeper(runtime.database)
    app.state.intake = Intake(partial(receive, runtime))
    app.state.metrics = Metrics()
    app.state.live = Live(runtime.database)
    app.state.counting = queue.counting_over(runtime)
    problems.install(app)
    for audience in AUDIENCES:
        app.include_router(audience.router, dependencies=[Depends(refuse_repeats)])
    app.include_router(sources.door)
    app.include_router(_root)
    manual.install(app)
    longest = runtime.knobs.max_body_bytes
    app.add_middleware(Shortcut, path="/api/v1/mentions", endpoint=ingest.take_one, besides=KEY_HEADER)
    app.add_middleware(Limits, longest=min(LONGEST_BODY, longest), exceptions={BATCH_PATH: longest})
    app.add_middleware(Measured, metrics=app.state.metrics)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign] # FastAPI's own way to extend the schema
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: what FastAPI derives, the problem that all errors share, and where a token is asked."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=DESCRIPTION,
            tags=TAGS,
            routes=app.routes,
            webhooks=webhooks.routes(),
        )
        parts = schema.setdefault("components", {})
        parts.setdefault("schemas", {}).update(problems.schemas() | ingest.schemas())
        parts["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "wc_<role>_..."}}
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                if path.startswith("/api/"):
                    operation["security"] = [{"bearer": []}]
                refused = {status: problems.told(why) for status, why in refusals(path, method, operation).items()}
                operation["responses"] = dict(sorted((refused | operation["responses"]).items()))
        app.openapi_schema = schema
    return app.openapi_schema
