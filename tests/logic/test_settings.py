"""The environment as operators write it becomes values, and what means nothing is refused by name."""

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import ValidationError

from app.settings import Settings


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(f"WEBCARE_{name}", value)
    return Settings()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("DATABASE_URL", "postgres://a:b@db/x", "postgresql+asyncpg://a:b@db/x"),
        ("DATABASE_URL", "postgresql://a@/x?host=/run", "postgresql+asyncpg://a@/x?host=/run"),
        ("DATABASE_URL", "", None),
        ("WEBHOOK_ALLOW_CIDRS", "127.0.0.1/32, ::1/128", (ip_network("127.0.0.1/32"), ip_network("::1/128"))),
        ("WEBHOOK_SCHEDULE", "0,2.5", (timedelta(0), timedelta(seconds=2.5))),
        ("WEBHOOK_PORTS", "443", frozenset({443})),
        ("LOCK_TIMEOUT", "0.5", timedelta(seconds=0.5)),
        ("LOCK_TIMEOUT", "PT5M", timedelta(minutes=5)),
    ],
)
def test_what_is_written_is_what_is_meant(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any) -> None:
    assert getattr(read(monkeypatch, **{name: text}), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATABASE_URL", "mysql://a/b"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("WEBHOOK_ALLOW_CIDRS", "10.0.0.1/8"),
        ("WEBHOOK_SCHEDULE", ","),
        ("WEBHOOK_JITTER", "1"),
        ("LOCK_TIMEOUT", "soon"),
        ("LOCK_TIMEOUT", "inf"),
        ("LOCK_TIMEOUT", "-1"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_nonsense_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read(monkeypatch, **{name: text})
    assert str(refused.value.errors()[0]["loc"][0]).upper() == name


def test_a_lease_outlives_its_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, WEBHOOK_DEADLINE="30").webhook_lease == timedelta(seconds=60)
    with pytest.raises(ValidationError, match="webhook_lease"):
        read(monkeypatch, WEBHOOK_DEADLINE="31")


def test_links_follow_host_and_port_unless_they_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, PORT="8090").public_url == "http://127.0.0.1:8090"
    assert read(monkeypatch, PUBLIC_URL="https://care.example/").public_url == "https://care.example"


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch,
        ADMIN_TOKEN="hush",
        SECRET_KEY="hush",
        PUBLISH_SECRET="hush",
        DATABASE_URL="postgresql://a:hush@/b",
        REPORTS_DATABASE_URL="postgresql://a:hush@/b",
    )
    assert "hush" not in repr(settings)
