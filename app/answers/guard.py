"""Personal data in a text that everybody is going to read.

Knows the forms of account, citizen and telephone numbers, addresses and e-mail, with their check digits, and the
company's own numbers by rule. Refuses to know who may say such a thing all the same.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import phonenumbers
import re2
from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, PhoneNumberType
from stdnum import iban
from stdnum.nl import bsn

from app.kit.errors import Invalid, Refused

LINK = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)

_BLANK = "\x00"  # in place of what was found or read already: no later look finds a part of it
_MASK = "\N{BULLET}"
_SHOWN = 2  # characters at each end of a finding that are shown again

_EMAIL = re.compile(r"(?<![\w@.])[\w.+%-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24}\b", re.IGNORECASE)
_IBAN_BEGINS = re.compile(r"\b[a-z]{2}[ .-]?\d{2}(?=[ .-]?[a-z0-9])", re.IGNORECASE)
_IBAN_LENGTHS = range(15, 35)  # ISO 13616: the shortest in use has 15 characters, the longest may have 34
_IBAN_REACH = 70  # characters of text: twice the longest, for whatever stands between its parts
_BSN = re.compile(r"(?<![\w.,/-])(?:\d{9}|\d{3}([ .])\d{3}\1\d{3}|\d{4}([ .])\d{2}\2\d{3})(?![\w/-]|[.,]\d)")
# A postcode alone is a street; with the number of a house, in front of it or behind, it is somebody's.
_POSTCODE = r"(?:[1-9]\d{3} [A-Z]{2}|[1-9]\d{3}[A-Za-z]{2})\b"
_HOUSE = r"(?!(?:19|20)\d\d\b)\d{1,5}(?:[ -]?[A-Za-z]{1,2})?(?:[/-]\w{1,4})?"
_ADDRESS = re.compile(
    rf"(?<!\w){_HOUSE}[,;\s]{{1,3}}{_POSTCODE}|\b{_POSTCODE}[,;:\s]{{1,3}}(?:(?:huis)?n(?:umme)?r\.? ?)?{_HOUSE}\b"
)
_AMOUNT_OF_DATA = re.compile(r"(?:\d\d00|1024|2048|4096|8192) ?(?:[KMGT]B|ms)\b", re.IGNORECASE)
# Of people. What the others call for is a company: free and paid lines, and numbers for whole organisations.
_OF_PEOPLE = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.PERSONAL_NUMBER,
    }
)


class PersonalDataFound(Refused):
    """A public reply shows personal data; `findings` lists each."""


class PatternUnusable(Invalid):
    """A pattern of the rules is none, or would find nothing at all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something personal at [start, end) of a text, in characters.

    `id` names the same thing wherever it is found and however it is written; `excerpt` shows its ends only.
    """

    id: str
    kind: str
    excerpt: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    plain: str  # the thing itself, written in one way


class Guard:
    """Finds personal data. Built once, then shared by all threads."""

    def __init__(self, region: str, numbers: Mapping[str, Sequence[str]], own: Iterable[str]) -> None:
        """`region` (ISO 3166) is where a telephone number without a country is from. `numbers` holds, by kind, the RE2
        patterns of the company's own numbers; with a group, the group is what is found. `own` are texts whose data is
        the company's, and found nowhere. Raises `PatternUnusable`.
        """
        self._looks: list[tuple[str, Callable[[str], Iterator[_Hit]]]] = [
            ("iban", _ibans),
            ("email", _emails),
            *((kind, _by_pattern(pattern)) for kind, patterns in numbers.items() for pattern in patterns),
            ("phone", lambda text: _phones(text, region)),
            ("address", _addresses),
            ("bsn", _bsns),
        ]
        self._own: frozenset[str] = frozenset()
        self._own = frozenset(finding.id for text in own for finding in self.find(text))

    def find(self, text: str) -> tuple[Finding, ...]:
        """What is personal in a text, in the order in which it stands there. No two findings overlap."""
        found = []
        left = text
        for kind, look in self._looks:
            for hit in look(left):
                left = left[: hit.start] + _BLANK * (hit.end - hit.start) + left[hit.end :]
                found.append(_finding(kind, hit, text))
        return tuple(sorted((one for one in found if one.id not in self._own), key=lambda one: one.start))

    def mask(self, text: str) -> str:
        """The text with the kind of each finding in its place: `[phone]`."""
        for one in reversed(self.find(text)):
            text = f"{text[: one.start]}[{one.kind}]{text[one.end :]}"
        return text


def check_public(found: Sequence[Finding], confirmed: Iterable[str], *, field: str) -> None:
    """Raise `PersonalDataFound` for what of `field` is not `confirmed`, by its kind or its id."""
    accepted = frozenset(confirmed)
    left = [one for one in found if accepted.isdisjoint({one.kind, one.id})]
    if left:
        listed = ", ".join(dict.fromkeys(f"{one.kind.replace('_', ' ')} {one.excerpt}" for one in left))
        raise PersonalDataFound(
            f"Everybody would read this: {listed}. Leave it out, say it in private, or `confirm` its kind or id.",
            field=field,
            findings=[
                {"id": one.id, "kind": one.kind, "excerpt": one.excerpt, "start": one.start, "end": one.end}
                for one in left
            ],
        )


def _finding(kind: str, hit: _Hit, text: str) -> Finding:
    name = hashlib.blake2b(hit.plain.encode(), digest_size=4).hexdigest()
    return Finding(f"{kind}-{name}", kind, _masked(text[hit.start : hit.end]), hit.start, hit.end)


def _masked(found: str) -> str:
    inner = range(_SHOWN, len(found) - _SHOWN)
    return "".join(_MASK if place in inner and one.isalnum() else one for place, one in enumerate(found))


def _ibans(text: str) -> Iterator[_Hit]:
    """By its country's length and structure and the check digits of ISO 13616, however it is spaced."""
    for begin in _IBAN_BEGINS.finditer(text):
        within = range(begin.start(), min(begin.start() + _IBAN_REACH, len(text)))
        places = [place for place in within if text[place].isalnum()]
        ends = (places[length - 1] + 1 for length in _IBAN_LENGTHS if length <= len(places))
        for end in ends:
            if text[end : end + 1].isalnum():
                continue  # in the middle of a word
            plain = "".join(filter(str.isalnum, text[begin.start() : end])).upper()
            if _adds_up(plain) and iban.is_valid(plain, check_country=False):
                yield _Hit(begin.start(), end, plain)
                break


