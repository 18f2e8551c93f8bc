"""What tickets have to do with each other."""
