"""What leaves the building: departments' webhooks and what is said on channels, each first a row, then a signed POST."""
