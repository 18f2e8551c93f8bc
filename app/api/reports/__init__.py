"""For managers: figures by period and group, one file for each report. A department reads about itself."""

from fastapi import APIRouter

from app.api.reports import nps, sla

router = APIRouter(prefix="/api/v1/reports", tags=["managers"])
for report in (nps, sla):
    router.include_router(report.router)
