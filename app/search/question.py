"""What somebody typed to find a ticket: words, a person's name, or a number.

Knows how it is read. Refuses to know stems, stop words and SQL.
"""

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"(#?)([0-9]{1,18})")
_TERM = re.compile(r'-?"[^"]*"?|\S+')
_JOINT = re.compile(r"(?<=\w)[-/](?=\w)")
_WORD = re.compile(r"\w+")
_SHORTEST_NAME = 2  # letters: one would be the beginning of every tenth name
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Question:
    """What may match; a ticket is found when any of them does.

    `words` as web search engines read them: all must be there, "in this order" in quotes, `-without`, this `or` that.
    `name` in the form of PostgreSQL's `to_tsquery`: the last of the words may be a beginning. `number` is a ticket's.
    """

    words: str | None = None
    name: str | None = None
    number: int | None = None


def read(typed: str) -> Question:
    """`#1042` is a ticket and `@jan` a person; what may be several things is looked for as all of them."""
    typed = typed.strip()
    if numbered := _NUMBER.fullmatch(typed):
        number = int(numbered[2])
        return Question(number=number) if numbered[1] else Question(words=typed, number=number)
    if typed.startswith("@"):
        return Question(name=_name(typed))
    return Question(words=" ".join(_apart(term) for term in _TERM.findall(typed)), name=_name(typed))


def _apart(term: str) -> str:
    """Words that a sign joins are kept as words of their own, so `PM-2026-123` is looked for as they stand together."""
    sign, said = ("-", term[1:]) if term.startswith("-") else ("", term)
    apart = _JOINT.sub(" ", said)
    return f'{sign}"{apart}"' if apart != said and not said.startswith('"') else sign + apart


def _name(typed: str) -> str | None:
    names = _WORD.findall(typed)
    if '"' in typed or " -" in f" {typed}" or not 0 < len(names) <= _MOST_NAMES or len(names[-1]) < _SHORTEST_NAME:
        return None
    return " & ".join(f"'{name}'" for name in names) + ":*"
