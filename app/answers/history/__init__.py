"""A ticket read as a story: everything that happened to it, and everything that was said."""
