"""Reports as tables: the same figures for programs and for a Dutch spreadsheet, and nothing that runs."""

import codecs
import csv
import io

import httpx
import pytest
from pydantic import TypeAdapter

from app.api.reports.answering import Figure
from app.api.reports.table import DUTCH, PLAIN, Spelling, write
from app.flows.tally import tally
from app.runtime import Runtime
from tests.support.callers import token_for

HOURS = [("00", "+02:00"), ("01", "+02:00"), ("02", "+02:00"), ("02", "+01:00"), ("03", "+01:00")]


@pytest.mark.parametrize(("spelling", "truth"), [(PLAIN, "false,true,"), (DUTCH, "ONWAAR;WAAR;")])
def test_what_is_so_and_what_is_not_are_said_as_a_reader_of_the_table_knows_them(
    spelling: Spelling, truth: str
) -> None:
    assert write(["a", "b", "c"], [[False, True, None]], spelling).splitlines()[1] == truth


@pytest.mark.parametrize(("spelling", "share"), [(PLAIN, "0.8889"), (DUTCH, "0,8889")])
def test_numbers_stay_numbers_and_texts_stay_texts(spelling: Spelling, share: str) -> None:
    said = ["a;b,c", '=HYPERLINK("https://evil.test")', "-1", "\N{EURO SIGN}"]
    table = write(["share", "n", "of"], [[0.8889, -3, text] for text in [*said, None]], spelling)
    header, *lines = csv.reader(io.StringIO(table.removeprefix(spelling.mark)), delimiter=spelling.separator)
    assert header == ["share", "n", "of"]
    assert [line[:2] for line in lines] == [[share, "-3"]] * 5
    assert [line[2] for line in lines] == [said[0], f"'{said[1]}", "'-1", said[3], ""]


async def test_who_asks_for_dutch_gets_what_a_dutch_spreadsheet_opens(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    headers = await token_for(runtime, "manager") | {"Accept-Language": "nl"}
    plain = await client.get("/api/v1/reports/volume?format=csv", headers=headers)
    dutch = await client.get("/api/v1/reports/volume?format=csv&lang=nl", headers=headers)
    assert plain.content == b"mentions,opened,replied,resolved,reopened\r\n0,0,0,0,0\r\n"
    assert dutch.content == codecs.BOM_UTF8 + plain.content.replace(b",", b";")


@pytest.mark.parametrize(
    ("interval", "lang", "steps"),
    [
        ("day", "nl", ["2026-10-25", "2026-10-26"]),
        ("month", "nl", ["2026-10-01"]),
        ("day", "en", ["2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"]),
        ("hour", "nl", [f"2026-10-25T{hour}:00:00{offset}" for hour, offset in HOURS]),
    ],
)
async def test_days_are_dates_to_a_dutch_spreadsheet_and_hours_keep_their_offset(
    client: httpx.AsyncClient, runtime: Runtime, interval: str, lang: str, steps: list[str]
) -> None:
    await runtime.run(tally, 1)
    asked = {"from": "2026-10-25", "to": "2026-10-27", "interval": interval, "format": "csv", "lang": lang}
    answer = await client.get("/api/v1/reports/volume", params=asked, headers=await token_for(runtime, "manager"))
    separator = ";" if lang == "nl" else ","
    assert [line.partition(separator)[0] for line in answer.text.splitlines()[1:]][: len(steps)] == steps


def test_what_is_rounded_to_nothing_has_no_sign() -> None:
    assert str(TypeAdapter(Figure).validate_python(-0.00001)) == "0.0"
