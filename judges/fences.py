"""How does untrusted text go into a prompt, so that it stays material and never becomes an instruction or a verdict?"""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from importlib import resources
from string import Template

from judges.text import clean, fold

MAX_SECTION_CHARS = 12_000
#: What each line of untrusted text begins with: no line of it can pass for a fence, a role or a last line.
LINE_MARK = "| "
#: Made unreadable inside untrusted text, so that a model which only echoes cannot decide.
_DEFANG = re.compile(r"v\W{0,3}e\W{0,3}r\W{0,3}d\W{0,3}i\W{0,3}c\W{0,3}t", re.IGNORECASE)
#: Where a chat template's token or something like a fence begins: some servers read such tokens wherever they stand.
_FRAME = re.compile(
    r"<(?=[|\uff5c][^<>\n]{0,60}[|\uff5c]>)|<(?=/?(?:s|bos|eos|pad|unk|think|thinking|system|user|assistant|human|start_of_turn"
    r"|end_of_turn|tool_call|tool_response|function_call|<SYS>)>)|\[(?=/?(?:INST|SYS|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS"
    r"|AVAILABLE_TOOLS|gMASK)\])|<<<(?=[\w${}]+ [A-Z])|(?<=[\w}])(?=>>>)",
    re.IGNORECASE,
)


def new_nonce(*texts: str | None) -> str:
    """What this call's fences are marked with: drawn at random, so that no text can close one, and standing in none of them."""
    while True:
        nonce = secrets.token_hex(8)
        if not any(text and nonce in text for text in texts):
            return nonce


def untrusted(text: str | None) -> str:
    """The text as it may stand between fences: clipped, its lines marked, without unseen characters, tokens of chat templates
    and the word of the last line. Cost: below 1 ms for 12,000 characters.
    """
    if not text:
        return "(none)"
    shown = clean(_shortened(text))
    if not shown.isascii() and _DEFANG.search(fold(shown)) and not _DEFANG.search(shown):
        shown = fold(shown)
    shown = _FRAME.sub(r"\g<0> ", _DEFANG.sub("v-e-r-d-i-c-t", shown))
    return "\n".join(LINE_MARK + line for line in shown.splitlines() or [""])


def _shortened(text: str) -> str:
    """The text, or its beginning and end with a word about what is left out between them."""
    if len(text) <= MAX_SECTION_CHARS:
        return text
    head = MAX_SECTION_CHARS * 2 // 3
    tail = MAX_SECTION_CHARS - head
    return f"{text[:head]}\n[... {len(text) - head - tail:,} characters are left out here ...]\n{text[-tail:]}"


@lru_cache(maxsize=64)
def prompt_file(name: str) -> str:
    """The text of a versioned file under `prompts/`. A changed text is a new file and a new version of its judge."""
    return resources.files("judges").joinpath("prompts", *name.split("/")).read_text(encoding="utf-8")


def fill(name: str, **values: str) -> str:
    """A prompt file with its places filled, once: what is filled in is never read as a place."""
    return Template(prompt_file(name)).substitute(values)
