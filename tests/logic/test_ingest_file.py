"""Files of posts: rows and their places, columns and their meaning, dates, chunks. All of it from bytes in memory."""

import io
import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli.ingest.chunks import Rejected, chunks
from app.cli.ingest.moments import read_moment
from app.cli.ingest.plan import Plan, PlanIncomplete, Wrong, make_plan
from app.cli.ingest.posting import Poster, ServiceRefused, ServiceUnreachable
from app.cli.ingest.reading import LONGEST_LINE, Place, Read, Row, Unreadable, read_csv, read_header, read_json

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


def csv_rows(content: bytes, place: Place = Place(), encoding: str = "utf-8") -> list[Read]:  # noqa: B008 - frozen
    file = io.BytesIO(content)
    return list(read_csv(file, read_header(file, encoding), place, encoding))


def json_rows(content: bytes) -> list[Read]:
    return list(read_json(io.BytesIO(content), Place(), "utf-8"))


def plan_of(*columns: str, constants: dict[str, str] | None = None, **said: Any) -> Plan:
    given = {"mapped": {}, "only": {}, **said}
    return make_plan(columns, constants=constants or {}, now=NOW, **given)


def told(rows: list[Read]) -> list[tuple[int, Any]]:
    return [(row.line, row.values if isinstance(row, Row) else row.reason) for row in rows]


def test_csv_rows_know_their_line_whatever_stands_in_quotes() -> None:
    rows = csv_rows(b'id;text\r\n1;"two\r\nlines; and a ""quote"""\r\n\r\n2;last')
    assert told(rows) == [(2, {"id": "1", "text": 'two\r\nlines; and a "quote"'}), (5, {"id": "2", "text": "last"})]


def test_csv_in_the_encoding_of_a_spreadsheet() -> None:
    assert csv_rows(b"\xef\xbb\xbftext,id\nhoi,1\n") == [Row(2, {"text": "hoi", "id": "1"}, Place(17, 2))]
    assert told(csv_rows("text\ncaf\u00e9\n".encode("cp1252"), encoding="cp1252")) == [(2, {"text": "caf\u00e9"})]


def test_a_csv_line_that_is_wrong_takes_no_other_with_it() -> None:
    content = b'text,id\ngood,1\na "quote",2\n"odd"quote,3\ntoo,many,4\nb\xffd,5\n"open,6\ngood,7\n'
    assert told(csv_rows(content)) == [
        (2, {"text": "good", "id": "1"}),
        (3, {"text": 'a "quote"', "id": "2"}),
        (4, "',' expected after '\"'"),
        (5, "3 columns where the first line names 2"),
        (6, "not utf-8: byte 2 of the line is 0xff"),
        (7, "a quote that is not closed"),
        (8, {"text": "good", "id": "7"}),
    ]


def test_json_lines_are_flattened_and_fail_alone() -> None:
    content = b'{"text": "hoi", "user": {"name": {"first": "Jan"}}}\n\n{"text": \n[1]\n{"text": "doei"}'
    assert told(json_rows(content)) == [
        (1, {"text": "hoi", "user.name.first": "Jan"}),
        (3, "not JSON: Expecting value at character 1"),
        (4, "the line is no JSON object"),
        (5, {"text": "doei"}),
    ]


def test_depth_and_length_are_bounded() -> None:
    deep = b"[" * 100_000
    long = b'{"text": "' + b"x" * LONGEST_LINE + b'"}'
    reasons = [
        row.reason for row in json_rows(deep + b"\n" + long + b'\n{"text": "hoi"}') if isinstance(row, Unreadable)
    ]
    assert reasons == ["nested too deeply", "the line is longer than 8 MB"]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8)


@settings(max_examples=50)
@given(st.lists(st.tuples(CELLS.filter(bool), CELLS), max_size=6))
def test_reading_goes_on_at_any_place_as_if_it_had_not_stopped(cells: list[tuple[str, str]]) -> None:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in cells]
    content = "\n".join(["text,id", *quoted]).encode()
    rows = csv_rows(content)
    assert [tuple(row.values.values()) for row in rows if isinstance(row, Row)] == cells
    for count, row in enumerate(rows, start=1):
        assert csv_rows(content, row.end) == rows[count:]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2017-10-31T22:10:47Z", datetime(2017, 10, 31, 22, 10, 47, tzinfo=UTC)),
        ("2015-02-24 11:15:59 -0800", datetime(2015, 2, 24, 19, 15, 59, tzinfo=UTC)),
        ("Tue Oct 31 22:10:47 +0000 2017", datetime(2017, 10, 31, 22, 10, 47, tzinfo=UTC)),
        ("Tue, 31 Oct 2017 22:10:47 +0200", datetime(2017, 10, 31, 20, 10, 47, tzinfo=UTC)),
        ("1509487847", datetime(2017, 10, 31, 22, 10, 47, tzinfo=UTC)),
        ("1509487847000", datetime(2017, 10, 31, 22, 10, 47, tzinfo=UTC)),
        ("2017-10-31", datetime(2017, 10, 30, 23, tzinfo=UTC)),
        ("2017-07-31 12:00", datetime(2017, 7, 31, 10, tzinfo=UTC)),
    ],
)
def test_moments_as_exports_write_them(written: str, expected: datetime) -> None:
    assert read_moment(written, zone=ZoneInfo("Europe/Amsterdam")) == expected


