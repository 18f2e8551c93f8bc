"""All that `escalation.yaml` says to this stage. Knows how it hangs together; refuses to know the file."""

from dataclasses import dataclass
from datetime import timedelta

from app.escalation.incidents.incident import SpikeRules
from app.escalation.risk import RiskRules


@dataclass(frozen=True, slots=True)
class Acknowledging:
    """PR is to say that it looks `within` this time of a calendar."""

    within: timedelta
    calendar: str


@dataclass(frozen=True, slots=True)
class EscalationRules:
    risk: RiskRules
    acknowledge: Acknowledging
    spike: SpikeRules
