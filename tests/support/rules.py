"""A small rulebook, right in every file, for tests to read and to break; and the one that comes along."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from app.rulebook import Rulebook, load
from app.settings import PROJECT

ACCOUNTS = """\
accounts:
  x:
    - {handle: "@PolderMobiel", external_id: "42", language: nl}
  forum: []
"""
CALENDARS = """\
calendars:
  office:
    zone: Europe/Amsterdam
    week:
      mon: [09:00-12:30, 13:00-17:00]
      tue: [22:00-06:00]
    holidays: {country: NL}
    overrides: {2026-12-24: [09:00-12:00]}
"""
CHANNELS = """\
channels:
  x:
    public: {limits: {weighted: 280}}
    private: {windows: {standard: 24 hours, human_agent: 7 days}, when_closed: Wait for the customer.}
"""
CRISIS = """\
severities:
  raised:
    lead: boss
    say:
      - {who: pr, says: all, where: [public], leaves: nothing}
    holding: {nl: "Dag {name}"}
"""
DEPARTMENTS = """\
departments:
  billing:
    name: {nl: Facturatie, en: Billing}
    process: invoices
    calendar: office
  legal:
    name: {nl: Juridisch, en: Legal}
    process: claims
    calendar: office
"""
ESCALATION = """\
risks:
  legal: {priority: high, words: [advocaat]}
reach:
  - {followers: 1000, priority: high}
threshold: 50
acknowledge: {within: 30 minutes, calendar: office}
spike:
  {weeks: 8, chance: 0.001, calm: 0.1, quiet: 1 hour, cool_down: 1 hour, severities: {raised: {posts: 5, times: 2}}}
"""
FEEDBACK = """\
feedback:
  cool_down: 90 days
  delay: 1 minute
  expires: 24 hours
  changeable: 1 hour
  follow_up: 16 hours
  colours:
    light:
      {text: "#000000", page: "#ffffff", edge: "#666666", accent: "#0b4fa0", on_accent: "#ffffff", wrong: "#a00000"}
    dark: {text: "#ffffff", page: "#000000", edge: "#999999", accent: "#8ab8ff", on_accent: "#000000", wrong: "#ff9d9d"}
  texts:
    nl:
      {language: Nederlands, languages: Taal, invitation: i, question: q, lowest: l, highest: h, comment: c, hardest: u,
       easiest: v, send: s, thanks: t, change: w, stop: x, stopped: y, closed: z, score_missing: m, effort_wrong: n,
       comment_too_long: g}
"""
GUARD = """\
guard:
  region: NL
  numbers:
    order_number: ['\\bPM-\\d{8}\\b']
  own: [help@poldermobiel.example]
  examples:
    - {text: 'Mail help@poldermobiel.example over PM-20261122', finds: [order_number]}
"""
OWNERSHIP = """\
ownership:
  - {topics: [invoice], department: billing, stage: central}
  - {topics: [invoice], channels: [x], department: billing, stage: pilot, percent: 30}
"""
RESOLUTIONS = """\
resolutions:
  solved: {name: {nl: Opgelost, en: Solved}}
  spam: {name: {nl: Spam, en: Spam}}
  answered: {name: {nl: Beantwoord, en: Answered}, automatic: true}
  merged: {name: {nl: Samengevoegd, en: Merged}, automatic: true}
  withdrawn: {name: {nl: Ingetrokken, en: Withdrawn}, automatic: true}
"""
ROUTES = """\
routes:
  narrow:
    when: {topics: [invoice], channels: [x], words: [avg, gdpr]}
    then: {priority: high}
  broad:
    when: {followers_min: 10}
    then: {tags: [big]}
"""
SLA = """\
sla:
  narrow:
    metric: first_reply
    when: {channels: [x]}
    calendar: office
    targets: {normal: 5 minutes}
  narrower:
    metric: first_reply
    when: {channels: [x], topics: [invoice]}
    calendar: office
    targets: {urgent: 5 minutes}
  first_reply: {metric: first_reply, calendar: office, targets: ALL}
  next_reply: {metric: next_reply, calendar: office, targets: ALL}
  resolution: {metric: resolution, calendar: office, targets: ALL, pauses: [customer]}
  acceptance: {metric: acceptance, calendar: office, targets: ALL}
  ownership: {metric: ownership, calendar: office, targets: ALL, warn: 0.5}
""".replace("ALL", "{urgent: 1 hour, high: 1 hour, normal: 1 hour, low: 1 hour}")
TONES = """\
tones:
  mood:
    name: {nl: stemming, en: mood}
    levels: [{at: -3, points: 5}]
    words: {nl: {-3: [schandalig]}}
    examples: [{text: "Schandalig!", at_most: -3}]
"""
TOPICS = """\
topics:
  invoice:
    name: {nl: Factuur, en: Invoice}
    phrases:
      nl: [factuur, {text: rekening*, weight: 2}]
      any: [bill]
    not:
      nl: [jaarrekening]
    examples:
      - {text: Mijn factuur klopt niet, lang: nl}
      - {text: Waar is de winkel, lang: nl, not: true}
"""
WORDS = """\
spelling:
  nl: {factuur: [faktuur]}
emoji: {angryface: "\U0001f621"}
known: {nl: [klopt]}
"""
FILES = {
    "accounts.yaml": ACCOUNTS,
    "calendars.yaml": CALENDARS,
    "channels.yaml": CHANNELS,
    "crisis.yaml": CRISIS,
    "departments.yaml": DEPARTMENTS,
    "escalation.yaml": ESCALATION,
    "feedback.yaml": FEEDBACK,
    "guard.yaml": GUARD,
    "ownership.yaml": OWNERSHIP,
    "resolutions.yaml": RESOLUTIONS,
    "routes.yaml": ROUTES,
    "sla.yaml": SLA,
    "tones.yaml": TONES,
    "topics.yaml": TOPICS,
    "words.yaml": WORDS,
}


@cache
def shipped() -> Rulebook:
    return load(PROJECT / "routing_rules")


def loaded(files: Mapping[str, str]) -> Rulebook:
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        return load(Path(folder))


def edited(file: str, old: str, new: str) -> dict[str, str]:
    assert FILES[file].count(old) == 1, f"{old!r} must stand once in {file}"
    return FILES | {file: FILES[file].replace(old, new)}
