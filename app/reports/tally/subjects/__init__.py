"""Tickets as they are counted."""
