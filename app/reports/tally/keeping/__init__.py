"""How facts and their sums are kept."""
