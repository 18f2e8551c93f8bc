"""Searching: the same tickets in the same order, whichever way and in however many pages they are found."""

import pytest

from app.flows.receive import receive
from app.kit.db import Database, Reading
from app.runtime import Runtime
from app.search.question import read
from app.search.store import FIRST, LAST, Among, Bounds, Place, get_sought, list_matches
from tests.support.mentions import mention

WALKING = Bounds(near=10_000, found=0, far=0)
BY_INDEX = Bounds(near=1, found=10_000, far=0)
IN_STEPS = Bounds(near=1, found=0, far=3)
AS_EXPECTED = Bounds(near=14, found=0, far=1_000)
POSTS = [
    *(mention(f"Koelkast {n}", by=f"k{n}", conversation_id=f"k{n}") for n in range(12)),
    *(mention(f"Wasmachine {n}", by=f"w{n}", conversation_id=f"w{n}") for n in range(12)),
    *(mention(f"My fridge {n} is not delivered yet", by=f"e{n}", conversation_id=f"e{n}") for n in range(3)),
    *(mention("Nog steeds geen koelkast", by=f"k{n}", conversation_id=f"k{n}") for n in range(0, 12, 4)),
    *(mention(f"Droger {n}", by="koelkast_jan", conversation_id=f"j{n}") for n in range(3)),
    *(mention(f"Oven {n}", by=f"o{n}", conversation_id=f"o{n}") for n in range(12)),
]


@pytest.fixture
async def said(runtime: Runtime) -> Database:
    for post in POSTS:
        await receive(runtime, [post])
    return runtime.database


async def found(tx: Reading, typed: str, among: Among, bounds: Bounds, limit: int) -> list[object]:
    sought = await get_sought(tx, read(typed))
    tickets: list[object] = []
    place: Place | None = Place(LAST, LAST, LAST)
    while place is not None:
        page = await list_matches(tx, sought, among, limit=limit, before=place, bounds=bounds)
        assert len(page.matches) <= limit
        tickets += [match.ticket_id for match in page.matches]
        assert page.after is None or (page.after.match_id, page.after.ticket_id) < (place.match_id, place.ticket_id)
        place = page.after
    return tickets


@pytest.mark.parametrize(("typed", "count"), [("koelkast", 15), ("fridge delivered", 3), ("@koelkast", 3), ("7", 3)])
async def test_every_way_finds_the_same(said: Database, typed: str, count: int) -> None:
    async with said.reading() as tx:
        expected = await found(tx, typed, Among(), Bounds(), 100)
        assert len(set(expected)) == len(expected) == count
        for bounds in (WALKING, BY_INDEX, IN_STEPS, AS_EXPECTED):
            for limit in (1, 4, 100):
                assert await found(tx, typed, Among(), bounds, limit) == expected


@pytest.mark.parametrize("bounds", [WALKING, BY_INDEX, IN_STEPS, AS_EXPECTED])
async def test_filters_and_periods_hold_on_every_way(said: Database, bounds: Bounds) -> None:
    async with said.reading() as tx:
        assert await found(tx, "koelkast", Among(state=("closed",)), bounds, 5) == []
        assert await found(tx, "koelkast", Among(within="nobody"), bounds, 5) == []
        everything = await found(tx, "koelkast", Among(channel=("x", "forum")), bounds, 5)
        assert everything == await found(tx, "koelkast", Among(), Bounds(), 100)


def test_a_walk_goes_as_far_as_a_page_is_to_be_expected() -> None:
    bounds = Bounds(near=3_000, far=30_000)
    assert bounds.enough(25, limit=50) == 9_000
    assert bounds.enough(7, limit=50) > bounds.far
    assert bounds.enough(0, limit=50) > bounds.far


async def test_a_search_that_may_not_go_on_tells_where_it_stopped(said: Database) -> None:
    """Twelve posts about ovens came last: the first steps pass nothing but those."""
    async with said.reading() as tx:
        sought = await get_sought(tx, read("wasmachine"))
        page = await list_matches(tx, sought, Among(), limit=5, before=Place(LAST, LAST, LAST), bounds=IN_STEPS)
        assert page.matches == ()
        assert page.after is not None
        assert FIRST < page.after.match_id < LAST


@pytest.mark.parametrize(("found", "walks"), [(2, True), (3, False)])
async def test_a_phrase_costs_the_texts_that_hold_its_words(said: Database, found: int, walks: bool) -> None:
    """Three posts say "steeds" and "koelkast", none in this order: each would have to be read to tell."""
    bounds = Bounds(near=1, found=found, far=1)
    async with said.reading() as tx:
        sought = await get_sought(tx, read('"koelkast steeds"'))
        page = await list_matches(tx, sought, Among(), limit=5, before=Place(LAST, LAST, LAST), bounds=bounds)
        assert page.matches == ()
        assert (page.after is not None) == walks
