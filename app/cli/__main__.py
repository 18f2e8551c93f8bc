"""`python -m app.cli` is `webcare`, for where the script is not in the path."""

from app.cli import app

app(prog_name="webcare")
