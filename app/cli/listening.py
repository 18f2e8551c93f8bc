"""`webcare listen`: a receiver on a developer's machine that shows every event as it comes.

Knows how an endpoint is registered for as long as somebody looks, and how a message is verified and printed. Refuses to
know what an event means.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.json import JSON
from rich.text import Text

from app.cli.doors import door
from app.delivery.endpoints.endpoint import Payload
from app.delivery.signing import SignatureRefused, key_of, verify
from app.kit.clock import utc_now
from app.kit.errors import Invalid, Unavailable

LONGEST_BODY = 2**20


class NothingToVerifyWith(Invalid):
    """Neither a token to register with, nor the secret of an endpoint."""


class NotRegistered(Unavailable):
    """The API did not take the endpoint."""


@door
def listen(
    token: Annotated[
        str | None,
        typer.Option(help="A department's token: an endpoint is registered with it, and removed at the end."),
    ] = None,
    secret: Annotated[
        str | None, typer.Option(help="Of an endpoint that is registered already (whsec_...); nothing is registered.")
    ] = None,
    port: Annotated[int, typer.Option(help="Where to listen on this machine; 0 takes any.", min=0, max=65535)] = 8082,
    api: Annotated[str, typer.Option(help="Where webcare is.")] = "http://127.0.0.1:8080",
    payload: Annotated[
        Payload, typer.Option(help="Of what is registered: full has the customer's words.")
    ] = Payload.THIN,
    event_type: Annotated[
        list[str] | None, typer.Option(help="Only this type of event; may be given again. Left out: every type.")
    ] = None,
) -> None:
    """Show webhooks as they come, verified and readable, until Ctrl-C.

    webcare must be allowed to reach this machine: `webcare up` on a loopback address is.

    Example: webcare listen --token wc_department_... --event-type ticket.routed
    """
    for ends in (signal.SIGTERM, signal.SIGHUP):  # an endpoint that nobody listens at would keep hand-overs waiting
        signal.signal(ends, signal.default_int_handler)
    console = Console()
    with _receiver(console, port) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        if secret is not None:
            key_of(secret)
            server.secret = secret
            _serve(server, console, f"Listening on {url}")
            return
        if token is None:
            raise NothingToVerifyWith("Give --token to register an endpoint, or --secret of one that there is.")
        asked = {"url": url, "payload": payload, "event_types": event_type or None}
        with _registered(api, token, asked) as made:
            server.secret = made["secret"]
            _serve(server, console, f"Listening on {url} as endpoint {made['id']} of {made['department']}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, console: Console) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.console = console
        self.secret = ""
        self.seen: set[str] = set()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST_BODY:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        try:
            signed = verify([self.server.secret], raw, body, now=utc_now())
            told = json.loads(body)
        except (SignatureRefused, ValueError) as error:
            self.server.console.print(Text(f"refused: {error}", style="red"))
            self._answer(HTTPStatus.UNAUTHORIZED)
            return
        show(self.server.console, told, again=signed.id in self.server.seen)
        self.server.seen.add(signed.id)
        self._answer(HTTPStatus.NO_CONTENT)

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        """Nothing: what matters is shown."""


def show(console: Console, told: dict[str, Any], *, again: bool) -> None:
    """One line to find it by, then all of it."""
    data = told.get("data", {})
    ticket = f" · ticket {data['number']}" if "number" in data else ""
    line = f"{told.get('timestamp')} {told.get('type')}{ticket} · {told.get('sequence')}"
    console.print(Text(line + (" · came before" if again else ""), style="bold"))
    console.print(JSON.from_data(told))


@contextmanager
def _receiver(console: Console, port: int) -> Iterator[_Server]:
    try:
        server = _Server(port, console)
    except OSError as error:
        raise NotRegistered(
            f"Port {port} cannot be listened on: {error.strerror}; choose another with --port."
        ) from error
    with server:
        yield server


@contextmanager
def _registered(api: str, token: str, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The endpoint with its secret, for as long as this lasts. Raises `NotRegistered` with what the API said."""
    with httpx.Client(
        base_url=f"{api}/api/v1", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as client:
        try:
            answer = client.post("/endpoints", json=asked)
            made: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NotRegistered(f"No answer from {api}: {error or type(error).__name__}") from error
        if answer.status_code != HTTPStatus.CREATED:
            raise NotRegistered(f"{api} refused: {made.get('detail', answer.status_code)}")
        try:
            yield made
        finally:
            client.delete(f"/endpoints/{made['id']}")


def _serve(server: _Server, console: Console, said: str) -> None:
    console.print(Text(f"{said}. Ctrl-C ends it."))
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        console.print()
