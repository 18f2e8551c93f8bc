"""What a model sees of a text."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.topics.grams import GRAMS, count_grams

TEXTS = st.lists(st.text(st.characters(exclude_categories=[]), max_size=40), max_size=6)


def spelled(text: str) -> Counter[tuple[str, str]]:
    """The definition, letter by letter."""
    words = text.split()
    found = Counter(("word", word) for word in words)
    found.update(("pair", f"{one} {two}") for one, two in pairwise(words))
    for length in (2, 3, 4, 5):
        for word in words:
            padded = f" {word} "
            found.update(("letters", padded[i : i + length]) for i in range(len(padded) - length + 1))
    return found


def profile(text: str) -> list[int]:
    return sorted(count_grams([text]).times.tolist())


@given(TEXTS)
def test_grams_are_words_pairs_and_runs_of_letters(texts: list[str]) -> None:
    counted = count_grams(texts)
    for place, text in enumerate(texts):
        assert counted.times[counted.text == place].sum() == spelled(text).total()


@pytest.mark.parametrize(
    "text", ["waar blijft mijn pakket", "nee nee nee", "a", "oooo", "\u0645\u0631\u062d\u0628\u0627 abc"]
)
def test_each_gram_is_counted_as_often_as_it_stands(text: str) -> None:
    assert profile(text) == sorted(spelled(text).values())


@given(TEXTS)
def test_a_text_has_the_same_grams_alone_as_among_others(texts: list[str]) -> None:
    together = count_grams(texts)
    for place, text in enumerate(texts):
        alone, mine = count_grams([text]), together.text == place
        assert np.array_equal(together.gram[mine], alone.gram)
        assert np.array_equal(together.times[mine], alone.times)


def test_grams_are_the_same_in_every_process_and_on_every_machine() -> None:
    """A model in the database was learned from these very numbers."""
    counted = count_grams(["waar is hij"])
    assert counted.gram.tolist() == sorted(counted.gram.tolist())
    assert (len(counted.gram), int(counted.gram.sum()), counted.gram[:3].tolist()) == (
        35,
        32335346,
        [19153, 24726, 59121],
    )
    assert counted.gram.max() < GRAMS


@pytest.mark.parametrize("text", ["", "   ", "\u200b", "\n\t", "\ud800", "x" * 8_000])
def test_no_text_raises(text: str) -> None:
    assert count_grams([text, "abc"]).texts == 2
