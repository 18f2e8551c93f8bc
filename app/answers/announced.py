"""Names that the words before them announce: `mevrouw Jansen`, `mijn naam is Piet de Vries`, `groetjes, Sanne`.

Knows these words in Dutch and English, and how a name is written. Refuses to know names: no list holds those of all
customers, and half of those that it holds are words (Vis, Bakker, Will). So a capital alone is none either.

What it does not find: names that nothing announces, that are written without a capital or all in capitals, and those of
scripts without capitals.
"""

import re

BETWEEN = frozenset(
    ("van", "von", "de", "der", "den", "te", "ten", "ter", "het", "la", "le", "el", "al", "bin", "ben", "di")
)
"""Words within names that are words of a language elsewhere."""

_TITLE = (
    *("meneer", "mijnheer", "mevrouw", r"mevr\.?", r"mw\.?", r"dhr\.?", "heer", "familie", r"fam\.?"),
    *("mister", "miss", r"mrs?\.?", "(?:naam|name)(?: is)?:?", "naam van", "name of", "spreekt? met", r"t\.?n\.?v\.?"),
)
_WHO = (
    "mijn (?:man|vrouw|vriend(?:in)?|partner|zoon|dochter|vader|moeder|broer|zus|oma|opa|buur(?:man|vrouw))",
    "my (?:husband|wife|boyfriend|girlfriend|partner|son|daughter|father|mother|dad|mom|mum|brother|sister|neighbou?r)",
    *("collega", "medewerker", "medewerkster", "monteur", "bezorger", "chauffeur"),
    *("colleague", "agent", "technician", "engineer", "courier", "driver"),
    *("ik ben", "ik heet", "i am", r"i['\u2019]m", "genaamd", "called"),
)
_CLOSING = ("groet(?:en|jes)?", "mvg", "gr", "regards", "cheers")
_GREETING = ("hoi", "hallo", "dag", "beste", "geachte", "hi", "hello", "hey", "dear")

_LATIN = [chr(code) for code in range(0x250)]
_CAPITAL, _SMALL = (f"[{''.join(filter(kind, _LATIN))}]" for kind in (str.isupper, str.islower))
_LETTER = r"[^\W\d_]"
_INITIALS = rf"(?:{_CAPITAL}\.)+"
_WORD = rf"{_CAPITAL}(?:['\u2019]{_CAPITAL})?{_LETTER}{{0,30}}?{_SMALL}{_LETTER}*(?:-{_CAPITAL}{_LETTER}*)?"
_LINKS = rf"(?:(?:{'|'.join(sorted(BETWEEN))}) )*"
_MORE = rf"(?: {_LINKS}(?:{_INITIALS}|{_WORD})){{0,3}}"
_NAME = rf"(?:{_INITIALS}|{_WORD}){_MORE}"
_ANNOUNCED = (
    re.compile(rf"\b(?i:{'|'.join(_TITLE)}) ({_LINKS}{_NAME})"),
    re.compile(rf"\b(?i:{'|'.join(_WHO)}) ({_NAME})"),  # what "mijn zoon de" goes on with is no name
    re.compile(rf"\b(?i:{'|'.join(_CLOSING)})\b[\s,.!:]{{1,4}}({_LINKS}{_NAME})"),
    re.compile(rf"(?:^|[.!?\n] ?)(?i:{'|'.join(_GREETING)}),? ({_NAME}) ?(?:[,.!?\n]|$)"),
)


def announced(text: str) -> set[str]:
    """The names in a text, as they stand there."""
    return {name for look in _ANNOUNCED for name in look.findall(text)}
