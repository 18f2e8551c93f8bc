"""Denial: the part of a text of which its author says that it is not about that.

Knows the turns of phrase that deny a subject, in Dutch and English. Refuses to know topics, and to take a negation for
a denial: customers complain in negations ("not delivered", "geen internet").
"""

import re2

_OPENING = (
    r"niet (?:over|vanwege)|"
    r"ga+t (?:me |mij |het )*niet om|"
    r"(?:geen|zonder) (?:klacht|klachten|vraag|vragen|probleem|problemen) (?:over|met|bij)|"
    r"(?:niets|niks) (?:te maken|mis|aan de hand) met|"
    r"(?:not|isn'?t|wasn'?t|aren'?t) (?:[a-z]+ing )?(?:about|regarding|because of)|"
    r"no (?:complaint|problem|issue|question)s? (?:about|with|regarding)|"
    r"nothing (?:to do|wrong) with"
).replace(" ", " +")
_CONTRASTING = r"(?:niet|not) +(?:de|het|een|mijn|m'?n|jullie|om|the|my|your|an?)"

HINT = rf"\b(?:{_OPENING}|{_CONTRASTING})\b"
"""RE2 pattern of all texts in which something may be denied: cheap to look for among many others."""

_UNTIL_CLAUSE_ENDS = re2.compile(rf"\b(?:{_OPENING})\b([^.,]*?)(?:[.,]|\b(?:maar|but|wel)\b|$)".encode())
_UNTIL_CONTRAST = re2.compile(rf"\b{_CONTRASTING}\b((?: +[a-z0-9']+){{1,5}}?)[ ,]+(?:maar|but)\b".encode())


def denied(plain: bytes) -> list[tuple[int, int]]:
    """Return the denied spans of a folded text: what stands behind an opening, up to where the clause ends.

    "geen klacht over [de rekening]", "it's not about [my bill]", "niet de [bezorging] maar de factuur".
    """
    return [said.span(1) for opening in (_UNTIL_CLAUSE_ENDS, _UNTIL_CONTRAST) for said in opening.finditer(plain)]
