"""`webcare topics status`, `train`, `evaluate`, `promote`, `rollback`: which model reads topics, and which should.

Knows options, exit codes and how things look. Works on the database itself, beside whatever runs. Refuses to know how
a model is trained and how processes follow it (flows).
"""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from app.cli.doors import FAILED, door
from app.cli.processes import beside
from app.cli.topics.screen import as_facts, comparison_lines, status_lines
from app.flows import learn
from app.flows import promote as promoting
from app.topics.versions.comparison import Comparison
from app.topics.versions.version import Promotion, State, Version

ACTOR = "command line"
_SHOWN = 10  # models

AsJson = Annotated[bool, typer.Option("--json", help="Everything as JSON, for scripts.")]
Note = Annotated[str | None, typer.Option(help="Why, for whoever looks later.")]


@door
def status(*, as_json: AsJson = False) -> None:
    """Tell which model is in force, what is new to learn from, and how the last models compared.

    In the table `right`, `wrong` and `triage` are what became of labelled posts before and with that model. A wrong one
    counts as three in triage: a department that gets another's ticket loses its trust.

    Exit code 1 when the model in force cannot be read, and the one before goes on.
    """

    async def run() -> tuple[learn.Standing, list[tuple[Version, State]], int | None, int]:
        async with beside() as runtime:
            standing, models = await learn.read_standing(runtime), await learn.read_models(runtime, limit=_SHOWN)
            return standing, models, runtime.rules.learned.refused, runtime.knobs.learn_from

    standing, models, refused, enough = asyncio.run(run())
    if as_json:
        _print_json(
            {
                "in_force": standing.promotion,
                "refused": refused,
                "new": standing.new,
                "enough": enough,
                "models": [as_facts(*one) for one in models],
            }
        )
    else:
        _print(status_lines(standing, models, refused, enough))
    if refused is not None:
        raise typer.Exit(FAILED)


@door
def train(
    *,
    promote_it: Annotated[
        bool, typer.Option("--promote", help="Put it in force if it is better. Exit code 1 if it is not.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on the rulebook's examples and all labels, and compare it with what is in force.

    Takes seconds for a thousand labels and half a minute for ten thousand. The model is a candidate until it is
    promoted. What was learned already makes no second model.

    Exit codes: 0 trained, 1 with --promote: not better, 2 too little to learn from.
    """

    async def run() -> tuple[Version, bool]:
        async with beside() as runtime:
            version = await learn.teach(runtime, ACTOR)
            if promote_it and version.comparison["better"]:
                await runtime.run(promoting.promote, ACTOR, version.number, None, despite=False)
            return version, promote_it

    version, asked = asyncio.run(run())
    better = version.comparison["better"]
    if as_json:
        _print_json(as_facts(version) | {"promoted": asked and better})
    else:
        typer.echo(f"Model {version.number} ({version.digest}), trained {version.at:%Y-%m-%d %H:%M} UTC.")
        _print(comparison_lines(version.comparison))
        if asked and better:
            typer.echo(f"Model {version.number} is in force on every process within two seconds.")
        elif not asked:
            typer.echo(f"`webcare topics promote {version.number}` puts it in force.")
    if asked and not better:
        raise typer.Exit(FAILED)


@door
def evaluate(
    number: Annotated[int | None, typer.Argument(help="Which model; left out: the newest.", show_default=False)] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell how a model does: when it was trained, and on the labels that came since.

    The first is the comparison that decided about it, with what was in force at that time. The second is against
    phrases alone, on posts that the model has not learned from: a model that was good once may have aged.
    """

    async def run() -> tuple[Version, Comparison | None]:
        async with beside() as runtime:
            if number is not None:
                return await learn.evaluate(runtime, number)
            newest = (await learn.read_standing(runtime)).newest
            if newest is None:
                typer.echo("There is no model yet; `webcare topics train` makes one.", err=True)
                raise typer.Exit(FAILED)
            return await learn.evaluate(runtime, newest.number)

    version, since = asyncio.run(run())
    if as_json:
        _print_json(as_facts(version) | {"since": since.as_json() if since else None})
        return
    typer.echo(f"Model {version.number} ({version.digest}), trained {version.at:%Y-%m-%d %H:%M} UTC.")
    _print(comparison_lines(version.comparison))
    if since is None:
        typer.echo("No labels came since.")
    else:
        typer.echo("\nSince then:")
        _print(comparison_lines(since.as_json()))


@door
def promote(
    number: Annotated[int, typer.Argument(help="The model, as `webcare topics status` lists it.")],
    *,
    despite: Annotated[bool, typer.Option("--despite", help="Although the comparison speaks against it.")] = False,
    note: Note = None,
) -> None:
    """Put a model in force, on every process within two seconds. Tickets that stand are not read again.

    One that was not better, or that does worse on a topic with 30 labels or more, needs --despite.
    """

    async def run() -> promoting.Promoted:
        async with beside() as runtime:
            return await runtime.run(promoting.promote, ACTOR, number, note, despite=despite)

    _tell(asyncio.run(run()))


@door
def rollback(*, note: Note = None) -> None:
    """Take the model in force back: the one before it is in force again, and before the first phrases alone.

    From then on nothing comes into force by itself until somebody promotes a model.
    """

    async def run() -> promoting.Promoted:
        async with beside() as runtime:
            return await runtime.run(promoting.roll_back, ACTOR, note)

    _tell(asyncio.run(run()))


def _tell(done: promoting.Promoted) -> None:
    what = _named(done.promotion)
    typer.echo(f"{what} in force on every process within two seconds." if done.changed else f"{what} in force already.")


def _named(promotion: Promotion) -> str:
    return "Phrases alone are" if promotion.model is None else f"Model {promotion.model} is"


def _print(lines: Iterable[str | Table]) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for line in lines:
        console.print(line)


def _print_json(told: Any) -> None:
    typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))
