"""Broken promises one by one: what stands behind the figure `breached`."""
