"""The API described for people: a page on which every call can be read, and tried with a token.

Knows where the page's script comes from: this process, so that the page is there without the internet. Refuses to know
the calls, which the OpenAPI document describes.
"""

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

PATH = "/docs"
_PARTS = f"{PATH}/parts"

_router = APIRouter()


def install(app: FastAPI) -> None:
    app.include_router(_router)
    app.mount(_PARTS, StaticFiles(packages=[("fastapi_swagger", "resources")]), name="manual")


@_router.get(PATH, include_in_schema=False)
async def read_manual(request: Request) -> HTMLResponse:
    below = request.scope.get("root_path", "").rstrip("/")
    return get_swagger_ui_html(
        title=request.app.title,
        openapi_url=below + request.app.openapi_url,
        swagger_js_url=f"{below}{_PARTS}/swagger-ui-bundle.js",
        swagger_css_url=f"{below}{_PARTS}/swagger-ui.css",
        swagger_favicon_url=f"{below}{_PARTS}/favicon-32x32.png",
        swagger_ui_parameters={"persistAuthorization": True, "filter": True, "docExpansion": "none"},
    )
