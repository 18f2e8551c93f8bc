"""What every door does first: read the environment, find the database, and tell errors as a person reads them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import typer
from pydantic import ValidationError

from app.embedded import Embedded
from app.kit.errors import Invalid, WebcareError
from app.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

FAILED = 1
MISUSED = 2  # as the shell and Typer use it: the words or the environment are wrong, trying again will not help


def door(command: Callable[P, T]) -> Callable[P, T]:
    """Let expected errors end a command with one clear line and their exit code; others keep their traceback."""

    @wraps(command)
    def opened(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except ValidationError as error:
            for one in error.errors():
                if one["type"] == "default_factory_not_called":
                    continue  # what hangs on a wrong setting is not wrong itself
                typer.echo(f"WEBCARE_{str(one['loc'][0]).upper()}: {one['msg']}", err=True)
            raise typer.Exit(MISUSED) from error
        except WebcareError as error:
            typer.echo(error.message, err=True)
            raise typer.Exit(MISUSED if isinstance(error, Invalid) else FAILED) from error

    return opened


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The address of a database that answers: the one given, or the embedded PostgreSQL.

    The embedded one is joined when `webcare up` runs, and else runs for as long as this lasts.
    """
    if settings.database_url:
        yield settings.database_url
        return
    with Embedded(settings.data_dir) as embedded:
        yield embedded.url()
