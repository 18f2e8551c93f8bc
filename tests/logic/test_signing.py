"""Signatures: the reference implementation reads ours, and nothing that an attacker writes gets past or raises."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from app.delivery.signing import SecretUnusable, SignatureRefused, key_of, secret_from, sign, verify

NOW = datetime.now(UTC).replace(microsecond=0)
SECRET = secret_from(bytes(range(32)))
OTHER = secret_from(bytes(range(32, 64)))
BODY = '{"text": "waar blijft mijn pakket? €"}'.encode()
ID = "0197f3c1-0000-7000-8000-000000000001"


def raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def test_the_published_example_of_the_standard_signs_as_published() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = sign(
        [secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}'
    )
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_reference_implementation_accepts_what_we_sign() -> None:
    headers = sign([SECRET], ID, datetime.now(UTC), BODY)  # it reads the real clock, and allows five minutes
    assert Webhook(SECRET).verify(BODY, headers)["text"].startswith("waar")


def test_after_a_rotation_both_secrets_fit() -> None:
    now = datetime.now(UTC)
    headers = sign([SECRET, OTHER], ID, now, BODY)
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(BODY, headers)
        assert verify([secret], raw(headers), BODY, now=now).id == ID


def test_we_accept_what_the_reference_implementation_signs() -> None:
    signature = Webhook(SECRET).sign(ID, NOW, BODY.decode())
    headers = {"Webhook-Id": ID, "Webhook-Timestamp": str(int(NOW.timestamp())), "Webhook-Signature": signature}
    signed = verify([OTHER, SECRET], raw(headers), BODY, now=NOW)
    assert (signed.id, signed.at) == (ID, NOW)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_of_clock_difference_are_allowed(seconds: int) -> None:
    headers = raw(sign([SECRET], ID, NOW, BODY))
    assert verify([SECRET], headers, BODY, now=NOW + timedelta(seconds=seconds)).at == NOW


GOOD = sign([SECRET], ID, NOW, BODY)


@pytest.mark.parametrize(
    ("headers", "body", "now"),
    [
        pytest.param(raw(GOOD), BODY + b" ", NOW, id="another body"),
        pytest.param(raw(GOOD), BODY, NOW + timedelta(seconds=301), id="too old"),
        pytest.param(raw(GOOD), BODY, NOW - timedelta(seconds=301), id="from the future"),
        pytest.param(raw(GOOD)[1:], BODY, NOW, id="no id"),
        pytest.param([*raw(GOOD), raw(GOOD)[2]], BODY, NOW, id="a header twice"),
        pytest.param(raw({**GOOD, "webhook-id": "another"}), BODY, NOW, id="another id"),
        pytest.param(raw({**GOOD, "webhook-timestamp": "١٢٣"}), BODY, NOW, id="digits of another script"),
        pytest.param(raw({**GOOD, "webhook-timestamp": "9" * 5000}), BODY, NOW, id="a timestamp without end"),
        pytest.param(raw({**GOOD, "webhook-signature": "v1"}), BODY, NOW, id="no comma"),
        pytest.param(raw({**GOOD, "webhook-signature": "v1,%%%"}), BODY, NOW, id="no base64"),
        pytest.param(
            raw({**GOOD, "webhook-signature": GOOD["webhook-signature"].replace("v1", "v1a")}), BODY, NOW, id="v1a"
        ),
        pytest.param(raw(sign([OTHER], ID, NOW, BODY)), BODY, NOW, id="another secret"),
        pytest.param(raw(sign([], ID, NOW, BODY)), BODY, NOW, id="unsigned"),
        pytest.param(raw(sign([SECRET], "x" * 501, NOW, BODY)), BODY, NOW, id="an id without end"),
    ],
)
def test_everything_else_is_refused(headers: list[tuple[bytes, bytes]], body: bytes, now: datetime) -> None:
    with pytest.raises(SignatureRefused):
        verify([SECRET], headers, body, now=now)


@settings(max_examples=60)
@given(st.tuples(*(st.one_of(st.binary(max_size=40), st.just(value.encode())) for value in GOOD.values())), st.binary())
def test_whatever_a_stranger_sends_is_refused_and_never_raises_anything_else(
    values: tuple[bytes, ...], body: bytes
) -> None:
    with pytest.raises(SignatureRefused):
        verify([SECRET], zip((name.encode() for name in GOOD), values, strict=True), body, now=NOW)


@pytest.mark.parametrize("length", [24, 64])
def test_secrets_of_24_to_64_bytes_are_taken(length: int) -> None:
    assert key_of(secret_from(b"k" * length)) == b"k" * length


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        base64.b64encode(b"k" * 32).decode(),
        "whsec_" + base64.b64encode(b"k" * 23).decode(),
        "whsec_" + base64.b64encode(b"k" * 65).decode(),
        "whsec_" + "é" * 44,
        "whsec_" + base64.urlsafe_b64encode(b"\xff" * 32).decode(),
    ],
)
def test_other_secrets_are_refused(secret: str) -> None:
    with pytest.raises(SecretUnusable):
        key_of(secret)


def test_a_short_key_makes_no_secret() -> None:
    with pytest.raises(SecretUnusable):
        secret_from(b"short")
