"""Which family is this model of? A judge prefers answers that its own kin wrote, so it is not asked about them.

Source: Panickssery et al., LLM Evaluators Recognize and Favor Their Own Generations, 2024.
"""

from __future__ import annotations

import re

#: Family -> what its model ids begin with, or have after a slash, dash, dot or colon. A distilled model is of both its families.
#: A name before `/` or `.` says who made it, where that is one maker's own name and not a shop's.
_FAMILIES = {
    "openai": r"gpt(?!q)|chatgpt|o[1345](?=$|[-:@])|davinci|text-davinci|codex|openai(?=$|[/.])|whisper",
    "anthropic": r"claude|anthropic(?=$|[/.])|(?:opus|sonnet|haiku)(?=$|-?\d)",
    "google": r"gemini|gemma|palm(?=$|[-\d])|text-bison|chat-bison|learnlm|google(?=$|/)",
    "llama": r"\w*(?<!\bo)llama|meta-llama|vicuna|alpaca|tulu|nemotron|hermes|sonar(?=$|-)",
    "mistral": r"(?:mi|mini|magi|code|math|dev|vox)stral|mistralai|(?:mi|pi)xtral|zephyr|dolphin|openhermes",
    "qwen": r"qwen|qwq|qvq|codeqwen|tongyi",
    "deepseek": r"deepseek|r1-1776",
    "cohere": r"command(?=-)|cohere|aya(?=-)|c4ai",
    "xai": r"grok|x-?ai(?=$|/)",
    "amazon": r"nova(?=-)|titan(?=-)",
    "microsoft": r"phi(?=[-\d])|wizardlm|orca|mai(?=-)",
    "moonshot": r"kimi|moonshot",
    "zhipu": r"glm|chatglm|zai(?=$|[-/.])|z-ai(?=/)",
    "minimax": r"minimax|abab",
    "ai21": r"jamba|j2(?=-)|ai21",
    "baidu": r"ernie|baidu",
    "bytedance": r"doubao|seed-oss|bytedance",
    "tencent": r"hunyuan|tencent",
    "lg": r"exaone",
    "yi": r"yi(?=-)|01-ai",
    "falcon": r"falcon",
    "granite": r"granite",
    "olmo": r"olmo",
    "internlm": r"internlm",
    "smollm": r"smollm",
}
_PATTERNS = {name: re.compile(rf"(?:^|[/\-_.:@])(?:{starts})") for name, starts in _FAMILIES.items()}
#: Hosts that serve one family only, however a deployment there is called.
_HOSTS = {
    "openai.com": "openai",
    "openai.azure.com": "openai",
    "anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "google",
    "mistral.ai": "mistral",
    "deepseek.com": "deepseek",
    "cohere.com": "cohere",
    "cohere.ai": "cohere",
    "x.ai": "xai",
    "moonshot.ai": "moonshot",
    "moonshot.cn": "moonshot",
    "z.ai": "zhipu",
    "bigmodel.cn": "zhipu",
}


def known_families(model: str) -> frozenset[str]:
    """The families that a model id tells, whatever provider or account stands before it; none where it tells none."""
    name = model.strip().lower()
    return frozenset(family for family, pattern in _PATTERNS.items() if pattern.search(name))


def families_of(model: str) -> frozenset[str]:
    """The families of a model id. One that tells none is a family of its own."""
    return known_families(model) or frozenset({model.strip().lower().rpartition("/")[2]})


def families_at(host: str) -> frozenset[str]:
    """The family that a provider's host serves, where it serves one only."""
    return frozenset(family for name, family in _HOSTS.items() if host == name or host.endswith("." + name))
