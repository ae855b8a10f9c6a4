"""Is what answers still the model that was pinned?"""
