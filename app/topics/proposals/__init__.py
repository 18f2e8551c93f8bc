"""What posts that nobody is sure about have in common: topics that the rulebook may be missing."""
