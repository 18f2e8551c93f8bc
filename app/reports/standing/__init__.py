"""What stands at this moment, for those who must act on it today: read from tickets and clocks, not from history."""
