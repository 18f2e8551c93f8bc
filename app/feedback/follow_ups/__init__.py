"""Who is not content, and who got back to them."""
