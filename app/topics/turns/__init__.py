"""Chores that are done once in a while, by one process for all."""
