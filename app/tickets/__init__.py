"""Our unit of work on a conversation: its states, who holds it, and everything that happened to it."""
