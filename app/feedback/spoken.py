"""A score that comes as a reply to the question instead of by its link: "8, snel geholpen".

Knows how people write a mark, in Dutch and English, and what only looks like one: days, dates, prices, orders. Refuses
to know whether there was a question. What is not certain is not read: a person looks at it, as at any reply.
"""

import re
from dataclasses import dataclass

from app.feedback.answering import MAX_COMMENT

_DUTCH = ("nul", "één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien")
_ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {word: n for words in (_DUTCH, _ENGLISH) for n, word in enumerate(words)}
_MARK = (
    r"(?P<mark>(?:10|\d)(?![\d\w/%°€$]|[.,:]\d)|(?:10|\d)(?=\s?/\s?10\b)|(?:\d[.,]5)(?!\d)"
    rf"|(?:{'|'.join(_NUMBERS)})\b)"
)
# What may stand behind a mark and is a part of it: of ten, points, a school's plus or minus.
_OF_TEN = (
    r"(?:\s?/\s?10\b(?![\d/-])|\s(?:uit|op|van) (?:de )?(?:10|tien)\b|\s(?:out )?of (?:10|ten)\b"
    r"|\s?[+-](?![\d\w])|\s(?:punten|points)\b)?"
)
_KIND = r"(?:hele )?(?:dikke?|mooie?|ruime?|vette?|kleine?|magere|royale|grote|solid|big|strong|clear|weak)"
_PRAISE = rf"(?: {_KIND})?"
_YOU = r"(?: (?:jullie|je|u|het|dit|hem|haar|you|it|this|them|him|her))?(?: guys)?"
# How a mark is introduced when it is surely one, wherever it stands in the text.
_SURE = (
    rf"(?:ik |we )?geef(?: ik)?{_YOU}(?: dan| graag| dus)?(?: een)?{_PRAISE}"
    rf"|(?:krijg(?:en|t)?|verdien(?:en|t)?)(?: jullie| je| u)?(?: van (?:mij|ons))? een{_PRAISE}"
    r"|(?:rapport)?(?:cijfer|beoordeling|score)(?: is| wordt)?:?(?: een)?"
    rf"|(?:give|rate|score){_YOU}(?: an?)?{_PRAISE}"
    r"|(?:score|rating|mark)(?: is)?:?(?: an?)?"
    rf"|(?:you|they) (?:get|deserve) an?{_PRAISE}"
)
# How a reply may begin with a mark without saying that it is one.
_SAYING = (
    r"(?:(?:van mij|wat mij betreft|voor (?:mij|jullie)|(?:dat|het|dit) is|toch(?: maar)?|doe maar|nou|dus|ik zeg"
    r"|ik zou zeggen|zeker|gewoon|i'd say|i would say|for me|definitely|easily|(?:it|that)'s)[,:]? )?"
)
_A = r"(?:een|'n|an?) "
_SOFT = rf"{_SAYING}(?:{_A})?(?:{_KIND} )?"
# What counts things: a number in front of it is no mark, however it was introduced.
_THINGS = (
    r"dag|dagen|uur|uren|week|weken|maand|maanden|jaar|jaren|jarig\w*|min|minuut|minuten|seconden?"
    r"|keer|maal|x|kans|kansen|ster|sterren|euro|eur|cent|procent|[gmt]b|[gm]bit|mbps|inch|cm|km|graden|streepjes?"
    r"|pers\w*|mensen|klanten|medewerkers|collega\w*|nummers?|sims?|simkaart\w*|pakket\w*"
    r"|days?|hours?|weeks?|months?|years?|minutes?|mins?|seconds?|times?|chances?|stars?|pounds?|dollars?|percent"
    r"|people|calls?|agents?"
    r"|januari|februari|maart|april|mei|juni|juli|augustus|oktober|january|february|march|may|june|july|august"
    r"|(?:sept|nov|dec)ember|october"
    r"|of (?:een )?\d|or (?:an? )?\d|à|a \d|tot \d|to \d|voor (?:\d|twaalf)|of the|van de"
)
# The reason, which may follow a mark that nothing introduced.
_REASON = (
    r"want|omdat|maar|vanwege|voor|door|dankzij|met|en|goed|snel|netjes|prima|top|super|keurig|fijn|vriendelijk"
    r"|helaas|jammer|bedankt|dank|van mij|waard|hoor|denk ik"
    r"|because|for|but|thanks|thank|great|good|fast|quick|friendly|sadly|due|from me"
)
_BOUNDARY = (
    r"(?=\s*$|\s*[,;!.…\n\u2013\u2014]|\s+-\s|:\s"  # nothing, or a pause
    r"|\s*[^\w\s,;.!?:/()%€$@#&*+='\"-]"  # a smiley
    rf"|\s+(?:{_REASON})\b(?!\s(?:een )?(?:\d|twaalf)))"
)

