"""Secrets at rest: sealed with a key that is kept apart from the database.

Knows Fernet (AES-128-CBC and HMAC-SHA-256), and files of secrets that are made at first use. Refuses to know whose
secrets they are.
"""

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from app.kit.errors import Invalid, Unavailable


class KeyUnusable(Invalid):
    pass


class SealBroken(Unavailable):
    """The key is not the one that sealed this, or the sealed bytes were changed."""


class Sealer:
    def __init__(self, key: str) -> None:
        """`key` is 32 random bytes in URL-safe base64. Raises `KeyUnusable`."""
        try:
            self._fernet = Fernet(key)
        except ValueError as error:
            raise KeyUnusable(
                "The secret key is not 32 bytes in URL-safe base64; leave it unset to have one made.",
                field="secret_key",
            ) from error

    def seal(self, secret: str) -> bytes:
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Raises `SealBroken`."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise SealBroken("A sealed secret cannot be opened: was the secret key changed?") from error


def new_key() -> str:
    """A key for a `Sealer`."""
    return Fernet.generate_key().decode()


def load_or_make(path: Path, make: Callable[[], str]) -> str:
    """The secret in this file, made at first use and readable by its owner alone.

    It appears under its name whole, and the first of several processes that start together gives it to all.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
