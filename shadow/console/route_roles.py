"""Which role does a page or a route of the control API need? Figures: viewer. Texts and labels: reviewer. Decisions: approver.

What is not named here needs a viewer to be read and an approver to be written: a new route is never open by mistake.
"""

from __future__ import annotations

import re
from typing import Final

from shadow.access.identity import Role

_SAFE = {"GET", "HEAD", "OPTIONS"}
_PUBLIC: Final = re.compile(r"/healthz|/login|/static/[^/]+")
_SESSION = "/api/v1/session"
#: Prompts, completions, what judges quote of them, what users comment; and the reviewers' own places.
_TEXTS: Final = re.compile(r"/pairs|/samples/.*|/labels(/.*)?|/api/v1/(labels|judgments|feedback|samples/[^/]*)(/.*)?")
#: Labels, alerts, and the proposal of an upgrade, which somebody else decides on.
_REVIEWERS_WRITE: Final = re.compile(r"/api/v1/(labels|alerts)(/.*)?|/api/v1/upgrades")
_ADMIN: Final = re.compile(r"/tokens|/api/v1/tokens(/.*)?")


def needed_role(method: str, path: str) -> Role | None:
    """The lowest role that may; None where everybody may who can reach the console."""
    if _PUBLIC.fullmatch(path) or (path == _SESSION and method in {"POST", "DELETE"}):
        return None
    if _ADMIN.fullmatch(path):
        return "admin"
    if method in _SAFE:
        return "reviewer" if _TEXTS.fullmatch(path) else "viewer"
    return "reviewer" if _REVIEWERS_WRITE.fullmatch(path) else "approver"
