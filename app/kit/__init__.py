"""What every stage may lean on: clock, ids, errors, database, logs, http. Not one business word in here."""
