"""Promises and whether they were kept: calendars, the clocks that run in them, and what a sweep records.

Reads custody and nothing else to tell how long somebody had the ball. Refuses to know why a ticket is where it is.
"""
