"""`webcare topics import`: what becomes of a file of labelled texts, and what is told of it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from app.cli.doors import door
from app.cli.ingest.command import Encoding, Kind
from app.cli.ingest.reading import Place
from app.cli.ingest.source import open_source
from app.cli.pairs import pairs
from app.cli.processes import beside
from app.cli.topics.importing import Labelled, Rejected, find_columns, read_labels
from app.flows.learn import take_in
from app.runtime import Runtime
from app.topics.labels.labelling import Labelling, Source

FEW = 5  # examples from which a topic is learned well enough to be useful
SOME_REJECTED = 3
_LOOKED_AT = 50  # rows of JSON lines that tell which columns there are
_AT_ONCE = 500  # labels in one transaction
_SHOWN = 20  # rejected lines; --json tells all

File = Annotated[
    Path, typer.Argument(help="CSV or JSON lines.", exists=True, dir_okay=False, readable=True, show_default=False)
]
Mapped = Annotated[list[str] | None, typer.Option("--map", help="FIELD=COLUMN, as often as needed: text=body")]
Renamed = Annotated[
    list[str] | None, typer.Option("--rename", help="OLD=NEW: what the file calls a topic, and our slug for it.")
]


@door
def import_labels(
    file: File,
    mapped: Mapped = None,
    renamed: Renamed = None,
    kind: Kind = None,
    encoding: Encoding = "utf-8",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be learned from; keep nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON, for scripts.")] = False,
) -> None:
    """Take in labelled texts: a column with the text, one with its topic, and one with the language if there is one.

    Columns with usual names are recognised (text, body, tekst; topic, label, category; lang). A line whose topic is not
    in the rulebook is told and left out, the others count. Running the command twice keeps each label once.

    `webcare topics import labelled.csv --map text=body --map topic=category --rename bill=invoice_question`

    Exit codes: 0 all taken in, 2 wrong words or file, 3 done, but some lines were rejected.
    """
    source = open_source(file, kind, encoding)
    columns = find_columns(source.columns(_LOOKED_AT), pairs("--map", mapped))
    renames = pairs("--rename", renamed)

    async def run() -> tuple[list[Labelled], list[Rejected], int]:
        async with beside() as runtime:
            with file.open("rb") as opened:
                rows = list(read_labels(source.rows(opened, Place()), columns, renames, runtime.rulebook.topics))
            taken = [row for row in rows if isinstance(row, Labelled)]
            new = 0 if dry_run else await _take_in(runtime, taken, file.name)
            return taken, [row for row in rows if isinstance(row, Rejected)], new

    taken, rejected, new = asyncio.run(run())
    counts = _by_topic(taken)
    few = [topic for topic, count in counts.items() if count < FEW]
    if as_json:
        lines = [{"line": one.line, "reason": one.reason} for one in rejected]
        told = {"labels": len(taken), "new": new, "topics": counts, "few": few, "rejected": lines}
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    else:
        kept = "nothing was kept" if dry_run else f"{new:,} of them new"
        labels = "1 label" if len(taken) == 1 else f"{len(taken):,} labels"
        topics = "1 topic" if len(counts) == 1 else f"{len(counts)} topics"
        typer.echo(f"{file.name}: {labels} of {topics}, {kept}.")
        if few:
            typer.echo(f"Fewer than {FEW} examples, so little to learn from: {', '.join(few)}.")
    _tell_rejected(rejected, everything=as_json)
    if rejected:
        raise typer.Exit(SOME_REJECTED)


async def _take_in(runtime: Runtime, taken: Sequence[Labelled], name: str) -> int:
    new = 0
    at = runtime.now()
    for start in range(0, len(taken), _AT_ONCE):
        labels = [
            Labelling(one.topic, True, Source.IMPORT, f"file:{name}", at, text=one.text, language=one.language)
            for one in taken[start : start + _AT_ONCE]
        ]
        new += await runtime.run_idempotent(take_in, labels)
    return new


def _by_topic(taken: Sequence[Labelled]) -> dict[str, int]:
    """The most frequent first."""
    counts: dict[str, int] = {}
    for one in taken:
        counts[one.topic] = counts.get(one.topic, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _tell_rejected(rejected: Sequence[Rejected], *, everything: bool) -> None:
    if everything or not rejected:
        return
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    for one in rejected[:_SHOWN]:
        console.print(f"line {one.line}: {one.reason}")
    more = len(rejected) - _SHOWN
    if more > 0:
        console.print(f"and {more:,} more; --json tells all")
