"""When PR is asked to look, at which tickets and at which incidents, and what PR makes of it."""
