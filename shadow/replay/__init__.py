"""How would the whole loop have done on logged outcomes, where the truth is known?"""