_OPENING = re.compile(rf"{_SOFT}{_MARK}{_OF_TEN}{_BOUNDARY}")
_STATED = re.compile(rf"(?<![\w'])(?:{_SURE})\s?{_MARK}{_OF_TEN}(?!\s?(?:(?:{_THINGS})\b|[/-]\s?\d|[x€%]))")
_GIVEN = re.compile(rf"(?<![\w']){_SOFT}{_MARK}{_OF_TEN} (?:gegeven|geven|geef ik)\b")
# A mark with which the reply ends, behind thanks: a sentence of its own, or "een 8" behind a comma. Not behind another
# number, nor behind an abbreviation ("nr. 8").
_ENDING = re.compile(
    rf"^\D*?(?:(?:[^\W\d]{{4}}\.|[!…\n]) ?{_SOFT}|[,;] {_SAYING}{_A}(?:{_KIND} )?)"
    rf"{_MARK}{_OF_TEN}(?:(?![€°½])[\s.!\x80-\U0010ffff])*$"
)
_NO_DATE = "".join(f"(?<!{word} )" for word in ("op", "van", "sinds", "tot", "vanaf", "on", "since", "from"))
_CLOSING = re.compile(rf"{_NO_DATE}(?<![\d/-])\b(?P<mark>10|\d)\s?/\s?10[\s.!]*$")
_DENIED = re.compile(r"\b(?:geen|niet|nooit|niks|not|never|no|can't|cannot|won't|bijna|almost)(?: \w+){0,2} ?$")
_LISTED = re.compile(r"(?:^|\s)2[.)]\s")
_THING = re.compile(rf"\s?(?:{_THINGS})\b")

_HANDLES = re.compile(r"^(?:@[\w.@-]+[\s:,]+)+")
_SPACES = re.compile(r"\s+")
_GAPS = re.compile(r"[^\S\n]+")
_KEYCAP = re.compile("(?<=\\d)\N{VARIATION SELECTOR-16}?\N{COMBINING ENCLOSING KEYCAP}")
# Signs that the reply wants something besides being counted.
_WANTS_MORE = re.compile(
    r"\?|\b(?:(?<!doe )(?<!toch )maar|alleen|nog steeds|nog niet|nog geen|werkt niet|doet het niet|klopt niet"
    r"|graag nog|but|however|still|not yet|doesn't work|does not work)\b"
)
_STOP = frozenset(
    {
        *("stop", "stop ermee", "stop hiermee", "stop met vragen"),
        *("afmelden", "meld mij af", "uitschrijven", "schrijf mij uit"),
        *("geen enquête meer", "geen enquete meer", "geen enquêtes meer", "geen enquetes meer"),
        *("geen vragenlijsten meer", "niet meer vragen", "vraag dit niet meer", "laat me met rust"),
        *("opt out", "optout", "unsubscribe", "stop asking"),
        *("no more surveys", "do not ask again", "don't ask again", "don't ask me again", "leave me alone"),
    }
)  # fmt: skip
_COURTESY = re.compile(r"\b(?:aub|alsjeblieft|alstublieft|svp|graag|please|nu|now)\b")
_LONGEST_STOP = 60


@dataclass(frozen=True, slots=True)
class Spoken:
    """A score from 0 to 10; `comment` is what else was said, None when nothing was. `wants_more`: it asks, or says that
    something is still not right, and needs a person as well.
    """

    score: int
    comment: str | None
    wants_more: bool


@dataclass(frozen=True, slots=True)
class Declined:
    """The person does not want to be asked."""


def read_reply(text: str) -> Spoken | Declined | None:
    """What a reply to the question says; None: it is no answer to it. Half a point counts as the whole one below."""
    typed = _KEYCAP.sub("", text.replace("\x00", "").replace("\N{KEYCAP TEN}", "10"))
    said = _HANDLES.sub("", _GAPS.sub(" ", typed).strip())
    plain = said.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if _declines(plain):
        return Declined()
    opening = _opening(plain)
    if opening is not None:
        # A letter may be longer when it is small, but none that a mark is written with.
        rest = said[opening.end() :].lstrip(" \t\n,;:.!…\u2013\u2014-").strip()
        return _spoken(opening["mark"], rest, plain)
    if len(said) > MAX_COMMENT:
        return None  # who writes so much has more to say than a mark, and each look costs
    found = [one for pattern in (_STATED, _GIVEN, _CLOSING, _ENDING) for one in pattern.finditer(plain)]
    stated = [one for one in found if _DENIED.search(plain, 0, one.start()) is None]
    if len({found["mark"] for found in stated}) != 1:
        return None
    return _spoken(stated[0]["mark"], said, plain)


def _opening(plain: str) -> re.Match[str] | None:
    """A mark with which the reply begins, as a mark would be read."""
    found = _OPENING.match(plain)
    if found is None or _THING.match(plain, found.end()) or _LISTED.search(plain, found.end()):
        return None
    return found


def _spoken(mark: str, comment: str, plain: str) -> Spoken:
    score = _NUMBERS[mark] if mark in _NUMBERS else int(re.split("[.,]", mark)[0])
    return Spoken(score, comment[:MAX_COMMENT].strip() or None, _WANTS_MORE.search(plain) is not None)


def _declines(plain: str) -> bool:
    if len(plain) > _LONGEST_STOP:
        return False
    words = _COURTESY.sub(" ", re.sub(r"[^\w\s']", " ", plain.replace("a.u.b.", "")))
    return _SPACES.sub(" ", words).strip() in _STOP
