"""What somebody typed, as it is looked for."""

import pytest

from app.search.question import Question, read


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("#1042", Question(number=1042)),
        (" 1042 ", Question(words="1042", number=1042)),
        ("@Sanne_K", Question(name="'Sanne_K':*")),
        ("sanne", Question(words="sanne", name="'sanne':*")),
        ("sanne de vr", Question(words="sanne de vr", name="'sanne' & 'de' & 'vr':*")),
        ("o'neill", Question(words="o'neill", name="'o' & 'neill':*")),
        ('"niet ontvangen" -pakket', Question(words='"niet ontvangen" -pakket')),
        ("pakket or factuur", Question(words="pakket or factuur", name="'pakket' & 'or' & 'factuur':*")),
        ("waar blijft mijn pakket uit Utrecht", Question(words="waar blijft mijn pakket uit Utrecht")),
        ("x", Question(words="x")),
        ("!?", Question(words="!?")),
    ],
)
def test_it_may_be_words_or_a_name_or_a_number(typed: str, question: Question) -> None:
    assert read(typed) == question


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("PM-2026-12345", '"PM 2026 12345"'),
        ("order 4711/22", 'order "4711 22"'),
        ("+31612345678", "+31612345678"),
        ("pakket -sim-only", 'pakket -"sim only"'),
        ('"sim-only thuis" nu', '"sim only thuis" nu'),
        ('"zonder einde', '"zonder einde'),
        ("- - -", "- - -"),
    ],
)
def test_words_that_a_sign_joins_are_looked_for_as_they_stand_together(typed: str, words: str) -> None:
    assert read(typed).words == words


@pytest.mark.parametrize("typed", ["'; DROP TABLE ticket; --", "a & b | !c", "\\'", "foo:* <-> bar", "@" * 50])
def test_a_name_holds_nothing_but_words_in_quotes(typed: str) -> None:
    name = read(typed).name
    terms = [] if name is None else name.removesuffix(":*").split(" & ")
    assert all(term == f"'{term[1:-1]}'" and term[1:-1].replace("_", "a").isalnum() for term in terms)
