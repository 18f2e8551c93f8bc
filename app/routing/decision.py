"""Where a mention goes and why: topic and owner, stage and arm, priority and tags, each with its reason.

Knows routes, risk and reach, and how a decision reads as a record and in words. Refuses to know how a topic or a
phrase was found (topics), how a ticket is moved, and what any of it does to a clock.

Three things decide, in this order:

1. The topic's ownership gives department, stage and arm. No topic, no department: the ticket waits in triage.
2. The first route that matches may give another department and stage, and gives priority and tags.
3. Risk words and reach may raise the priority. Nothing lowers it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.mentions.mention import plain_handle
from app.routing.ownership import Arm, Department, Owned, Owning, Stage, find
from app.routing.secondary import Secondary, of_another
from app.tickets.hand_over import FallBack
from app.topics.classify import confidence
from app.topics.hearing import NOTHING_HEARD, Heard
from app.topics.weigh import Classification, Estimate, Evidence, Verdict, sentences

TRIAGE = "triage"
FALL_BACK = FallBack(undelivered=timedelta(minutes=30), unaccepted=timedelta(hours=8))  # where the rules say nothing


class Priority(StrEnum):
    """Most urgent first: the order of definition is the order of the queue."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


_DECIDED_BY = {
    Verdict.MODEL: ", decided by the model",
    Verdict.AGREED: ", phrases and model agree",
    Verdict.OVERRULED: ", decided by the model against the phrases",
}
_RANK = {priority: rank for rank, priority in enumerate(Priority)}


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a route; all that are given must hold, and None asks nothing.

    `accounts` are plain handles of our own profiles; of `words` any one will do.
    """

    topics: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    accounts: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    languages: frozenset[str] | None = None
    visibility: str | None = None
    followers_min: int | None = None
    verified: bool | None = None
    words: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Then:
    """What a route gives. `department` and `stage` come together and replace what ownership says."""

    department: str | None = None
    stage: Stage | None = None
    priority: Priority | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    name: str
    when: When
    then: Then


@dataclass(frozen=True, slots=True)
class Risk:
    """Language that asks for care: any of `words` raises to `priority` and tags the ticket with `name`."""

    name: str
    words: tuple[str, ...]
    priority: Priority


@dataclass(frozen=True, slots=True)
class Reach:
    """An author with at least `followers` raises to `priority`."""

    followers: int
    priority: Priority


@dataclass(frozen=True, slots=True)
class Heeded:
    """What follows from a tone: from so much care on, lowest first, it raises to a priority; all of them tag."""

    tone: str
    name: Mapping[str, str]
    levels: tuple[tuple[float, Priority | None], ...]
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    risks: tuple[Risk, ...] = ()
    reach: tuple[Reach, ...] = ()
    tones: tuple[Heeded, ...] = ()


@dataclass(frozen=True, slots=True)
class Routing:
    """All that `decide` goes by. `departments` by slug."""

    routes: tuple[Route, ...]
    ownerships: tuple[Owning, ...]
    departments: Mapping[str, Department]
    escalation: Escalation = field(default_factory=Escalation)
    fall_back: FallBack = FALL_BACK


@dataclass(frozen=True, slots=True)
class Subject:
    """One mention as routing sees it. `account` is our profile that it is about; `visibility` is public or private.

    `heard` has the phrases of routes and risks found in the text, and its tones.
    """

    ticket_id: UUID
    channel: str
    account: str | None
    kind: str
    language: str | None
    followers: int | None
    verified: bool
    visibility: str
    classification: Classification
    heard: Heard = NOTHING_HEARD


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of the thinking. `text` is a plain sentence for an agent, `facts` the same as JSON-ready data."""

    code: str
    text: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a ticket is where it is. `topic` and `department` None: triage. `verdict` None: no text was classified.

    `rule` names what placed the ticket: `triage`, `ownership: TOPIC on CHANNEL`, or `route: NAME` when a route gave
    the department. `digest` is of the rulebook. `considered` holds (topic, score), best first.
    """

    topic: str | None
    confidence: float
    department: str | None
    stage: Stage | None
    arm: Arm | None
    priority: Priority
    tags: tuple[str, ...]
    rule: str
    digest: str
    evidence: tuple[Evidence, ...]
    considered: tuple[tuple[str, float], ...]
    reasons: tuple[Reason, ...]
    estimate: Estimate | None = None
    verdict: Verdict | None = None
    secondary: tuple[Secondary, ...] = ()


_Raise = tuple[Priority | None, str | None, Reason]


def decide(subject: Subject, rules: Routing, digest: str) -> Decision:
    """Place one mention. Raises `Unowned` for a topic that the rulebook does not know."""
    reasons = list(_reasons_of_topic(subject.classification))
    route = next((route for route in rules.routes if _matches(route.when, subject)), None)
    then = Then() if route is None else route.then
    if route is not None:
        reasons.append(_reason_of_route(route, subject))
    owned = _owner(subject, rules.ownerships, route)
    if owned is not None:
        reasons.append(_reason_of_owner(owned, rules.departments[owned.department]))
    said = subject.classification
    others = [part for part in said.parts if owned is not None and part.topic != said.topic]
    secondary = tuple(
        of_another(part, find(rules.ownerships, part.topic, subject.channel, subject.ticket_id), owned)
        for part in others
    )
    reasons += [_reason_of_part(one, rules.departments[one.department]) for one in secondary]
    raises = tuple(_raises(subject, rules.escalation))
    reasons += [reason for _, _, reason in raises]
    asked = [then.priority or Priority.NORMAL, *(priority for priority, _, _ in raises if priority is not None)]
    tags = (*then.tags, *(tag for _, tag, _ in raises if tag is not None))
    return Decision(
        topic=subject.classification.topic,
        confidence=subject.classification.confidence,
        department=owned.department if owned else None,
        stage=owned.stage if owned else None,
        arm=owned.arm if owned else None,
        priority=most_urgent(asked),
        tags=tuple(dict.fromkeys(tags)),
        rule=owned.rule if owned else TRIAGE,
        digest=digest,
        evidence=subject.classification.evidence,
        considered=subject.classification.considered,
        reasons=tuple(reasons),
        estimate=subject.classification.estimate,
        verdict=subject.classification.verdict,
        secondary=secondary,
    )


def most_urgent(priorities: Iterable[str]) -> Priority:
    return min(map(Priority, priorities), key=_RANK.__getitem__)


def care(heard: Heard, rules: Escalation) -> tuple[tuple[Priority, ...], tuple[str, ...]]:
    """The priorities that risk words and tones ask for, and the tags they give, where a later post holds them."""
    told = [(priority, tag) for priority, tag, _ in (*_risks(heard, rules), *_tones(heard, rules))]
    return tuple(priority for priority, _ in told if priority), tuple(tag for _, tag in told if tag)


def as_record(decision: Decision) -> dict[str, Any]:
    """The decision as JSON-ready data: what a decision record stores and what the API shows."""
    return {
        "topic": decision.topic,
        "confidence": decision.confidence,
        "department": decision.department,
        "stage": decision.stage,
        "arm": decision.arm,
        "priority": decision.priority,
        "tags": list(decision.tags),
        "rule": decision.rule,
        "digest": decision.digest,
        "evidence": [_evidence_facts(evidence) for evidence in decision.evidence],
        "considered": [{"topic": topic, "score": score} for topic, score in decision.considered],
        "model": decision.estimate and _estimate_facts(decision.estimate),
        "verdict": decision.verdict,
        "secondary": [asdict(one) for one in decision.secondary],
        "reasons": [{"code": reason.code, "text": reason.text, "facts": reason.facts} for reason in decision.reasons],
    }


def in_words(record: Mapping[str, Any]) -> list[str]:
    """What a stored record says to a person: its reasons in order, then what placed it, one sentence each."""
    sentences = [str(reason["text"]) for reason in record["reasons"]]
    return [*sentences, f"placed by {record['rule'].removeprefix('by ')}, rulebook {record['digest']}"]


def _owner(subject: Subject, ownerships: Iterable[Owning], route: Route | None) -> Owned | None:
    topic = subject.classification.topic
    if topic is None:
        return None
    if route is not None and route.then.department is not None and route.then.stage is not None:
        return Owned(route.then.department, route.then.stage, None, f"route: {route.name}")
    return find(ownerships, topic, subject.channel, subject.ticket_id)


def _matches(when: When, subject: Subject) -> bool:
    return (
        _among(subject.classification.topic, when.topics)
        and _among(subject.channel, when.channels)
        and _among(plain_handle(subject.account), when.accounts)
        and _among(subject.kind, when.kinds)
        and _among(subject.language, when.languages)
        and when.visibility in (None, subject.visibility)
        and (when.followers_min is None or (subject.followers or 0) >= when.followers_min)
        and when.verified in (None, subject.verified)
        and (when.words is None or any(phrase in subject.heard.words for phrase in when.words))
    )


def _among(value: str | None, allowed: frozenset[str] | None) -> bool:
    return allowed is None or value in allowed


def _raises(subject: Subject, escalation: Escalation) -> Iterable[_Raise]:
    """Each (priority, tag, reason) by which risk, tones and reach raise the subject."""
    yield from _risks(subject.heard, escalation)
    yield from _tones(subject.heard, escalation)
    followers = subject.followers or 0
    passed = [reach for reach in escalation.reach if followers >= reach.followers]
    if passed:
        reach = max(passed, key=lambda reach: reach.followers)
        text = f"{followers} followers, from {reach.followers} on priority is at least {reach.priority}"
        passing = {"followers": followers, "from": reach.followers, "priority": reach.priority}
        yield reach.priority, None, Reason("reach", text, passing)


def _risks(heard: Heard, escalation: Escalation) -> Iterable[_Raise]:
    for risk in escalation.risks:
        phrase = next((phrase for phrase in risk.words if phrase in heard.words), None)
        if phrase is not None:
            found = heard.words[phrase]
            text = f"risk '{risk.name}': phrase '{phrase}' found: '{found}'; priority at least {risk.priority}"
            facts = {"risk": risk.name, "phrase": phrase, "found": found, "priority": risk.priority}
            yield risk.priority, risk.name, Reason("risk", text, facts)


def _tones(heard: Heard, escalation: Escalation) -> Iterable[_Raise]:
    """Each tone of which words were found, also where nothing follows from it: then it only explains."""
    for heeded in escalation.tones:
        tone = heard.tones.get(heeded.tone)
        if tone is None:
            continue
        reached = [priority for at, priority in heeded.levels if tone.care >= at]
        asked = [priority for priority in reached if priority is not None]
        priority = most_urgent(asked) if asked else None
        words = ", ".join(map(str, tone.hits))
        follows = f"; priority at least {priority}" if priority else ""
        text = f"{heeded.name['en']}: {words}; together {tone.score:+g}{follows}"
        facts = {"tone": heeded.tone, "score": tone.score, "words": [asdict(hit) for hit in tone.hits]}
        yield priority, heeded.tag if reached else None, Reason("tone", text, {**facts, "priority": priority})


def _reasons_of_topic(classification: Classification) -> Iterable[Reason]:
    for evidence in classification.evidence:
        verdict = "speaks for" if evidence.weight > 0 else "speaks against"
        text = f"phrase '{evidence.phrase}' found: '{evidence.found}', {verdict} {evidence.topic}"
        yield Reason("phrase", text, _evidence_facts(evidence))
    for code, text in sentences(classification):
        assert classification.estimate is not None
        yield Reason(code, text, _estimate_facts(classification.estimate))
    facts: dict[str, Any] = {"topic": classification.topic, "confidence": classification.confidence}
    if classification.topic is None:
        yield Reason("no_topic", f"no topic is sure enough: {_nearest(classification)}", facts)
    else:
        text = f"topic {classification.topic}, confidence {classification.confidence:.2f}"
        yield Reason("topic", text + _DECIDED_BY.get(classification.verdict, ""), facts)
    if classification.verdict is Verdict.PARTS:
        first = classification.parts[0]
        text = f"'{first.text}' is plainly about {first.topic}: undecided as a whole, the post goes by its first part"
        yield Reason("first_part", text, asdict(first))


def _nearest(classification: Classification) -> str:
    """How near the phrases came, in what topics need: a confidence, which a score is not."""
    if classification.verdict in (Verdict.CONTRADICTED, Verdict.OPPOSED):
        return "phrases and model contradict each other"
    if not classification.considered:
        return "no phrase was found"
    (topic, score), *others = classification.considered
    sure = confidence(score, others[0][1] if others else 0.0)
    return f"best by phrases is {topic}, confidence {sure:.2f}"


def _reason_of_route(route: Route, subject: Subject) -> Reason:
    words = subject.heard.words
    found = {phrase: words[phrase] for phrase in route.when.words or () if phrase in words}
    because = "".join(f", phrase '{phrase}' found: '{said}'" for phrase, said in found.items())
    priority = f"; priority {route.then.priority}" if route.then.priority else ""
    tags = f"; tags {', '.join(route.then.tags)}" if route.then.tags else ""
    facts = {"route": route.name, "found": found, "priority": route.then.priority, "tags": list(route.then.tags)}
    return Reason("route", f"route '{route.name}' matches{because}{priority}{tags}", facts)


def _reason_of_owner(owned: Owned, department: Department) -> Reason:
    arm = f", arm {owned.arm}" if owned.arm else ""
    text = f"goes to {department.name['en']}, stage {owned.stage}{arm} ({owned.rule})"
    facts = {"department": owned.department, "stage": owned.stage, "arm": owned.arm}
    return Reason("owner", text, facts | {"rule": owned.rule})


def _reason_of_part(part: Secondary, department: Department) -> Reason:
    follows = f"{department.name['en']} is consulted" if part.consulted else f"of {department.name['en']}"
    return Reason("part", f"'{part.part}' is about {part.topic} ({part.confidence:.2f}): {follows}", asdict(part))


def _evidence_facts(evidence: Evidence) -> dict[str, Any]:
    return {
        "topic": evidence.topic,
        "phrase": evidence.phrase,
        "found": evidence.found,
        "weight": evidence.weight,
    }


def _estimate_facts(estimate: Estimate) -> dict[str, Any]:
    return {
        "version": estimate.version,
        "threshold": estimate.threshold,
        "best": [{"topic": topic, "probability": chance} for topic, chance in estimate.best],
    }
