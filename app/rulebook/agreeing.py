"""The shape of `crisis.yaml`: who says what, per severity.

Knows this one file. Refuses to know which severities there are (checks).
"""

from typing import Annotated, Literal

from pydantic import AfterValidator

from app.escalation.crisis import Agreement, Speaker
from app.escalation.statements.statement import check_text
from app.rulebook.entry import Entry, attempt
from app.rulebook.files import Language, Line, Slug, Some


def _mergeable(text: str) -> str:
    attempt(lambda: check_text(text, "holding"), "use the merge fields at the top of crisis.yaml")
    return text


Mergeable = Annotated[Line, AfterValidator(_mergeable)]


class SpeakerEntry(Entry):
    who: Literal["webcare", "department", "pr", "manager"]
    says: Line
    where: Some[tuple[Literal["public", "private", "press"], ...]]
    leaves: Line


class AgreementEntry(Entry):
    lead: Line
    say: Some[list[SpeakerEntry]]
    holding: Some[dict[Language, Mergeable]]

    def build(self) -> Agreement:
        return Agreement(
            self.lead,
            tuple(Speaker(**dict(entry)) for entry in self.say),
            {str(language): text for language, text in self.holding.items()},
        )


class Crisis(Entry):
    severities: dict[Slug, AgreementEntry]

    def build(self) -> dict[str, Agreement]:
        return {name: entry.build() for name, entry in self.severities.items()}
