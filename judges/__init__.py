"""Is this answer as good as that reference?"""
