"""In which format did this judge write?"""

from __future__ import annotations

import re

from judges.parsers import double_brackets, free_text, llmbar
from judges.parsers.reading import Order, Reading

_LLMBAR_STYLE = re.compile(
    r"(?:Vanilla|CoT|Swap|Metrics|Reference|Rating)(?:_(?:NoRules|CoT|Metrics|Reference|[12]shot))*"
)


def read_judgement(raw: str | None, order: Order | None, *, judge: str) -> Reading:
    """A recorded text, read by the format that the judge's name says: `model/judge prompt` of LLMBar.

    A text of a judge with another name is read by what stands in double brackets, and where nothing does by what it states in
    an object, a line with a label, a sentence, or alone.
    """
    if _LLMBAR_STYLE.fullmatch(judge.rpartition("/")[2]):
        return llmbar.read(raw, order, style=judge)
    if double_brackets.stands_in(raw):
        return double_brackets.read(raw, order)
    return free_text.read(raw, order)
