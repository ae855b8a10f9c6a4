"""What do we know about each tier over a window, and how is it told?"""
