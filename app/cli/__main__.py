"""`python -m app.cli`: how the supervisor starts its own kind without knowing where the script was installed."""

from app.cli import app

app(prog_name="webcare")
