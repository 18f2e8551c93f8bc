"""How mentions come in over HTTP: one, many, and the news that one was deleted.

Knows the shape of a mention on the wire and of the answer. Refuses to know what becomes of it. Bodies are read and
answers written without FastAPI's own models, which would cost more than the database does; the same models
describe them in OpenAPI.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints, ValidationError

from app.access.role import Permission
from app.api.auth import admit
from app.api.fields import Count, Flag, InModel, Instant, Name, OutModel, Text
from app.api.idempotency import Repeating
from app.api.intake import Intake
from app.api.metrics import REFUSED, Metrics
from app.api.problems import BrokenJson, InvalidRequest, JsonExpected, describe, invalid_request
from app.flows.receive import receive, receive_one, withdraw
from app.flows.settle import Outcome, Received
from app.kit.errors import WebcareError
from app.kit.wire import dump
from app.mentions.mention import CLOCK_SKEW, Author, Kind, Mention, Visibility
from app.runtime import Runtime

router = APIRouter(prefix="/api/v1", tags=["ingest"])

BATCH = 1000
_SCHEMA = "#/components/schemas/{model}"
_AGAIN = frozenset({Outcome.DUPLICATE, Outcome.UPDATED})
_JSON = re.compile(r"application/([\w.+-]+\+)?json *(;.*)?", re.IGNORECASE)

Channel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
ExternalId = Annotated[str, Text(500, 1)]
Link = Annotated[str, Text(2000), StringConstraints(pattern=r"^https?://[^\s]+$")]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]


class AuthorIn(InModel):
    """Who posted it, as far as the channel tells."""

    external_id: ExternalId | None = Field(None, description="The channel's own id of the person")
    handle: Name | None = Field(None, description="With or without the @", examples=["sanne"])
    display_name: Annotated[str, Text(200)] | None = Field(None, description="As others read it")
    followers: Count | None = Field(None, description="How many read along")
    verified: Flag | None = Field(None, description="Whether the platform vouches for the name")
    customer_ref: ExternalId | None = Field(
        None,
        description="The company's own number of this customer, the same on every channel, where the person proved to"
        " be that customer; people with one number are one person, and are asked for a score once",
        examples=["K-204417"],
    )


class AttachmentIn(InModel):
    """A picture, film or file that stays where it is."""

    url: Link = Field(
        description="Where it is, by http or https", examples=["https://poldermobiel.example/simkaart.png"]
    )
    type: Annotated[str, Text(100)] | None = Field(None, description="What it is", examples=["image/png"])
    description: Annotated[str, Text(2000)] | None = Field(
        None, description="For who cannot see it", examples=["Waar de simkaart in het toestel gaat"]
    )


class MentionIn(InModel):
    """One thing that a person posted."""

    channel: Channel = Field(description="x, facebook, instagram, whatsapp, forum, ...", examples=["x"])
    external_id: ExternalId = Field(description="The channel's own id of the post", examples=["1799202600"])
    author: AuthorIn = Field(examples=[{"external_id": "u-8812", "handle": "sanne", "followers": 240}])
    text: Annotated[str, Text(50_000)] = Field(
        description="As it was posted", examples=["Waar blijft mijn pakketje? Zou gisteren al komen."]
    )
    posted_at: Instant = Field(
        description="When it was posted, with its offset from UTC", examples=["2026-11-22T08:00:00Z"]
    )
    account: Name | None = Field(None, description="The profile of ours that it came in on")
    conversation_id: ExternalId | None = Field(None, description="The channel's own id of the thread")
    parent_id: ExternalId | None = Field(None, description="external_id of the post that it answers or repeats")
    kind: Kind = Field(Kind.MENTION, description="What sort of post it is")
    title: Annotated[str, Text(1000)] | None = Field(None, description="Above the text, where the channel has one")
    url: Link | None = Field(None, description="Where people read it, by http or https")
    lang: Language | None = Field(None, description="Its language where the channel knows it; else it is guessed")
    visibility: Visibility = Field(Visibility.PUBLIC, description="Whether others read it too")
    metrics: Annotated[dict[Name, Count], Field(max_length=30)] = Field(
        default_factory=dict, description="How it is taken up, as the channel counts", examples=[{"likes": 12}]
    )
    rating: Annotated[float, Field(ge=0, le=100)] | None = Field(None, description="As the channel gives it")
    area: Name | None = Field(None, description="Where it is about, where the channel tells", examples=["Zwolle"])
    attachments: Annotated[list[AttachmentIn], Field(max_length=20)] = Field(
        default_factory=list, description="Pictures, films and files, which stay where they are"
    )
    revision: Annotated[Count, Field(lt=2**31)] | None = Field(None, description="The channel's own count of edits")
    imported: Flag = Field(False, description="History loaded from elsewhere: its clocks start now")

    def to_mention(self) -> Mention:
        who = self.author
        return Mention(
            channel=self.channel,
            external_id=self.external_id,
            author=Author(who.external_id, who.handle, who.display_name, who.followers, who.verified, who.customer_ref),
            text=self.text,
            posted_at=self.posted_at,
            account=self.account,
            conversation_id=self.conversation_id,
            parent_id=self.parent_id,
            kind=self.kind,
            title=self.title,
            url=self.url,
            lang=self.lang.lower().split("-")[0] if self.lang else None,
            visibility=self.visibility,
            metrics=self.metrics,
            rating=self.rating,
            area=self.area,
            attachments=tuple(one.model_dump(exclude_none=True) for one in self.attachments),
            revision=self.revision,
            imported=self.imported,
        )


class BatchIn(InModel):
    mentions: Annotated[list[MentionIn], Field(min_length=1, max_length=BATCH)] = Field(
        description="Each is taken in, or refused, by itself", examples=[[]]
    )


class ReasonOut(OutModel):
    """One step of the thinking, in words and as data."""

    code: str
    text: str
    facts: dict[str, Any]


class SecondaryOut(OutModel):
    """A part of a post that is about another topic than the ticket."""

    topic: str = Field(examples=["invoice_wrong"])
    department: str = Field(description="Slug of the topic's owner", examples=["billing"])
    part: str = Field(description="As its author wrote it", examples=["En mijn factuur klopt ook niet"])
    confidence: float = Field(examples=[0.78])
    consulted: bool = Field(description="Whether the department is asked for its part; it then may read the ticket")


class ReceivedOut(OutModel):
    """What became of a mention and why. The fields of the ticket are null where there is none."""

    mention_id: UUID | None
    outcome: Literal["opened", "joined", "reopened", "duplicate", "updated", "ignored"]
    ticket_id: UUID | None
    number: int | None
    topic: str | None
    confidence: float | None
    department: str | None
    stage: str | None
    priority: str | None
    reasons: list[ReasonOut]
    secondary: list[SecondaryOut] = Field(description="Parts of the post that are about something else")
    due: dict[str, datetime] = Field(description="The due moment of each running clock")


class BatchOut(OutModel):
    """One item for each mention, in order: with `outcome` what became of it, with `code` the problem that it had."""

    items: list[dict[str, Any]]
    received: int
    refused: int


class DeletedOut(OutModel):
    mention_id: UUID | None
    outcome: Literal["deleted"]
    ticket_id: UUID | None


def body_of(model: type[InModel]) -> dict[str, Any]:
    """How OpenAPI tells of a body that a route reads by itself; `schemas` has what it refers to."""
    schema = {"$ref": _SCHEMA.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def schemas() -> dict[str, Any]:
    """The OpenAPI schemas of bodies that routes read by themselves."""
    schema = BatchIn.model_json_schema(ref_template=_SCHEMA)
    return {**schema.pop("$defs"), BatchIn.__name__: schema}


@router.post(
    "/mentions",
    status_code=201,
    responses={201: {"model": ReceivedOut}, 200: {"model": ReceivedOut, "description": "Known already"}},
    response_class=Response,
    openapi_extra=body_of(MentionIn),
    summary="Take in one mention",
)
async def post_mention(request: Request, once: Repeating) -> Response:
    """Stored once per (channel, external_id), classified, and put in the hands of who owns its topic.

    Sending it again is safe: an unchanged mention answers 200 with what stands, a changed one becomes a revision.
    With an `Idempotency-Key` it brings the first answer back; that is slower, since such a mention is written alone.
    """
    if once.key is None:
        return await take_one(request)
    caller = await admit(request, Permission.POST_MENTIONS)
    mention = await _one_mention(request)
    outcomes: list[Outcome] = []

    def shape(received: Received) -> ReceivedOut:
        outcomes[:] = [received.outcome]  # nothing, when the answer was kept
        return ReceivedOut.model_validate(_told(received))

    answer = await once.run(caller, _status, shape, receive_one, mention)
    _count(request, outcomes)
    return answer


async def take_one(request: Request) -> Response:
    """The same for a mention that comes without a key: it shares a transaction with those that arrive with it."""
    await admit(request, Permission.POST_MENTIONS)
    mention = await _one_mention(request)
    intake: Intake = request.app.state.intake
    received = await intake.submit(mention)
    _count(request, [received.outcome])
    return _json(_told(received), _status(received))


@router.post(
    "/mentions/batch",
    responses={200: {"model": BatchOut}},
    response_class=Response,
    openapi_extra=body_of(BatchIn),
    summary="Take in up to 1,000 mentions",
)
async def post_mentions(request: Request) -> Response:
    """A result or a problem for each mention, in order; the good ones are kept whatever the others are."""
    await admit(request, Permission.POST_MENTIONS)
    return await take_in(request, listed(await _read_json(request)))


async def take_in(
    request: Request, contents: Sequence[Any], complete: Callable[[Mapping[str, Any]], Any] | None = None
) -> Response:
    """Take in what is good and answer for each. `complete` gives each what goes without saying, or raises a problem."""
    runtime: Runtime = request.app.state.runtime
    items: dict[int, dict[str, Any]] = {}
    good: dict[int, Mention] = {}
    now = runtime.now()
    for place, one in enumerate(contents):
        try:
            good[place] = _checked(complete(one) if complete and isinstance(one, Mapping) else one, now)
        except (ValidationError, WebcareError) as error:
            items[place] = _problem(error, within=f"mentions.{place}")
    for place, received in zip(good, await receive(runtime, list(good.values())), strict=True):
        items[place] = describe(received) if isinstance(received, WebcareError) else _told(received)
    ordered = [items[place] for place in range(len(items))]
    outcomes = [item.get("outcome", REFUSED) for item in ordered]
    _count(request, outcomes)
    refused = outcomes.count(REFUSED)
    return _json({"items": ordered, "received": len(ordered) - refused, "refused": refused}, 200)


@router.delete("/mentions/{channel}/{external_id:path}", summary="Its author deleted it")
async def delete_mention(
    request: Request,
    channel: Annotated[Channel, Path(description="As the mention came in", examples=["x"])],
    external_id: Annotated[ExternalId, Path(description="As the mention came in", examples=["1799202600"])],
) -> DeletedOut:
    """Take its words away and leave a tombstone, so that a copy that comes late is ignored. Safe to repeat."""
    await admit(request, Permission.POST_MENTIONS)
    runtime: Runtime = request.app.state.runtime
    gone = await runtime.run_idempotent(withdraw, (channel, external_id))
    ticket_id = gone.ticket.id if gone.ticket else None
    return DeletedOut(mention_id=gone.mention_id, outcome="deleted", ticket_id=ticket_id)


async def _one_mention(request: Request) -> Mention:
    """Raises `JsonExpected`, `BrokenJson`, `InvalidRequest`; what is refused is counted."""
    runtime: Runtime = request.app.state.runtime
    content = await _read_json(request)
    try:
        return _checked(content, runtime.now())
    except ValidationError as error:
        _count(request, [REFUSED])
        raise invalid_request(error.errors()) from error
    except InvalidRequest:
        _count(request, [REFUSED])
        raise


async def _read_json(request: Request) -> Any:
    """The body as data. Raises `JsonExpected` when it is said to be anything else, and `BrokenJson`."""
    if (sent_as := request.headers.get("Content-Type")) and not _JSON.fullmatch(sent_as):
        raise JsonExpected("Send JSON, with the header Content-Type: application/json.")
    return parse_json(await request.body())


def parse_json(body: bytes) -> Any:
    """The body as data. NaN and lone surrogates pass here, so that each field can be named. Raises `BrokenJson`."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BrokenJson(f"The body is not JSON: {error}.") from error


