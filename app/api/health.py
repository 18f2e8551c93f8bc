"""For whoever keeps this running: does the process live, can it work, and how much is waiting.

Knows what must be there before work makes sense. Refuses to tell anything about persons: there is no token on these
paths, so they hold figures and versions only.
"""

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel, Field

from app.api.backlog import Backlog, count_alarms, count_backlog, count_receivers
from app.api.metrics import Metrics
from app.api.serving import Serving
from app.delivery.endpoints.endpoint import EndpointState
from app.kit.errors import Unavailable
from app.kit.failures import DatabaseUnreachable
from app.migrating import check_schema
from app.reports.tally.keeping.store import get_tallied
from app.reports.tally.store import get_lag
from app.runtime import Runtime

router = APIRouter(tags=["health"])

PATIENCE = 2.0  # seconds, less than any prober waits


class Alive(BaseModel):
    status: str = "alive"


class Alarms(BaseModel):
    """What a person should look at although the process can work. Zeros are good."""

    endpoints_failing: int = Field(description="Receivers of departments that failed several attempts in a row")
    endpoints_disabled: int = Field(description="Receivers that get nothing until somebody enables them")
    models_refused: int = Field(description="1 while the model of topics in force cannot be read, and the last goes on")
    deliveries_died: int = Field(description="Deliveries that were given up within the last day")
    topics_drifting: int = Field(description="Alarms on topics that suddenly grew or soured (`GET /topics/drift`)")
    reports_unreachable: int = Field(description="1 while the database that reports read does not answer")


class Ready(BaseModel):
    status: str = "ready"
    rulebook: str = Field(description="Digest of the rules in force")
    model: int | None = Field(description="Number of the model that reads topics; null: phrases alone")
    reports_uncounted_seconds: float = Field(description="Since when the first event stands that reports did not count")
    alarms: Alarms


@router.get("/healthz", summary="The process lives")
async def healthz() -> Alive:
    """Asks nothing of anything else: an unreachable database is no reason to restart this process."""
    return Alive()


@router.get("/readyz", summary="The process can work")
async def readyz(runtime: Serving) -> Ready:
    """503 while the database cannot be reached or has another schema than this program; the problem says which."""
    try:
        async with asyncio.timeout(PATIENCE), runtime.reading() as tx:
            await check_schema(tx)
            receivers = await count_receivers(tx)
            drifting = await count_alarms(tx)
            uncounted = await get_lag(tx)
    except TimeoutError as error:
        raise DatabaseUnreachable(f"The database did not answer within {PATIENCE:g} seconds.") from error
    learned = runtime.rules.learned
    alarms = Alarms(
        endpoints_failing=receivers.endpoints[EndpointState.FAILING],
        endpoints_disabled=receivers.endpoints[EndpointState.DISABLED],
        models_refused=int(learned.refused is not None),
        deliveries_died=receivers.died_lately,
        topics_drifting=drifting,
        reports_unreachable=int(not await _reports_answer(runtime)),
    )
    return Ready(
        rulebook=runtime.rulebook.digest,
        model=learned.number,
        reports_uncounted_seconds=uncounted,
        alarms=alarms,
    )


@router.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
async def read_metrics(request: Request, runtime: Serving) -> Response:
    """Of this process, and what waits in the database; without the latter while the database cannot be reached."""
    metrics: Metrics = request.app.state.metrics
    told = metrics.tell(await _backlog(runtime), reports=await _reports_answer(runtime))
    return Response(told, media_type=CONTENT_TYPE_PLAIN_0_0_4)


async def _reports_answer(runtime: Runtime) -> bool:
    """Whether reports can be read; the main database is another one where a replica is set."""
    try:
        async with asyncio.timeout(PATIENCE), runtime.reading(reports=True) as tx:
            await get_tallied(tx)
    except (TimeoutError, Unavailable):
        return False
    return True


async def _backlog(runtime: Runtime) -> Backlog | None:
    try:
        async with asyncio.timeout(PATIENCE), runtime.reading() as tx:
            return await count_backlog(tx)
    except (TimeoutError, Unavailable):
        return None
