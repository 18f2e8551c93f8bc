"""Three topics of a small rulebook, and labels in words that no phrase of it knows: a model is trained in moments."""

from collections.abc import Callable
from datetime import datetime, timedelta

from app.runtime import Runtime
from app.topics.labels.labelling import Labelling, Source
from app.topics.versions.store import add_version, find_promotion
from app.topics.versions.version import Version
from tests.support.learned import model_of
from tests.support.rules import FILES, OWNERSHIP, TOPICS, loaded

NEW_WORDS = "De wifibol knippert paars, nummer"
TOPIC = "outage"

_MORE = """\
  outage:
    name: {nl: Storing, en: Outage}
    phrases:
      nl: [storing]
    examples:
      - {text: Er is weer storing in de wijk, lang: nl}
      - {text: Storing op het hele netwerk, lang: nl}
  abroad:
    name: {nl: Buitenland, en: Abroad}
    phrases:
      nl: [buitenland]
    examples:
      - {text: Bellen in het buitenland lukt niet, lang: nl}
      - {text: Wat kost internet in het buitenland, lang: nl}
"""
RULES = loaded(
    FILES
    | {
        "topics.yaml": TOPICS + _MORE,
        "ownership.yaml": OWNERSHIP.replace("topics: [invoice], dep", "topics: [invoice, outage, abroad], dep"),
    }
)


def labels(count: int, now: Callable[[], datetime], topic: str = TOPIC, words: str = NEW_WORDS) -> list[Labelling]:
    """So many labels of a topic, given a second from now: `words` and a number."""
    at = now() + timedelta(seconds=1)
    texts = (f"{words} {number}" for number in range(count))
    return [Labelling(topic, True, Source.IMPORT, "file:x.csv", at, text=text, language="nl") for text in texts]


async def kept(runtime: Runtime, *words: str, better: bool = True) -> Version:
    """A model that knows these words of one topic, kept without training: what is tested is what becomes of it."""
    model = model_of({TOPIC: words, "abroad": ["buitenland"]})
    worse = [] if better else [TOPIC]
    judged = {"right": 0, "wrong": 0, "triage": 0, "taken": 0}
    async with runtime.reading() as tx:
        standing = await find_promotion(tx)
    comparison = {
        "evidence": "unseen",
        "against": standing.model if standing else None,
        "posts": 0,
        "better": better,
        "worse": worse,
        "before": judged,
        "after": judged,
        "topics": {},
    }
    return await runtime.database.transact(
        lambda tx: add_version(
            tx,
            model.content,
            digest=model.digest,
            examples="",
            labels={"import": len(words)},
            taught_until=runtime.now(),
            comparison=comparison,
            actor="system",
            at=runtime.now(),
        )
    )
