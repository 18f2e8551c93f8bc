"""What is computed by a process of its own comes back, or is told as failed."""

from datetime import timedelta

import pytest

from app.kit.apart import compute
from app.kit.errors import Unavailable

ENOUGH = timedelta(minutes=5)
GROUPING = "app.topics.proposals.client"


class Failed(Unavailable):
    """Of these tests."""


async def test_the_answer_of_the_other_process_comes_back() -> None:
    assert await compute(GROUPING, b"[]", ENOUGH, Failed) == b"[]"


async def test_a_process_that_dies_is_told_with_its_error_and_no_word_of_the_task() -> None:
    with pytest.raises(Failed, match=f"{GROUPING} ended with code 1: orjson.JSONDecodeError") as raised:
        await compute(GROUPING, b"Jan de Vries", ENOUGH, Failed)
    assert "Jan" not in raised.value.message


async def test_of_an_error_of_several_lines_no_word_of_the_task_is_told() -> None:
    with pytest.raises(Failed, match="code ended with code 1: no word") as raised:
        await compute("code", b"raise SystemExit('Wrong\\nJan de Vries: 0612345678')", ENOUGH, Failed)
    assert "Jan" not in raised.value.message


async def test_a_process_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(Failed, match="took longer than 0:00:00"):
        await compute(GROUPING, b"[]", timedelta(0), Failed)
