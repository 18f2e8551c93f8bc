"""What people said: each post once, its revisions, its deletion, and the thread and person it belongs to."""
