"""What PR says, once, to everybody whom an incident concerns."""
