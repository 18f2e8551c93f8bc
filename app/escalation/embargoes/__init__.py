"""What PR keeps from being said in public, and until when."""
