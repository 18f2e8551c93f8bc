"""What somebody else takes a post for that nobody here is sure about."""
