"""What works here, what does not, and what is to be done about it?"""
