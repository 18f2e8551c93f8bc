"""The `webcare` command: one door to everything that a person or a machine's init system starts.

Knows words, options and exit codes. Refuses to do the work itself.
"""

from app.cli.commands import app
from app.cli.demo import demo
from app.cli.ingest.command import ingest
from app.cli.listening import listen

app.command()(ingest)
app.command()(demo)
app.command()(listen)

__all__ = ["app"]
