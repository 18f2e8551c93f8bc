"""Verbs: what happens when something arrives, is done, or comes due. One flow call is one transaction."""