def test_a_format_of_the_callers_own_settles_what_is_ambiguous() -> None:
    assert read_moment("04-05-17", date_format="%d-%m-%y") == datetime(2017, 5, 4, tzinfo=UTC)
    with pytest.raises(ValueError, match=r"'gisteren' is no moment that is known here.*--date-format"):
        read_moment("gisteren")


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-01:00"])
def test_what_some_databases_write_for_no_date_is_no_moment(written: str) -> None:
    with pytest.raises(ValueError, match="before or after all years"):
        read_moment(written, zone=ZoneInfo("Europe/Amsterdam"))


def test_usual_columns_are_recognised() -> None:
    plan = plan_of("Tweet ID", "author_id", "created_at", "full-text", "in_response_to_tweet_id", "airline")
    assert plan.columns == {
        "external_id": "Tweet ID",
        "text": "full-text",
        "posted_at": "created_at",
        "author.external_id": "author_id",
        "parent_id": "in_response_to_tweet_id",
    }
    assert plan.constants == {"channel": "import"}


def test_what_is_said_wins_and_no_column_is_used_twice() -> None:
    plan = plan_of("text", "body", "date", "user", mapped={"text": "body", "author.display_name": "user"})
    assert plan.columns == {"text": "body", "author.display_name": "user", "posted_at": "date"}


def test_a_row_becomes_a_mention() -> None:
    columns = ("id", "text", "date", "followers", "stars", "verified", "user", "likes")
    plan = plan_of(*columns, constants={"channel": "x"}, mapped={"metrics.likes": "likes"}, imported=False)
    values = dict(zip(columns, ("849.0", "hoi", "2017-10-31", "12.0", "4.5", "ja", "jan", "7"), strict=True))
    assert plan.understand(values) == {
        "channel": "x",
        "external_id": "849",
        "text": "hoi",
        "posted_at": "2017-10-31T00:00:00Z",
        "rating": 4.5,
        "author": {"handle": "jan", "followers": 12, "verified": True},
        "metrics": {"likes": 7},
    }


def test_a_constant_fills_what_a_mapped_column_leaves_empty() -> None:
    plan = plan_of("text", "at", mapped={"posted_at": "at"}, constants={"posted_at": "now"})
    moments = [plan.understand({"text": "hoi", "at": at}) for at in ("2017-10-31", None, "")]
    assert [said["posted_at"] for said in moments if isinstance(said, dict)] == [
        "2017-10-31T00:00:00Z",
        "2026-11-18T09:00:00Z",
        "2026-11-18T09:00:00Z",
    ]


def test_a_row_without_an_id_has_the_same_one_each_time() -> None:
    plan = plan_of("text", "date")
    first, again, other = (
        plan.understand(row)
        for row in (
            {"text": "hoi", "date": "2017-10-31"},
            {"date": "2017-10-31", "text": "hoi"},
            {"text": "hoi", "date": "2017-11-01"},
        )
    )
    assert isinstance(first, dict)
    assert isinstance(other, dict)
    assert first == again
    assert first["external_id"] != other["external_id"]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"text": ""}, Wrong("text", "the row has none")),
        ({"followers": "many"}, Wrong("author.followers", "'many' is no number")),
        ({"followers": "1.5"}, Wrong("author.followers", "'1.5' is no whole number")),
        ({"followers": "1e999"}, Wrong("author.followers", "'1e999' is no number")),
        ({"verified": "perhaps"}, Wrong("author.verified", "'perhaps' is neither true nor false")),
    ],
)
def test_a_row_that_makes_no_mention_says_which_field_and_why(values: dict[str, str], wrong: Wrong) -> None:
    plan = plan_of("text", "date", "followers", "verified")
    assert plan.understand({"text": "hoi", "date": "2017-10-31", **values}) == wrong


