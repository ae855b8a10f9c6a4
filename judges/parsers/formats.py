"""In which format did this judge write?"""

from __future__ import annotations

import re

from judges.parsers import double_brackets, llmbar
from judges.parsers.reading import Order, Reading

_LLMBAR_STYLE = re.compile(
    r"(?:Vanilla|CoT|Swap|Metrics|Reference|Rating)(?:_(?:NoRules|CoT|Metrics|Reference|[12]shot))*"
)


def read_judgement(raw: str | None, order: Order | None, *, judge: str) -> Reading:
    """A recorded text, read by the format that the judge's name says: `model/judge prompt` of LLMBar, else double brackets.

    A text of a judge with another name that holds no double brackets is read as LLMBar's reasons are, strictly.
    """
    if _LLMBAR_STYLE.fullmatch(judge.rpartition("/")[2]):
        return llmbar.read(raw, order, style=judge)
    if raw and "[[" not in raw and "Output (" in raw:
        return llmbar.read(raw, order, style="CoT")
    return double_brackets.read(raw, order)
