"""How does untrusted text go into a prompt, so that it stays material and never becomes an instruction or a verdict?"""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from importlib import resources
from string import Template

from judges.text import clean, clip, fold

MAX_SECTION_CHARS = 12_000
#: Made unreadable inside untrusted text, so that a model which only echoes cannot decide.
_DEFANG = re.compile(r"v\W{0,3}e\W{0,3}r\W{0,3}d\W{0,3}i\W{0,3}c\W{0,3}t", re.IGNORECASE)


def new_nonce() -> str:
    """What this call's fences are marked with: drawn at random, so that no text can close one."""
    return secrets.token_hex(8)


def untrusted(text: str | None) -> str:
    """The text as it may stand between fences: clipped, without unseen characters and without the word of the last line."""
    if not text:
        return "(none)"
    shown = clean(clip(text, MAX_SECTION_CHARS))
    if not shown.isascii() and _DEFANG.search(fold(shown)) and not _DEFANG.search(shown):
        shown = fold(shown)
    return _DEFANG.sub("v-e-r-d-i-c-t", shown)


@lru_cache(maxsize=64)
def prompt_file(name: str) -> str:
    """The text of a versioned file under `prompts/`. A changed text is a new file and a new version of its judge."""
    return resources.files("judges").joinpath("prompts", *name.split("/")).read_text(encoding="utf-8")


def fill(name: str, **values: str) -> str:
    """A prompt file with its places filled, once: what is filled in is never read as a place."""
    return Template(prompt_file(name)).substitute(values)
