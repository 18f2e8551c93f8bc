"""Partners that push mentions, each for one account."""
