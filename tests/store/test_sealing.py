"""Secrets at rest, and files of secrets."""

from pathlib import Path

import pytest

from app.kit.sealing import KeyUnusable, SealBroken, Sealer, load_or_make, new_key


def test_what_is_sealed_opens_with_the_same_key_only(tmp_path: Path) -> None:
    first, second = (load_or_make(tmp_path / name / "secret.key", new_key) for name in ("a", "b"))
    sealed = Sealer(first).seal("whsec_x")
    assert b"whsec_x" not in sealed
    assert Sealer(load_or_make(tmp_path / "a" / "secret.key", new_key)).open(sealed) == "whsec_x"
    with pytest.raises(SealBroken):
        Sealer(second).open(sealed)
    with pytest.raises(KeyUnusable):
        Sealer("short")


def test_a_made_secret_is_its_owners_alone_and_leaves_no_draft(tmp_path: Path) -> None:
    assert load_or_make(tmp_path / "secret.key", lambda: "first") == "first"
    assert load_or_make(tmp_path / "secret.key", lambda: "second") == "first"
    assert [(p.name, p.stat().st_mode & 0o777) for p in tmp_path.iterdir()] == [("secret.key", 0o600)]