def listed(content: Any) -> Sequence[Any]:
    """The list of a batch. What is wrong with the list itself refuses the whole; what is wrong in it does not."""
    mentions = content.get("mentions") if isinstance(content, Mapping) else None
    if not isinstance(mentions, list) or len(content) != 1:
        raise InvalidRequest('Send an object with one member: {"mentions": [...]}.', field="mentions")
    if not 1 <= len(mentions) <= BATCH:
        raise InvalidRequest(f"Send 1 to {BATCH:,} mentions at a time, not {len(mentions):,}.", field="mentions")
    return mentions


def _checked(content: Any, now: datetime) -> Mention:
    """Raises pydantic's `ValidationError`, `InvalidRequest`."""
    said = MentionIn.model_validate(content)
    if said.posted_at > now + CLOCK_SKEW:
        raise InvalidRequest(
            f"posted_at lies in the future; it is {now:%Y-%m-%dT%H:%M:%SZ} here. Check the clock and the offset.",
            field="posted_at",
        )
    return said.to_mention()


def _problem(error: ValidationError | WebcareError, within: str) -> dict[str, Any]:
    return describe(error if isinstance(error, WebcareError) else invalid_request(error.errors(), within=within))


def _status(received: Received) -> int:
    return 200 if received.outcome in _AGAIN else 201


def _count(request: Request, outcomes: Iterable[str]) -> None:
    metrics: Metrics = request.app.state.metrics
    metrics.count_mentions(outcomes)


def _told(received: Received) -> dict[str, Any]:
    ticket = received.ticket
    return {
        "mention_id": received.mention_id,
        "outcome": received.outcome,
        "ticket_id": ticket and ticket.id,
        "number": ticket and ticket.number,
        "topic": ticket and ticket.topic,
        "confidence": ticket and ticket.confidence,
        "department": ticket and ticket.department,
        "stage": ticket and ticket.stage,
        "priority": ticket and ticket.priority,
        "reasons": received.reasons,
        "secondary": [reason["facts"] for reason in received.reasons if reason["code"] == "part"],
        "due": ticket.due if ticket else {},
    }


def _json(content: Any, status: int) -> Response:
    return Response(dump(content), status, media_type="application/json")
