"""`webcare rules`: read the rulebook as the service would, and tell what it thinks; try it on what was asked lately."""

import asyncio
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import orjson
import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from rich.table import Table

from app.cli.doors import door
from app.cli.processes import beside
from app.flows.simulate import Progress as Progressing
from app.flows.simulate import Simulation, simulate
from app.routing.decision import Subject, as_record, decide, in_words
from app.rulebook import Rulebook, load
from app.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="""Check, test, question and try out the rulebook.

    The rulebook is the folder of YAML files that says which topics there are, who owns them and which promises hold.
    """,
)
Folder = Annotated[
    Path | None, typer.Option("--rules", help="Folder of the rulebook instead of WEBCARE_RULES_DIR.", file_okay=False)
]
# Pilot arms hang on the ticket's id. There is no ticket here, so one id stands for all.
NO_TICKET = UUID(int=0)
TOLD = 10  # changes; --json tells more


def _load(folder: Path | None) -> Rulebook:
    return load(folder or Settings().rules_dir)


@app.command()
@door
def check(rules: Folder = None) -> None:
    """Read all files and check them against each other. Exit code 2 and every problem with file and line, if any."""
    rulebook = _load(rules)
    typer.echo(
        f"Rulebook {rulebook.digest}: {len(rulebook.topics)} topics, {len(rulebook.departments)} departments, "
        f"{len(rulebook.routing.routes)} routes, {len(rulebook.sla_rules)} promises."
    )


@app.command("test")
@door
def run_examples(rules: Folder = None) -> None:
    """Classify the worked examples of every topic. Exit code 2 and each that gets another topic, with its line."""
    rulebook = _load(rules)  # no rulebook is loaded that fails its own examples
    count = sum(len(topic.examples) for topic in rulebook.topics.values())
    typer.echo(f"All {count} examples of {len(rulebook.topics)} topics got what they want.")


@app.command()
@door
def explain(
    text: Annotated[str, typer.Argument(help="What a customer wrote; - reads standard input.")],
    channel: Annotated[str, typer.Option(help="Where: x, forum, facebook, ...")] = "x",
    language: Annotated[str | None, typer.Option("--lang", help="nl or en; left out, it is guessed.")] = None,
    followers: Annotated[int, typer.Option(help="How many people follow the author.", min=0)] = 0,
    private: Annotated[bool, typer.Option("--private", help="A direct message rather than a public post.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The decision record as JSON.")] = False,
    rules: Folder = None,
) -> None:
    """Tell where a text would go, and why.

    Example: webcare rules explain "Waar blijft mijn pakketje?" --channel forum
    """
    rulebook = _load(rules)
    said = [rulebook.read(sys.stdin.read() if text == "-" else text, language)]
    subject = Subject(
        ticket_id=NO_TICKET,
        channel=channel,
        account=None,
        kind="dm" if private else "mention",
        language=language,
        followers=followers,
        verified=False,
        visibility="private" if private else "public",
        classification=rulebook.classifier.classify(said)[0],
        heard=rulebook.hear(said)[0],
    )
    record = as_record(decide(subject, rulebook.routing, rulebook.digest))
    if as_json:
        typer.echo(orjson.dumps(record, option=orjson.OPT_INDENT_2))
        return
    typer.echo(
        f"topic {record['topic'] or 'none'} -> {record['department'] or 'triage'}, priority {record['priority']}"
    )
    for sentence in in_words(record):
        typer.echo(f"  {sentence}")


@app.command("simulate")
@door
def run_simulation(
    rules: Folder = None,
    last: Annotated[int, typer.Option(help="How many of the newest questions.", min=1)] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="All figures and the newest 100 changes as JSON.")] = False,
) -> None:
    """Decide the newest questions again, under the rules in force and under those in a folder. Nothing is written.

    Example: webcare rules simulate --rules ./proposed --last 10000
    """
    proposed = _load(rules)
    console = Console(stderr=True)
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=console, transient=True) as bar:
        task = bar.add_task("Deciding again", total=last)
        found = asyncio.run(_simulate(proposed, last, lambda done, of: bar.update(task, completed=done, total=of)))
    if as_json:
        told = {
            "now": found.now,
            "proposed": found.proposed,
            "mentions": found.mentions,
            "changed": found.changed,
            "departments": found.departments,
            "pledges": found.pledges,
            "changes": found.changes,
        }
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
        return
    Console().print(*_tables(found), sep="\n")


async def _simulate(proposed: Rulebook, last: int, progress: Progressing) -> Simulation:
    async with beside() as runtime:
        return await simulate(runtime, proposed, last, progress)


def _tables(found: Simulation) -> Iterator[Table | str]:
    yield (
        f"{found.changed} of {found.mentions} questions would begin elsewhere: "
        f"rules {found.now} in force, {found.proposed} proposed."
    )
    owners = Table("department", "now", "proposed", "under both")
    for shift in found.departments:
        owners.add_row(shift.department or "triage", str(shift.now), str(shift.proposed), str(shift.kept))
    yield owners
    promises = Table("promise", "sooner", "later", "mean now", "mean proposed")
    for pledge in found.pledges:
        means = [str(timedelta(seconds=round(mean))) for mean in (pledge.now, pledge.proposed)]
        promises.add_row(pledge.metric, str(pledge.sooner), str(pledge.later), *means)
    yield promises
    for change in found.changes[:TOLD]:
        yield f"\nmention {change.mention_id}"
        for name, fate in (("now", change.now), ("proposed", change.proposed)):
            yield f"  {name}: {fate.topic or 'no topic'} -> {fate.department or 'triage'}, {fate.priority}"
            yield from (f"    {why}" for why in fate.why)
