"""What managers ask, put together from sums of facts: work that came and went, routing, the oil stain."""
