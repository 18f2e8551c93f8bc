"""The queue: which tickets somebody asks for, in the order of their urgency, and the next one to take."""
