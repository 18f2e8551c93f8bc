"""What people write and have not sent yet."""
