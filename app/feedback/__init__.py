"""What the customer says of us afterwards: who is asked, what they answered, and the figure that comes of it."""
