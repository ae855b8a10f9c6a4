"""What does a newcomer watch?"""
