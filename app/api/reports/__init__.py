"""For managers: figures by period and group, one file for each report. A department reads about itself."""

from fastapi import APIRouter

from app.api.reports import (
    asked,
    backlog,
    breaches,
    dictionary,
    nps,
    reconcile,
    rollout,
    routing,
    sla,
    standing,
    today,
    versus,
    volume,
    waiting,
    weekly,
)

router = APIRouter(tags=["managers"])
for report in (
    nps,
    asked,
    versus,
    sla,
    breaches,
    standing,
    waiting,
    routing,
    rollout,
    backlog,
    volume,
    dictionary,
    reconcile,
    weekly,
    today,
):
    router.include_router(report.router)
