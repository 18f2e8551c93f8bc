"""Which authors of several channels are one person, as far as we were told."""
