"""Who looks at a ticket, and who types."""
