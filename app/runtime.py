"""What a running process is made of, composed once: database, rulebook, clock, sender, keys.

Knows how the parts are put together from the settings, and how a flow becomes one transaction. Refuses to know what
any flow does.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Concatenate, ParamSpec, TypeVar

from pydantic import SecretStr

from app.delivery.sender import Sender
from app.delivery.signing import secret_from
from app.kit.clock import utc_now
from app.kit.db import Database, Reading, Transaction
from app.kit.http import Reach, guarded_client, plain_client
from app.kit.sealing import Sealer, load_or_make, new_key
from app.rulebook import Rulebook, load
from app.settings import Settings
from app.topics.model import Model

P = ParamSpec("P")
T = TypeVar("T")

LONGEST_OPINION = 64 * 1024  # bytes of an answer, around one word that counts


@dataclass(frozen=True, slots=True)
class Unit:
    """What a flow works with: one transaction, one moment, one version of the rules."""

    tx: Transaction
    now: datetime
    rulebook: Rulebook
    knobs: Settings


@dataclass(frozen=True, slots=True)
class Learned:
    """The model that reads topics beside the phrases, None before there is one.

    `number` is that of the model, `promotion` that of the promotion that was followed last. `refused` is the model
    that came into force then, if it could not be read: the one before goes on.
    """

    promotion: int | None = None
    number: int | None = None
    model: Model | None = None
    refused: int | None = None


class InForce:
    """The rules and the model that this process goes by. Who began with them finishes with them: a unit keeps its own.

    `number` is that of the rules in the database, None until the process looked. The rulebook always reads topics with
    the model: whichever of the two changes, `rulebook` is a new one.
    """

    def __init__(self, rulebook: Rulebook, number: int | None = None) -> None:
        self.rulebook = rulebook
        self.number = number
        self.learned = Learned()

    def put(self, rulebook: Rulebook, number: int) -> None:
        self.rulebook, self.number = self.taught(rulebook), number

    def learn(self, learned: Learned) -> None:
        self.learned = learned
        self.rulebook = self.taught(self.rulebook)

    def taught(self, rulebook: Rulebook) -> Rulebook:
        """These rules, with the model in force."""
        return rulebook.with_model(self.learned.model, self.learned.number)


@dataclass(frozen=True, slots=True)
class Runtime:
    """Shared by everything in one process. `now` gives aware UTC moments; tests pass a clock that stands still."""

    database: Database
    rules: InForce
    knobs: Settings
    sealer: Sealer
    sender: Sender  # to departments: only where the operator's rules of reach permit
    publisher: Sender  # to the channel adapter, whose address is the operator's own
    adviser: Sender  # to whoever gives second opinions, whose address is too
    now: Callable[[], datetime] = utc_now

    async def run(self, flow: Callable[Concatenate[Unit, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a flow as one transaction; a deadlock or lost connection repeats it whole, from a new moment."""
        return await self.database.transact(lambda tx: flow(self._unit(tx), *args, **kwargs))

    async def run_idempotent(
        self, flow: Callable[Concatenate[Unit, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Like `run`, for flows whose unique keys make them safe to repeat after a commit of unknown outcome."""
        return await self.database.transact(lambda tx: flow(self._unit(tx), *args, **kwargs), repeatable=True)

    @property
    def rulebook(self) -> Rulebook:
        """The version in force at this moment. Ask once and keep it where two answers must agree."""
        return self.rules.rulebook

    def reading(self, *, reports: bool = False) -> AbstractAsyncContextManager[Reading]:
        """A session that PostgreSQL itself holds read-only."""
        return self.database.reading(reports=reports)

    def _unit(self, tx: Transaction) -> Unit:
        return Unit(tx, self.now(), self.rulebook, self.knobs)


@asynccontextmanager
async def build_runtime(
    settings: Settings, *, database_url: str, statement_timeout: timedelta | None = None
) -> AsyncIterator[Runtime]:
    """The runtime of one process, closed at the end. Raises `RulebookInvalid`, `KeyUnusable`.

    `database_url` comes apart because the embedded server makes its own; `statement_timeout` defaults to the API's.
    """
    settings = _with_publish_secret(settings)
    given = settings.secret_key
    key = given.get_secret_value() if given else load_or_make(settings.data_dir / "secret.key", new_key)
    reach = Reach(settings.webhook_allow_cidrs, settings.webhook_ports)
    runtime = Runtime(
        database=Database(
            database_url,
            pool_size=settings.pool_size,
            statement_timeout=(statement_timeout or settings.api_statement_timeout).total_seconds(),
            lock_timeout=settings.lock_timeout.total_seconds(),
            reports_url=settings.reports_database_url,
        ),
        rules=InForce(load(settings.rules_dir)),
        knobs=settings,
        sealer=Sealer(key),
        sender=Sender(guarded_client(reach), deadline=settings.webhook_deadline),
        publisher=Sender(plain_client(kept=False), deadline=settings.webhook_deadline),
        adviser=Sender(plain_client(), deadline=settings.llm_timeout, kept=LONGEST_OPINION),
    )
    try:
        yield runtime
    finally:
        await runtime.sender.close()
        await runtime.publisher.close()
        await runtime.adviser.close()
        await runtime.database.close()


def _with_publish_secret(settings: Settings) -> Settings:
    """What is published is always signed: with a secret made at first use when none is set."""
    if settings.publish_url is None or settings.publish_secret is not None:
        return settings
    made = load_or_make(settings.publish_secret_file, lambda: secret_from(token_bytes(32)))
    return settings.model_copy(update={"publish_secret": SecretStr(made)})
