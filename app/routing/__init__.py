"""Whose process a topic is, who answers first-hand, and why a ticket is where it is."""
