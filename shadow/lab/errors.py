"""What can go wrong in the lab?

ShadowError
└── LabError
    ├── ChildError           a process of the lab did not start
    └── LocalModelError      there is no local model to run, or nothing to run it with
"""

from __future__ import annotations

from shadow.errors import ShadowError


class LabError(ShadowError):
    """Root of what the lab raises on purpose."""


class ChildError(LabError):
    """A process of the lab ended, or said nothing in time, before it was ready."""


class LocalModelError(LabError):
    """There is no local model to run, or nothing to run it with."""
