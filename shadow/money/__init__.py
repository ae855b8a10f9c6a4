"""What was spent, by whom, and what would cost less?"""
