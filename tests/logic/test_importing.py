"""Files of labelled texts: which column is what, and which line makes a label."""

import pytest

from app.cli.ingest.reading import Place, Read, Row, Unreadable
from app.cli.topics.importing import LONGEST, ColumnsUnclear, Labelled, Rejected, find_columns, read_labels

TOPICS = {"roaming", "coverage"}
COLUMNS = {"text": "text", "topic": "topic", "lang": "lang"}


def row(line: int, **values: object) -> Row:
    return Row(line, values, Place())


def made(*rows: Read, renamed: dict[str, str] | None = None) -> list[Labelled | Rejected]:
    return list(read_labels(rows, COLUMNS, renamed or {}, TOPICS))


def test_usual_names_are_recognised_and_what_is_said_wins() -> None:
    there = ("Body", "category", "label", "taal")
    assert find_columns(there, {}) == {"text": "Body", "topic": "label", "lang": "taal"}
    assert find_columns(there, {"topic": "category"})["topic"] == "category"


@pytest.mark.parametrize(
    ("there", "mapped", "told"),
    [
        (("text",), {}, "--map topic=COLUMN"),
        (("text", "topic"), {"topic": "onderwerp"}, "no column 'onderwerp'"),
        (("text", "topic"), {"author": "text"}, "no field 'author'"),
    ],
)
def test_columns_that_make_no_labels_are_told_with_the_way_out(
    there: tuple[str, ...], mapped: dict[str, str], told: str
) -> None:
    with pytest.raises(ColumnsUnclear, match=told):
        find_columns(there, mapped)


def test_each_line_is_a_label_or_tells_why_it_is_none() -> None:
    rows: list[Read] = [
        row(2, text=" Bellen in Spanje ", topic="roaming", lang="nl"),
        row(3, text="", topic="roaming"),
        row(4, text="Hoi", topic=""),
        row(5, text="Hoi", topic="weather"),
        row(6, text="a\0b", topic="roaming"),
        row(7, text="\ud83d", topic="roaming"),
        row(8, text="a" * (LONGEST + 1), topic="roaming"),
        Unreadable(9, "a quote that is not closed", Place()),
        row(10, text=12, topic="coverage", lang=None),
    ]
    labels = [one for one in made(*rows) if isinstance(one, Labelled)]
    rejected = {one.line: one.reason for one in made(*rows) if isinstance(one, Rejected)}
    assert labels == [Labelled(2, "Bellen in Spanje", "roaming", "nl"), Labelled(10, "12", "coverage", None)]
    assert rejected.keys() == {3, 4, 5, 6, 7, 8, 9}
    assert "there is no topic 'weather'" in rejected[5]


def test_topics_of_another_program_get_our_names() -> None:
    (label,) = made(row(2, text="Bellen in Spanje", topic="abroad"), renamed={"abroad": "roaming"})
    assert isinstance(label, Labelled)
    assert label.topic == "roaming"
