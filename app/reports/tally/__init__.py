"""What reports count: facts of tickets, and their sums by period and group."""
