"""The words after `webcare`, what they mean to a person, and which process stands behind each."""

import asyncio

import typer

from app.cli import processes, reports, rules, sla, tokens, up
from app.cli.doors import database_url, door
from app.cli.topics import command as topics
from app.kit import logs
from app.migrating import migrate
from app.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""webcare takes in what customers say on social channels and puts each mention in the hands of the
    department that owns the customer process.

    Start with `webcare up`. Settings are environment variables (WEBCARE_...), described in docs/operating.md.

    Exit codes: 0 done, 1 failed, 2 wrong words, wrong settings or a wrong rulebook.
    """,
)
app.add_typer(reports.app, name="reports")
app.add_typer(rules.app, name="rules")
app.add_typer(sla.app, name="sla")
app.add_typer(tokens.app, name="token")
app.add_typer(topics.app, name="topics")


@app.command("up")
@door
def up_command() -> None:
    """Run everything on this machine: PostgreSQL, migrations, API and worker. Ctrl-C ends it.

    The first start makes the database and prints a token for each role, once. Data is in WEBCARE_DATA_DIR
    (./data); WEBCARE_DATABASE_URL uses a PostgreSQL of your own instead.

    On a loopback address webhooks may reach this machine itself, and replies are posted to
    http://127.0.0.1:8081/publish, where `webcare demo` or your own adapter listens, signed with the secret in
    publish.secret beside the data. WEBCARE_WEBHOOK_ALLOW_CIDRS, WEBCARE_PUBLISH_URL and WEBCARE_PUBLISH_SECRET change
    that.
    """
    up.run(_begin())


@app.command()
@door
def serve() -> None:
    """Run the API alone, on WEBCARE_HOST and WEBCARE_PORT. Any number may run beside each other."""
    settings = _begin()
    with database_url(settings) as url:
        processes.serve(settings, url)


@app.command()
@door
def worker() -> None:
    """Run the worker alone: clocks, webhooks, publications, surveys. Any number may run beside each other."""
    settings = _begin()
    with database_url(settings) as url:
        processes.work(settings, url)


@app.command("migrate")
@door
def migrate_command() -> None:
    """Bring the database to the schema of this program. Safe to run from many machines at once."""
    with database_url(_begin()) as url:
        asyncio.run(migrate(url))


def _begin() -> Settings:
    settings = Settings()
    logs.configure(settings.log_level)
    return settings
