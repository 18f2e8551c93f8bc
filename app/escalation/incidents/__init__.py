"""Incidents: what many customers report at once."""
