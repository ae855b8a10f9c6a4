"""Who acts, what may they do, and where is it noted?"""
