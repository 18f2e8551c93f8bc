"""The events of all tickets in one order, for whoever follows what happens."""
