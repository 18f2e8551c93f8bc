"""The platforms on which customers and the company speak: what each lets a company say, and for how long."""
