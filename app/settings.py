"""The typed environment: every `WEBCARE_...` variable, its default and its meaning in one line.

Knows names, types and defaults. Refuses to know who uses them: the doors read this once and hand it down as `knobs`.
"""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PROJECT = Path(__file__).resolve().parent.parent
_SCHEMES = ("postgresql://", "postgres://")


def _with_driver(url: str) -> str:
    """Take the addresses that hosting providers hand out, and name the driver that we use."""
    for scheme in _SCHEMES:
        if url.startswith(scheme):
            return "postgresql+asyncpg://" + url.removeprefix(scheme)
    if not url.startswith("postgresql+asyncpg://"):
        raise ValueError("must begin with postgresql://")
    return url


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _in_seconds(value: Any) -> Any:
    """`"0.5"` is half a second; what is no number is left to pydantic, which also reads ISO 8601 (`PT5M`)."""
    try:
        return timedelta(seconds=float(value))
    except (TypeError, ValueError, OverflowError):
        return value


def _twice_the_deadline(lease: timedelta, others: ValidationInfo) -> timedelta:
    """A lease that ends while its attempt may still be under way would have everything sent twice."""
    deadline = others.data.get("webhook_deadline")
    if deadline is not None and lease < 2 * deadline:
        raise ValueError("must be at least twice WEBCARE_WEBHOOK_DEADLINE")
    return lease


DatabaseUrl = Annotated[str, AfterValidator(_with_driver)]
Seconds = Annotated[timedelta, BeforeValidator(_in_seconds), Field(ge=timedelta(0))]
Lease = Annotated[Seconds, AfterValidator(_twice_the_deadline)]
Schedule = Annotated[tuple[Seconds, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_split)]
Ports = Annotated[frozenset[int], NoDecode, BeforeValidator(_split)]

_SCHEDULE = "0,5,300,1800,7200,18000,36000,50400,72000,86400"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a second opinion is asked for. `precision` None: what it says is only ever a suggestion."""

    url: str
    model: str
    key: SecretStr | None
    calls_per_day: int
    timeout: timedelta
    precision: float | None


class Settings(BaseSettings):
    """Immutable; `Settings()` reads the environment and raises pydantic's `ValidationError`, naming the variable."""

    model_config = SettingsConfigDict(env_prefix="WEBCARE_", env_ignore_empty=True, frozen=True, extra="ignore")

    # Where things are
    database_url: DatabaseUrl | None = Field(
        None, repr=False, description="PostgreSQL 15 or newer; unset: the embedded PostgreSQL in the data folder"
    )
    reports_database_url: DatabaseUrl | None = Field(
        None, repr=False, description="A replica that reports read; unset: the main database"
    )
    data_dir: Path = Field(Path("data"), description="Folder of the embedded PostgreSQL and of secrets that were made")
    rules_dir: Path = Field(PROJECT / "routing_rules", description="Folder of the rulebook's YAML files")
    host: str = Field("127.0.0.1", description="Address that the API listens on")
    port: int = Field(8080, ge=1, le=65535, description="Port that the API listens on")
    public_url: Annotated[str, AfterValidator(lambda url: url.rstrip("/"))] = Field(
        default_factory=lambda known: f"http://{known.get('host')}:{known.get('port')}",
        description="Address under which customers and departments reach us, in links; unset: host and port",
    )

    # Secrets
    admin_token: SecretStr | None = Field(None, description="The first admin token; unset: one is made and shown once")
    secret_key: SecretStr | None = Field(
        None, description="Seals endpoint secrets at rest; unset: `secret.key` in the data folder, made at first start"
    )

    # Publishing and webhooks
    publish_url: str | None = Field(
        None, description="Where replies, surveys and statements are posted to be published"
    )
    publish_secret: SecretStr | None = Field(
        None,
        description="Signs what is posted there (`whsec_...`); unset: `publish.secret` in the data folder, made at"
        " first start",
    )
    webhook_allow_cidrs: Networks = Field((), description="Private networks that webhooks may reach, comma-separated")
    webhook_ports: Ports = Field(
        frozenset({80, 443, 8080, 8443}), description="Ports that webhooks may reach outside the allowed networks"
    )
    webhook_schedule: Schedule = Field(
        _split(_SCHEDULE), validate_default=True, description="Seconds before each attempt, comma-separated"
    )
    webhook_jitter: float = Field(
        0.2, ge=0, lt=1, description="Share by which a wait is lengthened or shortened at random"
    )
    webhook_deadline: Seconds = Field(timedelta(seconds=15), description="Total seconds that one attempt may take")
    webhook_lease: Lease = Field(
        timedelta(seconds=60),
        validate_default=True,
        description="Seconds a claimed delivery stays ours; at least twice the deadline",
    )
    webhook_per_endpoint: int = Field(8, ge=1, description="Deliveries in flight to one endpoint at a time")
    webhook_failing_from: int = Field(
        3, ge=1, description="Failed attempts in a row from which an endpoint counts as failing"
    )
    dispatch_batch: int = Field(64, ge=1, description="Deliveries claimed at once by one worker")

    # Second opinion on posts in triage
    llm_url: Annotated[str, AfterValidator(lambda url: url.rstrip("/"))] | None = Field(
        None, description="An OpenAI-compatible API, such as `https://llm.example/v1`; unset: nobody else is asked"
    )
    llm_model: str | None = Field(None, description="The model that is asked there; needed with `WEBCARE_LLM_URL`")
    llm_key: SecretStr | None = Field(None, description="The bearer token that is sent there, when it wants one")
    llm_calls_per_day: int = Field(1000, ge=0, description="Posts that are asked about at most, per day in UTC")
    llm_timeout: Seconds = Field(timedelta(seconds=15), description="Total seconds that one answer may take")
    llm_precision: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Proven precision from which an opinion routes by itself, such as 0.95; unset: opinions are"
        " suggestions only",
    )

    # Learning topics
    learn: bool = Field(True, description="Train the model of topics by itself when there is something to learn")
    learn_hour: int = Field(
        3,
        ge=0,
        le=23,
        description="The hour of each night from which enough new labels are learned, where webcare works",
    )
    learn_from: int = Field(25, ge=1, description="New labels that are enough to train again")

    # Limits
    pool_size: int = Field(8, ge=1, description="Database connections per process")
    api_statement_timeout: Seconds = Field(timedelta(seconds=5), description="Seconds an API statement may take")
    worker_statement_timeout: Seconds = Field(timedelta(seconds=30), description="Seconds a worker statement may take")
    lock_timeout: Seconds = Field(timedelta(seconds=2), description="Seconds a statement waits for a lock")
    poll_interval: Seconds = Field(timedelta(seconds=0.3), description="Seconds between looks at the timers, +/- 30 %")
    max_body_bytes: int = Field(8 * 2**20, ge=1024, description="Largest request body that is read")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe line that is logged"
    )

    @property
    def publish_secret_file(self) -> Path:
        """Holds the secret that signs what is published while `publish_secret` is unset; a channel adapter reads it."""
        return self.data_dir / "publish.secret"

    @property
    def second_opinion(self) -> Terms | None:
        """None: nobody else is asked."""
        if self.llm_url is None or self.llm_model is None:
            return None
        return Terms(
            self.llm_url, self.llm_model, self.llm_key, self.llm_calls_per_day, self.llm_timeout, self.llm_precision
        )

    @model_validator(mode="after")
    def _knows_whom_to_ask(self) -> Self:
        if self.llm_url is not None and self.llm_model is None:
            raise ValueError("WEBCARE_LLM_URL needs WEBCARE_LLM_MODEL, the model that is asked there")
        return self
