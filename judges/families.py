"""Which family is this model of? A judge prefers answers that its own kin wrote, so it is not asked about them.

Source: Panickssery et al., LLM Evaluators Recognize and Favor Their Own Generations, 2024.
"""

from __future__ import annotations

import re

#: Family -> what its model ids begin with, or have after a slash, dash or dot. A distilled model is of both its families.
_FAMILIES = {
    "openai": r"gpt|chatgpt|o\d+(?=$|[-:@])|davinci|text-davinci|codex",
    "anthropic": r"claude",
    "google": r"gemini|gemma|palm|text-bison|chat-bison|learnlm",
    "llama": r"llama|meta-llama|vicuna|alpaca|tulu|nemotron|hermes",
    "mistral": r"mistral|mixtral|ministral|magistral|codestral|devstral|pixtral|zephyr",
    "qwen": r"qwen|qwq|qvq",
    "deepseek": r"deepseek",
    "cohere": r"command(?=-)|cohere|aya(?=-)|c4ai",
    "xai": r"grok",
    "amazon": r"nova(?=-)|titan(?=-)",
    "microsoft": r"phi(?=[-\d])|wizardlm",
    "moonshot": r"kimi|moonshot",
    "zhipu": r"glm|chatglm|zai",
    "minimax": r"minimax|abab",
    "yi": r"yi(?=-)",
    "falcon": r"falcon",
    "granite": r"granite",
    "olmo": r"olmo",
}
_PATTERNS = {name: re.compile(rf"(?:^|[/\-_.:@])(?:{starts})") for name, starts in _FAMILIES.items()}


def families_of(model: str) -> frozenset[str]:
    """The families of a model id, whatever provider or account stands before it. An unknown model is a family of its own."""
    name = model.strip().lower()
    found = frozenset(family for family, pattern in _PATTERNS.items() if pattern.search(name))
    return found or frozenset({name.rpartition("/")[2]})
