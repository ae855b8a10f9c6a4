"""Which requests are mirrored, and how likely was that?"""
