"""What may be said about quality and cost, and how sure is it? Pure functions: arrays and sums in, estimates out."""
