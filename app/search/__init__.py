"""Search: tickets by the words that were said, by people's names and by their number."""
