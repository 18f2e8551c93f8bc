"""Callers of the API: a new token, as the header that carries it."""

from app.access.role import Role
from app.flows.admit import issue
from app.runtime import Runtime


async def sign_in(runtime: Runtime, role: Role, department: str | None = None, *, name: str = "anna") -> dict[str, str]:
    """`headers=await sign_in(runtime, Role.AGENT)`; history names the caller `agent:anna`."""
    issued = await runtime.run(issue, role, name, department)
    return {"Authorization": f"Bearer {issued.secret}"}
