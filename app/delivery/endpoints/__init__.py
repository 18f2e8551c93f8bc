"""The endpoints at which departments listen."""
