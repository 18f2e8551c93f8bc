"""The survey page: what customers see, without a token of ours and without scripts.

Knows the page's requests. Refuses to know who is asked and what an answer leads to. Opening a link records nothing,
so that link previews and prefetching browsers answer no survey; and every link that is not good, for whatever reason,
gets the same answer.
"""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse

from app.api.pages import render
from app.api.serving import Serving
from app.feedback.invitation import MAX_COMMENT, SCALE, LinkNotFound, Wrong, read_answer
from app.feedback.store import Invitation, find_open
from app.flows import survey
from app.kit.ids import digest
from app.runtime import Runtime

router = APIRouter(prefix="/s", tags=["public"], default_response_class=HTMLResponse)

Lang = Annotated[str | None, Query(description="Language of the page; left out: the customer's", examples=["nl"])]
CLOSED: dict[int | str, dict[str, Any]] = {404: {"description": "The link is wrong, expired or used", "content": {}}}
REFUSED: dict[int | str, dict[str, Any]] = {422: {"description": "The form again, with what is wrong", "content": {}}}


@router.head("/{token}", include_in_schema=False)
@router.get("/{token}", summary="Show the survey", responses=CLOSED)
async def show(request: Request, runtime: Serving, token: str, lang: Lang = None) -> HTMLResponse:
    """The form behind a one-time link. Opening it records nothing."""
    invitation = await _find(runtime, token)
    if invitation is None:
        return _closed(runtime, request, lang)
    return _form(runtime, invitation, lang)


@router.post("/{token}", summary="Answer the survey", responses={**CLOSED, **REFUSED})
async def submit(
    request: Request,
    runtime: Serving,
    token: str,
    score: Annotated[str, Form(description="0 to 10")] = "",
    comment: Annotated[str, Form(description=f"At most {MAX_COMMENT} characters")] = "",
    lang: Lang = None,
) -> HTMLResponse:
    """Take the one answer to the link. A form that is not complete comes back with all that was written."""
    invitation = await _find(runtime, token)
    if invitation is None:
        return _closed(runtime, request, lang)
    given = read_answer(score, comment)
    if isinstance(given, Wrong):
        return _form(runtime, invitation, lang, score=score, comment=comment, wrong=given)
    try:
        await runtime.run(survey.answer, token, given)
    except LinkNotFound:
        return _closed(runtime, request, lang)
    rules = runtime.rulebook.feedback
    language = rules.speaks(lang, invitation.language)
    return render("message", language=language, texts=rules.texts, message=rules.texts[language].thanks)


async def _find(runtime: Runtime, token: str) -> Invitation | None:
    async with runtime.reading() as tx:
        return await find_open(tx, digest(token), runtime.now())


def _form(
    runtime: Runtime,
    invitation: Invitation,
    lang: str | None,
    *,
    score: str = "",
    comment: str = "",
    wrong: Wrong | None = None,
) -> HTMLResponse:
    rules = runtime.rulebook.feedback
    language = rules.speaks(lang, invitation.language)
    return render(
        "survey",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        language=language,
        texts=rules.texts,
        words=rules.texts[language],
        scale=list(SCALE),
        longest=MAX_COMMENT,
        score=score,
        comment=comment,
        wrong=wrong or Wrong(score=False, comment=False),
    )


def _closed(runtime: Runtime, request: Request, lang: str | None) -> HTMLResponse:
    """In the browser's language: the customer's own would tell that there once was an invitation."""
    rules = runtime.rulebook.feedback
    accepted = request.headers.get("accept-language", "").lower().split(",")
    language = rules.speaks(lang, *(part.split(";")[0].split("-")[0].strip() for part in accepted))
    closed = rules.texts[language].closed
    return render("message", HTTPStatus.NOT_FOUND, language=language, texts=rules.texts, message=closed)
