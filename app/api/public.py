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
from app.feedback.answering import EFFORTS, MAX_COMMENT, SCALE, LinkNotFound, Wrong, read_answer
from app.feedback.store import Asked, find_open
from app.flows import hear
from app.kit.ids import digest
from app.runtime import Runtime

router = APIRouter(prefix="/s", tags=["public"], default_response_class=HTMLResponse)

Lang = Annotated[str | None, Query(description="Language of the page; left out: the customer's", examples=["nl"])]
CLOSED: dict[int | str, dict[str, Any]] = {404: {"description": "The link is wrong, expired or used", "content": {}}}
REFUSED: dict[int | str, dict[str, Any]] = {422: {"description": "The form again, with what is wrong", "content": {}}}


@router.head("/{token}", include_in_schema=False)
@router.get("/{token}", summary="Show the survey", responses=CLOSED)
async def show(request: Request, runtime: Serving, token: str, lang: Lang = None) -> HTMLResponse:
    """The form behind a link, with the answer that may still be changed. Opening it records nothing."""
    asked = await _find(runtime, token)
    if asked is None:
        return _closed(runtime, request, lang)
    given = asked.given
    if given is None:
        return _form(runtime, asked, lang)
    effort = "" if given.effort is None else str(given.effort)
    return _form(runtime, asked, lang, score=str(given.score), comment=given.comment or "", effort=effort)


@router.post("/{token}", summary="Answer the survey", responses={**CLOSED, **REFUSED})
async def submit(
    request: Request,
    runtime: Serving,
    token: str,
    score: Annotated[str, Form(description="0 to 10")] = "",
    comment: Annotated[str, Form(description=f"At most {MAX_COMMENT} characters")] = "",
    effort: Annotated[str, Form(description="1 to 7, or nothing")] = "",
    stop: Annotated[str, Form(description="Anything: never ask this person again")] = "",
    lang: Lang = None,
) -> HTMLResponse:
    """Take the answer to the link, or for a while another one in its place.

    A form that is not complete comes back with all that was written.
    """
    asked = await _find(runtime, token)
    if asked is None:
        return _closed(runtime, request, lang)
    rules = runtime.rulebook.feedback
    texts = rules.texts[rules.speaks(lang, asked.invitation.language)]
    try:
        if stop:
            await runtime.run(hear.decline, token)
            return _message(runtime, texts.stopped, lang, asked.invitation.language)
        given = read_answer(score, comment, effort if asked.invitation.topic in rules.effort else "")
        if isinstance(given, Wrong):
            return _form(runtime, asked, lang, score=score, comment=comment, effort=effort, wrong=given)
        await runtime.run(hear.answer, token, given)
    except LinkNotFound:
        return _closed(runtime, request, lang)
    return _message(runtime, texts.thanks, lang, asked.invitation.language, change=texts.change)


async def _find(runtime: Runtime, token: str) -> Asked | None:
    async with runtime.reading() as tx:
        return await find_open(tx, digest(token), runtime.now(), runtime.rulebook.feedback.changeable)


def _form(
    runtime: Runtime,
    asked: Asked,
    lang: str | None,
    *,
    score: str = "",
    comment: str = "",
    effort: str = "",
    wrong: Wrong | None = None,
) -> HTMLResponse:
    rules = runtime.rulebook.feedback
    language = rules.speaks(lang, asked.invitation.language)
    return render(
        "survey",
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        light=rules.light,
        dark=rules.dark,
        language=language,
        texts=rules.texts,
        words=rules.texts[language],
        scores=list(SCALE),
        efforts=list(EFFORTS),
        question=rules.effort.get(asked.invitation.topic or "", {}).get(language),
        longest=MAX_COMMENT,
        score=score,
        comment=comment,
        effort=effort,
        wrong=wrong or Wrong(),
    )


def _closed(runtime: Runtime, request: Request, lang: str | None) -> HTMLResponse:
    """In the browser's language: the customer's own would tell that there once was an invitation."""
    rules = runtime.rulebook.feedback
    accepted = request.headers.get("accept-language", "").lower().split(",")
    spoken = [part.split(";")[0].split("-")[0].strip() for part in accepted]
    closed = rules.texts[rules.speaks(lang, *spoken)].closed
    return _message(runtime, closed, lang, *spoken, status=HTTPStatus.NOT_FOUND)


def _message(
    runtime: Runtime, said: str, *languages: str | None, change: str = "", status: HTTPStatus = HTTPStatus.OK
) -> HTMLResponse:
    rules = runtime.rulebook.feedback
    language = rules.speaks(*languages)
    colours = {"light": rules.light, "dark": rules.dark}
    return render("message", status, **colours, language=language, texts=rules.texts, message=said, change=change)
