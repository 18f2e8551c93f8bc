"""Whether what reports tell agrees with what stands."""
