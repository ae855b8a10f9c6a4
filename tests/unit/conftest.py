"""How many examples do property tests take? Few a run, many with HYPOTHESIS_PROFILE=thorough; a busy machine is no fault."""

import os

from hypothesis import settings

settings.register_profile("fast", max_examples=40, deadline=None)
settings.register_profile("thorough", max_examples=1_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