def _adds_up(plain: str) -> bool:
    """The check of ISO 7064, mod 97-10. Of 97 others 96 fail it, and need not be looked up by country."""
    turned = plain[4:] + plain[:4]
    return turned.isascii() and int("".join(str(int(one, 36)) for one in turned)) % 97 == 1


def _emails(text: str) -> Iterator[_Hit]:
    for match in _EMAIL.finditer(text):
        yield _Hit(match.start(), match.end(), match[0].casefold())


def _phones(text: str, region: str) -> Iterator[_Hit]:
    """Numbers that are given out in their country (libphonenumber); digits in links are nobody's."""
    for match in PhoneNumberMatcher(_without_links(text), region, leniency=Leniency.VALID):
        if phonenumbers.number_type(match.number) in _OF_PEOPLE:
            plain = phonenumbers.format_number(match.number, PhoneNumberFormat.E164)
            yield _Hit(match.start, match.end, plain)


def _bsns(text: str) -> Iterator[_Hit]:
    """Nine digits that pass the citizen number's eleven-test; one in eleven of other numbers does as well."""
    for match in _BSN.finditer(_without_links(text)):
        plain = bsn.compact(match[0])
        if bsn.is_valid(plain):
            yield _Hit(match.start(), match.end(), plain)


def _addresses(text: str) -> Iterator[_Hit]:
    for match in _ADDRESS.finditer(_AMOUNT_OF_DATA.sub(_blanked, text)):
        yield _Hit(match.start(), match.end(), re.sub(r"\W", "", match[0]).upper())


def _by_pattern(pattern: str) -> Callable[[str], Iterator[_Hit]]:
    try:
        compiled = re2.compile(pattern)
    except re2.error as error:
        raise PatternUnusable(f"'{pattern}' is no pattern: {error}") from error
    if compiled.search(""):
        raise PatternUnusable(f"'{pattern}' finds something in an empty text")
    group = 1 if compiled.groups else 0

    def look(text: str) -> Iterator[_Hit]:
        for match in compiled.finditer(text):
            start, end = match.span(group)
            yield _Hit(start, end, re.sub(r"\W", "", match[group]).upper())

    return look


def _without_links(text: str) -> str:
    return LINK.sub(_blanked, text)


def _blanked(match: re.Match[str]) -> str:
    return _BLANK * len(match[0])
