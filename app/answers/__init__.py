"""What is said to the customer: replies on their way out, and answers that departments supply."""
