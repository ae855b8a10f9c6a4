"""What is stored, and how is it asked for? The only package that speaks SQL."""
