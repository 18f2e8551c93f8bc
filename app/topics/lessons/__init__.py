"""Which posts in triage teach most when somebody says what they are about."""