@pytest.mark.parametrize(
    ("columns", "said", "message"),
    [
        (("text",), {}, "No column looks like posted_at.*--map posted_at=COLUMN"),
        (("a", "date"), {"mapped": {"text": "b"}}, "no column 'b'. It has a, date"),
        (("text", "date"), {"only": {"inbound": "True"}}, "no column 'inbound'"),
        (("text", "date"), {"constants": {"chanel": "x"}}, "no field 'chanel'"),
    ],
)
def test_words_that_fit_no_column_or_field_are_refused(
    columns: tuple[str, ...], said: dict[str, Any], message: str
) -> None:
    with pytest.raises(PlanIncomplete, match=message):
        plan_of(*columns, **said)


def test_chunks_count_everything_once() -> None:
    content = b"text,date,in\na,2017-10-31,1\nb,2017-10-31,0\nc,,1\nd,2017-10-31,1\ne,2017-10-31,1\nf\n"
    made = list(chunks(csv_rows(content), plan_of("text", "date", "in", only={"in": "1"}), 2))
    assert [(chunk.read, chunk.skipped, chunk.lines, chunk.end.line) for chunk in made] == [
        (4, 1, [2, 5], 5),
        (2, 0, [6], 7),
    ]
    assert [one for chunk in made for one in chunk.rejected] == [
        Rejected(4, "posted_at", "the row has none"),
        Rejected(7, "", "1 columns where the first line names 3"),
    ]


def test_a_chunk_closes_on_bytes_and_on_rows_that_are_not_sent() -> None:
    plan = plan_of("text", "date", only={"date": "2017-10-31"})
    long = [Row(n, {"text": "x" * 2**20, "date": "2017-10-31"}, Place(n, n)) for n in range(9)]
    other = [Row(n, {"text": "hoi", "date": ""}, Place(n, n)) for n in range(5001)]
    assert [len(chunk.bodies) for chunk in chunks(long, plan, 500)] == [4, 4, 1]
    assert [chunk.skipped for chunk in chunks(other, plan, 500)] == [5000, 1]


def poster(*answers: httpx.Response | Exception, patience: float = 10) -> tuple[Poster, list[bytes], list[float]]:
    """A poster whose service gives these answers, what it was sent, and the waits in between."""
    given = iter(answers)
    sent: list[bytes] = []
    waits: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        now = next(given)
        if isinstance(now, Exception):
            raise now
        return now

    client = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://webcare.test")
    return Poster(client, patience=patience, tell=lambda _: None, wait=waits.append), sent, waits


def taken(count: int) -> httpx.Response:
    return httpx.Response(200, json={"items": [{"outcome": "opened"}] * count})


def test_what_passes_by_itself_is_waited_for() -> None:
    busy = httpx.Response(503, headers={"Retry-After": "3"})
    service, sent, waits = poster(httpx.ConnectError("refused"), busy, taken(1))
    assert service.post(["{}"]) == [{"outcome": "opened"}]
    assert sent == [b'{"mentions":[{}]}'] * 3
    assert waits == [0.5, 3]


def test_patience_ends() -> None:
    service, _, waits = poster(*[httpx.ConnectError("refused")] * 9, patience=4)
    with pytest.raises(ServiceUnreachable, match=r"cannot be reached .refused.*run the same command to go on"):
        service.post(["{}"])
    assert waits == [0.5, 1, 2]


@pytest.mark.parametrize(
    ("status", "way_out"), [(401, "WEBCARE_TOKEN"), (403, "not yours"), (404, "--url"), (422, "not yours")]
)
def test_what_will_not_pass_stops_at_once(status: int, way_out: str) -> None:
    service, sent, _ = poster(httpx.Response(status, json={"detail": "not yours"}))
    with pytest.raises(ServiceRefused, match=way_out):
        service.post(["{}"])
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("status", "told"), [(520, "520: *$"), (200, "200: OK There is no webcare.*--url"), (301, "301")]
)
def test_what_no_webcare_answers_is_told_as_it_came(status: int, told: str) -> None:
    service, _, _ = poster(httpx.Response(status, text="<html>"))
    with pytest.raises(ServiceRefused, match=told):
        service.post(["{}"])


def test_a_line_that_a_proxy_finds_too_large_is_rejected_alone() -> None:
    service, _, _ = poster(httpx.Response(413, text="<html>"))
    assert service.post(["{}"]) == [{"detail": "Request Entity Too Large"}]


def test_a_body_that_is_too_large_is_halved_until_it_fits() -> None:
    problem = {"code": "payload_too_large", "detail": "too large"}
    large = httpx.Response(413, json=problem)
    service, sent, _ = poster(large, taken(1), large, large, taken(1))
    assert service.post(["1", "2", "3"]) == [{"outcome": "opened"}, problem, {"outcome": "opened"}]
    assert [json.loads(body)["mentions"] for body in sent] == [[1, 2, 3], [1], [2, 3], [2], [3]]
