"""What do we know about the quality and the cost of each tier, and what should change?"""
