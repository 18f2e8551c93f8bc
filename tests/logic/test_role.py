from uuid import UUID

import pytest

from app.access.role import (
    PERMISSIONS,
    Caller,
    DepartmentMismatch,
    Forbidden,
    Permission,
    Role,
    actor_of,
    may,
    require,
    role_of,
)
from app.access.token import UnusableToken, check_given, prefix
from app.kit.ids import new_secret

SOME = UUID(int=1)

MAY = {
    Role.INGEST: "post_mentions",
    Role.AGENT: "read_tickets work_tickets settle_tickets approve_replies escalate_tickets read_rules",
    Role.DEPARTMENT: "read_tickets settle_tickets answer_tickets make_statements escalate_tickets manage_endpoints "
    "manage_macros read_reports read_rules",
    Role.PR: "read_tickets work_tickets settle_tickets approve_replies make_statements escalate_tickets "
    "read_escalations handle_escalations read_rules",
    Role.MANAGER: "read_tickets assign_tickets approve_replies make_statements escalate_tickets read_escalations "
    "read_reports reconcile_reports read_rules manage_agents manage_macros teach_topics",
    Role.ADMIN: " ".join(Permission),
}


def caller(role: Role) -> Caller:
    return Caller(SOME, "anna", role, "billing" if role is Role.DEPARTMENT else None)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_a_role_may_do_what_is_listed_and_nothing_else(role: Role, permission: Permission) -> None:
    assert may(caller(role), permission) == (permission in MAY[role].split())


def test_every_permission_is_somebodys_besides_admin_unless_it_is_about_access_itself() -> None:
    others = frozenset().union(*(held for role, held in PERMISSIONS.items() if role is not Role.ADMIN))
    assert set(Permission) - others == {Permission.MANAGE_TOKENS, Permission.MANAGE_RULES}


def test_a_refusal_names_who_may() -> None:
    with pytest.raises(Forbidden) as refused:
        require(caller(Role.INGEST), Permission.WORK_TICKETS)
    assert refused.value.message == "The role ingest may not do this; agent, pr or admin may."
    assert refused.value.facts == {"roles": ["agent", "pr", "admin"]}


def test_history_names_a_caller_by_role_and_department() -> None:
    assert caller(Role.AGENT).actor == "agent:anna"
    assert caller(Role.DEPARTMENT).actor == "department:billing/anna"


@pytest.mark.parametrize("department", [None, ""])
def test_a_department_caller_cannot_exist_without_its_department(department: str | None) -> None:
    with pytest.raises(DepartmentMismatch):
        Caller(SOME, "anna", Role.DEPARTMENT, department)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DEPARTMENT])
def test_no_other_caller_is_bound_to_a_department(role: Role) -> None:
    with pytest.raises(DepartmentMismatch):
        Caller(SOME, "anna", role, "billing")


@pytest.mark.parametrize("role", Role)
def test_a_made_token_tells_its_role_and_can_be_sent(role: Role) -> None:
    secret = new_secret(prefix(role))
    check_given(secret)
    assert secret.startswith(f"wc_{role}_")
    assert len(secret) == len(f"wc_{role}_") + 43  # 256 bits in base64url without padding


@pytest.mark.parametrize("secret", ["", "two words", "tab\t", "é", "a=b", "x" * 256, "line\n"])
def test_a_token_that_no_header_carries_is_refused(secret: str) -> None:
    with pytest.raises(UnusableToken):
        check_given(secret)


def test_history_tells_in_which_role_somebody_acted() -> None:
    assert role_of(actor_of(Role.PR, "eva")) is Role.PR
    assert role_of(actor_of(Role.DEPARTMENT, "billing/anna")) is Role.DEPARTMENT
    assert role_of("system") is None
