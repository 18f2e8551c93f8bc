"""How the oil stain spreads, in figures."""
