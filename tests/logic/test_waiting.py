"""Where the customer's waiting time goes."""

from app.reports.waiting import Held, split
from app.tickets.custody import Holder


def test_the_customers_own_time_is_no_waiting() -> None:
    parts = split({Holder.WEBCARE: (2, 300.0), Holder.CUSTOMER: (1, 600.0), Holder.DEPARTMENT: (1, 100.0)})
    assert parts[Holder.WEBCARE] == Held(2, 300.0, 0.3, 0.75)
    assert parts[Holder.DEPARTMENT] == Held(1, 100.0, 0.1, 0.25)
    assert parts[Holder.CUSTOMER] == Held(1, 600.0, 0.6, None)
    assert parts[Holder.PR] == Held(0, 0.0, 0.0, 0.0)


def test_no_time_has_no_shares() -> None:
    assert {(part.n, part.seconds, part.share, part.waiting_share) for part in split({}).values()} == {
        (0, 0.0, None, None)
    }
