"""The words after `webcare topics`."""

import typer

from app.cli.topics import models
from app.cli.topics.taking import import_labels

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Teach the model that tells topics where the phrases of the rulebook do not.

    It learns from the worked examples in `topics.yaml`, from agents who name another topic, from departments that hand
    a ticket back, and from files of labelled texts. The worker trains by itself when there is something new, and a
    model that is better comes into force by itself; these commands show what happens and do it by hand.
    """,
)
app.command("status")(models.status)
app.command("train")(models.train)
app.command("evaluate")(models.evaluate)
app.command("promote")(models.promote)
app.command("rollback")(models.rollback)
app.command("import")(import_labels)
