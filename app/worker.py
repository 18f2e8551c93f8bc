"""What happens because time passes: an alarm clock that calls flows.

Knows how often each chore looks at its timers. Refuses to remember anything: what is due stands in the database, so
any number of workers may run and each may die at any moment.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from app.flows.admit import forget_answers
from app.flows.consult import consult
from app.flows.dispatch import dispatch
from app.flows.draft import forget_drafts
from app.flows.drift import mind_drift
from app.flows.follow_up import tell_overdue
from app.flows.hold import follow_embargoes
from app.flows.learn import learn_by_itself
from app.flows.outage import follow_channels
from app.flows.propose import propose
from app.flows.push import forget_calls
from app.flows.rollout import mind_gates
from app.flows.spikes import watch_volumes
from app.flows.state import say_statements
from app.flows.survey import send_due
from app.flows.tally import tally
from app.flows.teach import weigh_lessons
from app.flows.watch import pass_time, tell, watch
from app.kit import logs
from app.runtime import Runtime

JITTER = 0.3  # share of the interval by which workers are kept from looking in step
FINISH = timedelta(seconds=20)  # longer than a send takes by default; what is left has a lease that runs out


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to look after every so often. `act` returns how much it did, at most `batch`."""

    name: str
    every: timedelta
    batch: int
    act: Callable[[int], Awaitable[int]]
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> None:
        """Act, at once again after a full batch. A failure is logged and ends this look only."""
        async with self._busy:
            try:
                while not self.ending.is_set() and await self.act(self.batch) >= self.batch:
                    pass
            except Exception as error:  # noqa: BLE001 - the alarm clock goes on whatever a chore meets
                logs.failure("chore.failed", error, chore=self.name)

    async def finish(self) -> None:
        """Start nothing more, and wait for what runs."""
        self.ending.set()
        await self._busy.acquire()


def chores(runtime: Runtime) -> tuple[Chore, ...]:
    knobs = runtime.knobs
    ending = asyncio.Event()
    send = partial(dispatch, runtime, ending=ending)
    leaving = asyncio.Event()
    learn = partial(learn_by_itself, runtime)
    return (
        Chore("dispatch", knobs.poll_interval, knobs.dispatch_batch, send, ending),
        Chore("watch", knobs.poll_interval, 200, lambda limit: runtime.run(watch, limit)),
        Chore("tell", knobs.poll_interval, 200, lambda limit: runtime.run(tell, limit)),
        Chore("follow_channels", timedelta(seconds=2), 200, lambda limit: runtime.run(follow_channels, limit)),
        Chore("pass_time", timedelta(seconds=5), 200, lambda limit: runtime.run(pass_time, limit)),
        Chore("embargoes", timedelta(seconds=5), 200, lambda limit: runtime.run(follow_embargoes, limit)),
        Chore("volumes", timedelta(seconds=10), sys.maxsize, lambda _: runtime.run(watch_volumes)),
        Chore("statements", timedelta(seconds=5), 50, lambda limit: runtime.run(say_statements, limit)),
        Chore("survey", timedelta(seconds=5), 100, lambda limit: runtime.run(send_due, limit)),
        Chore("consult", timedelta(seconds=1), 4, lambda limit: consult(runtime, limit)),
        Chore("tally", timedelta(seconds=1), 3000, lambda limit: runtime.run(tally, limit)),
        Chore("lessons", timedelta(seconds=20), sys.maxsize, lambda _: runtime.run(weigh_lessons)),
        Chore("follow_ups", timedelta(seconds=5), 100, lambda limit: runtime.run(tell_overdue, limit)),
        Chore("drift", timedelta(minutes=30), sys.maxsize, lambda _: mind_drift(runtime, runtime.now())),
        Chore("proposals", timedelta(minutes=30), sys.maxsize, lambda _: propose(runtime, runtime.now())),
        Chore("learn", timedelta(seconds=5), sys.maxsize, lambda _: learn(runtime.now(), leaving), leaving),
        Chore("gates", timedelta(hours=1), sys.maxsize, lambda _: mind_gates(runtime, runtime.now())),
        Chore("forget_answers", timedelta(hours=1), sys.maxsize, lambda _: runtime.run(forget_answers)),
        Chore("forget_drafts", timedelta(hours=1), sys.maxsize, lambda _: runtime.run(forget_drafts)),
        Chore("forget_calls", timedelta(minutes=10), sys.maxsize, lambda _: runtime.run(forget_calls)),
    )


async def work(chores: tuple[Chore, ...], stop: asyncio.Event) -> None:
    """Look after the chores until `stop` is set; then start nothing more and let what runs finish."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    for chore in chores:
        seconds = chore.every.total_seconds()
        trigger = IntervalTrigger(seconds=seconds, jitter=JITTER * seconds, timezone="UTC")
        scheduler.add_job(chore.look, trigger, coalesce=True, max_instances=1, misfire_grace_time=None)
    scheduler.start()
    await stop.wait()
    scheduler.pause()
    try:
        async with asyncio.timeout(FINISH.total_seconds()):
            await asyncio.gather(*(chore.finish() for chore in chores))
    except TimeoutError:
        logs.transition("worker.left_unfinished")
    scheduler.shutdown(wait=False)
