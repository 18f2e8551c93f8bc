"""What Prometheus is told about this process: requests by route and status, their duration, mentions by outcome.

Knows counters and how a request is named after its route. Refuses to know persons: no label ever holds a value that a
caller chose. What stands in the database is read when `/metrics` is asked for (health).
"""

import math
import time
from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.backlog import CAP, Backlog

REFUSED = "refused"  # the outcome of a mention that was a problem
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "webcare_http_requests", "Answered requests", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "webcare_http_request_seconds",
            "Seconds from the first byte read to the last byte answered",
            ("route",),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # looked up for every request
        self._mentions = Counter(
            "webcare_mentions", "Mentions taken in, by what became of them", ("outcome",), registry=self._registry
        )
        self._signatures = Counter(
            "webcare_signatures_refused",
            "Pushed calls that were signed wrongly, too late or twice",
            registry=self._registry,
        )
        capped = f"counted up to {CAP}"
        self._reachable = Gauge("webcare_database_up", "1 when the database answered", registry=self._registry)
        self._readable = Gauge(
            "webcare_reports_database_up", "1 when the database that reports read answered", registry=self._registry
        )
        self._tickets = Gauge("webcare_tickets", f"Unresolved tickets, {capped}", ("state",), registry=self._registry)
        self._overdue = Gauge(
            "webcare_tickets_overdue", f"Tickets past a promise to the customer, {capped}", registry=self._registry
        )
        self._deliveries = Gauge(
            "webcare_deliveries_open", f"Deliveries that are not done, {capped}", registry=self._registry
        )
        self._dead = Gauge(
            "webcare_deliveries_dead",
            f"Deliveries that were given up and not tried again, {capped}",
            registry=self._registry,
        )
        self._replies = Gauge(
            "webcare_replies_waiting", f"Replies that wait for a person, {capped}", ("state",), registry=self._registry
        )
        self._alarms = Gauge(
            "webcare_topics_drifting", "Alarms on topics that suddenly grew or soured", registry=self._registry
        )
        self._endpoints = Gauge("webcare_endpoints", "Endpoints of departments", ("state",), registry=self._registry)
        self._uncounted = Gauge(
            "webcare_reports_uncounted_seconds",
            "Since when the first event stands that reports have not counted",
            registry=self._registry,
        )
        self._late = Gauge(
            "webcare_delivery_late_seconds", "Since when the longest waiting one is due", registry=self._registry
        )

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        counted = self._counted.get((method, route, status))
        if counted is None:
            counted = self._requests.labels(method, route, status), self._seconds.labels(route)
            self._counted[method, route, status] = counted
        requests, durations = counted
        requests.inc()
        durations.observe(seconds)

    def count_refused_signature(self) -> None:
        self._signatures.inc()

    def count_mentions(self, outcomes: Iterable[str]) -> None:
        """`outcomes` of one list of mentions, one each."""
        for outcome, n in Tally(outcomes).items():
            self._mentions.labels(outcome).inc(n)

    def tell(self, backlog: Backlog | None, *, reports: bool) -> bytes:
        """Everything in Prometheus' text format 0.0.4. `backlog` None: the database could not be asked; `reports`: the
        one that reports read could.

        Without a backlog figures that were true at an earlier moment are not told again.
        """
        self._reachable.set(backlog is not None)
        self._readable.set(reports)
        self._tickets.clear()
        self._endpoints.clear()
        self._replies.clear()
        if backlog is None:
            for figure in (self._overdue, self._deliveries, self._dead, self._late, self._alarms, self._uncounted):
                figure.set(math.nan)
        else:
            for state, n in backlog.tickets.items():
                self._tickets.labels(state).set(n)
            self._overdue.set(backlog.overdue)
            self._deliveries.set(backlog.deliveries)
            self._dead.set(backlog.receivers.dead)
            for fate, n in backlog.replies.items():
                self._replies.labels(fate).set(n)
            for health, n in backlog.receivers.endpoints.items():
                self._endpoints.labels(health).set(n)
            self._late.set(backlog.late_seconds)
            self._alarms.set(backlog.alarms)
            self._uncounted.set(backlog.uncounted_seconds)
        return generate_latest(self._registry)


class Measured:
    """ASGI middleware that counts each answer and how long it took."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0  # stays so when the caller went away before an answer

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, noting)
        finally:
            route = route_of(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.count_request(method, route, status, time.perf_counter() - began)


def route_of(scope: Scope) -> str:
    """The path template of the route that took the request; `unmatched` when none did."""
    return getattr(scope.get("route"), "path", "unmatched")
