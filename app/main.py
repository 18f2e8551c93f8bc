"""The API as one ASGI application, composed from its routers."""

from importlib.metadata import version

from fastapi import FastAPI

from app.api import problems
from app.api.auth import Doorkeeper
from app.api.limits import Limits
from app.runtime import Runtime

BATCH_PATH = "/api/v1/mentions/batch"
LONGEST_BODY = 2**20


def create_app(runtime: Runtime) -> FastAPI:
    """The application over this runtime. It opens nothing by itself and may be made many times in one process."""
    app = FastAPI(title="webcare", version=version("webcare"), redoc_url=None, strict_content_type=False)
    app.state.runtime = runtime
    app.state.doorkeeper = Doorkeeper(runtime.database)
    problems.install(app)
    longest = runtime.knobs.max_body_bytes
    app.add_middleware(Limits, longest=min(LONGEST_BODY, longest), exceptions={BATCH_PATH: longest})
    return app
