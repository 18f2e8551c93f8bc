"""Models as they were trained, one after the other, and which of them is in force."""
