"""The PostgreSQL that comes with pip, so that a machine with Python alone can run webcare."""

from app.embedded.account import EmbeddedFailed
from app.embedded.server import Embedded

__all__ = ["Embedded", "EmbeddedFailed"]
