"""What customers wrote beside their scores, for others to read."""
