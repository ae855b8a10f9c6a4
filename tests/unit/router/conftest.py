"""How do the property tests of the router run? Without a deadline: a busy machine is no counterexample."""

from hypothesis import settings

settings.register_profile("router", deadline=None)
settings.load_profile("router")
