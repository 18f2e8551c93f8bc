"""`webcare topics`: what the model learns from, and which model is in force."""
