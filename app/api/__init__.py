"""The HTTP API: one file per audience, and what all of them share."""
