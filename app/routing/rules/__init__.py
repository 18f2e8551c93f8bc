"""Rules as they came into force, one after the other."""
