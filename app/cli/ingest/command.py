"""The words of `webcare ingest`, and what they come to.

Knows options and exit codes. Refuses to know how files are read and sent.
"""

import contextlib
from pathlib import Path
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

import httpx
import typer
from rich.console import Console

from app.cli.doors import door
from app.cli.ingest.bookmark import Bookmark
from app.cli.ingest.plan import make_plan
from app.cli.ingest.posting import Poster
from app.cli.ingest.running import Run
from app.cli.ingest.screen import Meter, show_plan, show_tally
from app.cli.ingest.source import Format, open_source
from app.cli.pairs import WordsUnclear, pairs
from app.kit.clock import utc_now

SOME_REJECTED = 3
INTERRUPTED = 130
_LOOKED_AT = 50  # rows of JSON lines that tell which columns there are
_SHOWN = 5
_TIMEOUT = 60.0


File: TypeAlias = Annotated[
    Path, typer.Argument(help="CSV or JSON lines.", exists=True, dir_okay=False, readable=True, show_default=False)
]
Mapped: TypeAlias = Annotated[
    list[str] | None, typer.Option("--map", help="FIELD=COLUMN, as often as needed: author.handle=user")
]
Constants: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", help="FIELD=VALUE where no column gives it: channel=x, posted_at=now")
]
Only: TypeAlias = Annotated[
    list[str] | None, typer.Option("--where", help="COLUMN=VALUE: leave out all rows that have another.")
]
Kind: TypeAlias = Annotated[Format | None, typer.Option("--format", help="Left out: as the file is named.")]
DateFormat: TypeAlias = Annotated[
    str | None,
    typer.Option(help="As strptime has it: '%d-%m-%Y %H:%M'. Left out: ISO 8601, RFC 2822, Twitter's, epoch."),
]
Zone: TypeAlias = Annotated[str, typer.Option("--timezone", help="Of dates that tell none: Europe/Amsterdam.")]
Encoding: TypeAlias = Annotated[str, typer.Option(help="utf-8, cp1252, ...")]
Url: TypeAlias = Annotated[str, typer.Option(envvar="WEBCARE_URL", help="The service.")]
Token: TypeAlias = Annotated[
    str, typer.Option(envvar="WEBCARE_TOKEN", help="Of role ingest; better in the environment.", show_default=False)
]
History: TypeAlias = Annotated[
    bool, typer.Option("--history/--live", help="Clocks start now, or at the moment of each post.")
]
Batch: TypeAlias = Annotated[int, typer.Option(help="Mentions per call.", min=1, max=1000)]
Limit: TypeAlias = Annotated[int | None, typer.Option(help="Stop after so many rows; run again to go on.", min=1)]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Show how the file is understood, send nothing.")]
Restart: TypeAlias = Annotated[bool, typer.Option("--restart", help="Begin anew, whatever was sent before.")]
Patience: TypeAlias = Annotated[float, typer.Option(help="Seconds to wait for a service that does not answer.", min=0)]


@door
def ingest(
    file: File,
    mapped: Mapped = None,
    constants: Constants = None,
    only: Only = None,
    kind: Kind = None,
    date_format: DateFormat = None,
    zone: Zone = "UTC",
    encoding: Encoding = "utf-8",
    url: Url = "http://127.0.0.1:8080",
    token: Token = "",
    history: History = True,
    batch: Batch = 500,
    limit: Limit = None,
    dry_run: DryRun = False,
    restart: Restart = False,
    patience: Patience = 60,
) -> None:
    """Take in the posts of a file: CSV with a first line of names, or one JSON object per line.

    Columns with usual names (text, created_at, author_id, tweet_id, ...) are recognised; --dry-run shows how. Rows
    without an id get one from what they hold, so that running the command twice makes no ticket twice.

    An interrupted run goes on where it stopped: FILE.webcare-progress remembers, until the end. Lines that were not
    taken in stand in FILE.rejected.csv, each with its number, field and reason.

    `webcare ingest posts.csv --dry-run`

    `webcare ingest posts.csv --set channel=x --map author.handle=user --where inbound=True`

    `webcare ingest posts.jsonl --set channel=reviews --set posted_at=now`

    Exit codes: 0 all taken in, 1 the service did not take it (run again to go on), 2 wrong words or file,
    3 done, but some lines were rejected, 130 interrupted (run again to go on).
    """
    source = open_source(file, kind, encoding)
    plan = make_plan(
        source.columns(_LOOKED_AT),
        mapped=pairs("--map", mapped),
        constants=pairs("--set", constants),
        only=pairs("--where", only),
        now=utc_now(),
        date_format=date_format,
        zone=_zone(zone),
        imported=history,
    )
    if dry_run:
        show_plan(Console(), plan, source.first(_SHOWN))
        return
    bookmark = Bookmark(file, plan.fingerprint)
    if restart:
        bookmark.remove()
    run = Run(source, plan, bookmark)
    console = Console(stderr=True)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with (
        httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT, trust_env=False) as client,
        Meter(console, source.size) as meter,
    ):
        poster = Poster(client, patience=patience, tell=meter.tell)
        try:
            run.take_in(poster, meter, batch=batch, limit=limit)
        except KeyboardInterrupt:
            meter.tell(f"Stopped behind line {run.place.line:,}. Run the same command to go on.")
            raise typer.Exit(INTERRUPTED) from None
    show_tally(Console(), file.name, run.tally, meter.rate)
    if run.tally.rejected:
        console.print(f"Rejected lines, with reasons: {run.rejects}", highlight=False, soft_wrap=True)
        raise typer.Exit(SOME_REJECTED)


def _zone(name: str) -> ZoneInfo:
    with contextlib.suppress(ValueError, OSError, LookupError):
        return ZoneInfo(name)
    raise WordsUnclear(f"--timezone: there is no time zone '{name}'; write it as Europe/Amsterdam.")
