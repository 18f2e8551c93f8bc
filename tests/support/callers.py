"""Who calls: the headers of somebody with a token of its own."""

from app.access.role import Role
from app.flows.admit import issue
from app.runtime import Runtime


async def token_for(
    runtime: Runtime, role: Role | str, department: str | None = None, name: str = "sam"
) -> dict[str, str]:
    """The headers of a caller whose token was given out just now: `await client.get(path, headers=...)`."""
    issued = await runtime.run(issue, Role(role), name, department)
    return {"Authorization": f"Bearer {issued.secret}"}
