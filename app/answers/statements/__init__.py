"""Statements: what is agreed to say about a topic, and what is never said while that holds."""
