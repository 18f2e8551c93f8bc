"""The words of `webcare demo`, and where it is played.

Knows options and exit codes. Refuses to know the play.
"""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Annotated, Any, TypeAlias

import typer
from rich.console import Console

from app.cli.doors import door
from app.demo.place import Place, fresh_place
from app.demo.play import PUBLISH, play, show_what_next
from app.demo.receiver import Receiver
from app.kit.errors import Invalid
from app.settings import Settings

INTERRUPTED = 130
QUICK = 40.0
PUBLISH_PORT = 8081  # where `webcare up` publishes unless it is told otherwise


class TokenMissing(Invalid):
    pass


Url: TypeAlias = Annotated[
    str | None, typer.Option(help="A service that runs already; left out: a fresh one, removed afterwards.")
]
Token: TypeAlias = Annotated[
    str | None, typer.Option(envvar="WEBCARE_ADMIN_TOKEN", help="Of role admin, for --url.", show_default=False)
]
Speed: TypeAlias = Annotated[float, typer.Option(help="2 plays twice as fast; 1 takes two minutes.", min=0.1, max=50)]
Quick: TypeAlias = Annotated[bool, typer.Option("--quick", help="As fast as it goes.")]
Keep: TypeAlias = Annotated[bool, typer.Option("--keep", help="Leave the fresh service up until Ctrl-C.")]
Port: TypeAlias = Annotated[int, typer.Option(help="With --url: where that service publishes.", min=1, max=65535)]


@door
def demo(
    url: Url = None,
    token: Token = None,
    speed: Speed = 1,
    quick: Quick = False,
    keep: Keep = False,
    publish_port: Port = PUBLISH_PORT,
) -> None:
    """Play a day of webcare: customers post, departments and agents answer, surveys come back. Two minutes.

    Everybody in it works through the HTTP API with a token of their own; two departments listen by signed webhook.
    On a service of yours it only touches the tickets that it made itself, and takes its tokens and endpoints away.

    Exit codes: 0 played to the end, 1 the service failed, 2 wrong words, 130 interrupted.
    """
    settings = Settings()
    console = Console(highlight=False)
    pace = QUICK if quick else speed
    try:
        if url is None:
            asyncio.run(_until_signal(_play_fresh(settings, console, pace, keep=keep)))
        elif token is None:
            raise TokenMissing("A service that runs already needs an admin's token: --token or WEBCARE_ADMIN_TOKEN.")
        else:
            secret = settings.publish_secret
            place = Place(url.rstrip("/"), token, secret.get_secret_value() if secret else None)
            asyncio.run(_until_signal(_play_there(place, console, pace, publish_port)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("\nStopped; what the demo started is gone.")
        raise typer.Exit(INTERRUPTED) from None


async def _play_fresh(settings: Settings, console: Console, pace: float, *, keep: bool) -> None:
    receiver = Receiver(0)
    console.print("Starting a service of its own in a temporary folder ...")
    async with fresh_place(receiver.url(PUBLISH), settings.rules_dir) as place:
        console.print(f"It runs at {place.url}, with your rules but for one line: surveys go out at once.")
        await play(place, receiver, console, speed=pace)
        show_what_next(console, place, kept=keep)
        if keep:
            console.print("\nThe service stays until Ctrl-C.")
            await asyncio.Event().wait()


async def _play_there(place: Place, console: Console, pace: float, publish_port: int) -> None:
    console.print(f"Playing at {place.url}. Its surveys go out when its rules say so, which may be after the play.")
    await play(place, Receiver(publish_port), console, speed=pace)
    show_what_next(console, place, kept=True)


async def _until_signal(played: Coroutine[Any, Any, None]) -> None:
    """Let SIGTERM end the play as Ctrl-C does. Raises the error that ended it, not the group that it came in."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await played
    except ExceptionGroup as group:
        raise _first(group) from group


def _first(group: ExceptionGroup[Exception]) -> Exception:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
