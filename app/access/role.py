"""Roles, what each may do, and whose tickets each may see.

Knows permissions as data: what is not listed is denied. Refuses to know how a caller proved who it is (token) and
which call asks for which permission (the API).
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.access.profile import BLANK, Profile
from app.kit.errors import Invalid, Refused


class Forbidden(Refused):
    """The caller is known and its role does not include this."""


class DepartmentMismatch(Invalid):
    """A department role without a department, or a department on a role that has none."""


class Role(StrEnum):
    INGEST = "ingest"
    AGENT = "agent"
    DEPARTMENT = "department"
    PR = "pr"
    MANAGER = "manager"
    ADMIN = "admin"


class Permission(StrEnum):
    POST_MENTIONS = "post_mentions"
    READ_TICKETS = "read_tickets"
    WORK_TICKETS = "work_tickets"
    SETTLE_TICKETS = "settle_tickets"
    ANSWER_TICKETS = "answer_tickets"
    APPROVE_REPLIES = "approve_replies"
    ASSIGN_TICKETS = "assign_tickets"
    MAKE_STATEMENTS = "make_statements"
    ESCALATE_TICKETS = "escalate_tickets"
    READ_ESCALATIONS = "read_escalations"
    HANDLE_ESCALATIONS = "handle_escalations"
    MANAGE_AGENTS = "manage_agents"
    MANAGE_MACROS = "manage_macros"
    MANAGE_ENDPOINTS = "manage_endpoints"
    READ_REPORTS = "read_reports"
    RECONCILE_REPORTS = "reconcile_reports"
    READ_RULES = "read_rules"
    MANAGE_RULES = "manage_rules"
    TEACH_TOPICS = "teach_topics"
    MANAGE_TOKENS = "manage_tokens"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.INGEST: frozenset({Permission.POST_MENTIONS}),
    Role.AGENT: frozenset(
        {
            Permission.READ_TICKETS,
            Permission.WORK_TICKETS,
            Permission.SETTLE_TICKETS,
            Permission.APPROVE_REPLIES,
            Permission.ESCALATE_TICKETS,
            Permission.READ_RULES,
        }
    ),
    Role.DEPARTMENT: frozenset(
        {
            Permission.READ_TICKETS,
            Permission.SETTLE_TICKETS,
            Permission.ANSWER_TICKETS,
            Permission.MAKE_STATEMENTS,
            Permission.ESCALATE_TICKETS,
            Permission.MANAGE_ENDPOINTS,
            Permission.MANAGE_MACROS,
            Permission.READ_REPORTS,
            Permission.READ_RULES,
        }
    ),
    Role.PR: frozenset(
        {
            Permission.READ_TICKETS,
            Permission.WORK_TICKETS,
            Permission.SETTLE_TICKETS,
            Permission.ESCALATE_TICKETS,
            Permission.APPROVE_REPLIES,
            Permission.MAKE_STATEMENTS,
            Permission.READ_ESCALATIONS,
            Permission.HANDLE_ESCALATIONS,
            Permission.READ_RULES,
        }
    ),
    Role.MANAGER: frozenset(
        {
            Permission.READ_TICKETS,
            Permission.ASSIGN_TICKETS,
            Permission.ESCALATE_TICKETS,
            Permission.APPROVE_REPLIES,
            Permission.MAKE_STATEMENTS,
            Permission.MANAGE_AGENTS,
            Permission.MANAGE_MACROS,
            Permission.READ_ESCALATIONS,
            Permission.READ_REPORTS,
            Permission.RECONCILE_REPORTS,
            Permission.READ_RULES,
            Permission.TEACH_TOPICS,
        }
    ),
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a living token.

    `department` None: sees every ticket; else only those of that department, and others read as not there. A
    department caller is always bound to one, no other caller ever is. `profile` is blank but for an agent's.
    """

    token_id: UUID
    name: str
    role: Role
    department: str | None = None
    profile: Profile = BLANK

    def __post_init__(self) -> None:
        check_binding(self.role, self.department)

    @property
    def actor(self) -> str:
        """How history names the caller: `agent:anna`, `department:billing/anna`."""
        return actor_of(self.role, f"{self.department}/{self.name}" if self.department else self.name)

    @property
    def permissions(self) -> frozenset[Permission]:
        return PERMISSIONS[self.role]


def actor_of(role: Role, whom: str) -> str:
    """A person as history names one."""
    return f"{role}:{whom}"


def role_of(actor: str) -> Role | None:
    """In which role somebody did what history says; None for what no caller did."""
    written = actor.partition(":")[0]
    return Role(written) if written in set(Role) else None


def check_binding(role: Role, department: str | None) -> None:
    """Without its department a department caller would see everything. Raises `DepartmentMismatch`."""
    if role is Role.DEPARTMENT and not department:
        raise DepartmentMismatch("A token for the role department names its department.", field="department")
    if role is not Role.DEPARTMENT and department is not None:
        raise DepartmentMismatch(f"Only the role department has a department, {role} has none.", field="department")


def may(caller: Caller, permission: Permission) -> bool:
    return permission in caller.permissions


def require(caller: Caller, permission: Permission) -> None:
    """Let the caller pass or raise `Forbidden`, which names the roles that may."""
    if not may(caller, permission):
        roles = [str(role) for role, permissions in PERMISSIONS.items() if permission in permissions]
        raise Forbidden(f"The role {caller.role} may not do this; {_either(roles)} may.", roles=roles)


def _either(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
