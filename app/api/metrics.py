"""What Prometheus is told about this process: requests by route and status, their duration, mentions by outcome.

Knows counters and how a request is named after its route. Refuses to know persons: no label ever holds a value that a
caller chose. What stands in the database is read when `/metrics` is asked for (health).
"""

import time
from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "webcare_http_requests", "Answered requests", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "webcare_http_request_seconds",
            "Seconds from the first byte read to the last byte answered",
            ("route",),
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self._mentions = Counter(
            "webcare_mentions", "Mentions taken in, by what became of them", ("outcome",), registry=self.registry
        )

    def count_mentions(self, outcomes: Iterable[str]) -> None:
        """`outcomes` of one list of mentions, one each; `refused` for those that were a problem."""
        for outcome, n in Tally(outcomes).items():
            self._mentions.labels(outcome).inc(n)


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
            self._metrics.requests.labels(method, route, status).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - began)


def route_of(scope: Scope) -> str:
    """The path template of the route that took the request; `unmatched` when none did."""
    return getattr(scope.get("route"), "path", "unmatched")
