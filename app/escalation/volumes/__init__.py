"""How many posts there are about what, hour by hour."""
