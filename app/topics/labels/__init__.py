"""What people said that a text is about: what the statistical model learns from."""
