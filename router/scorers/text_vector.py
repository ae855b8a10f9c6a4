"""Which numbers stand for a request in a learned model?

Two kinds: a few *signs* with names (length, numbers, punctuation ...), and the set of words and pieces of words, hashed into a
fixed number of buckets. Training and serving both come here, so they cannot drift apart; what is changed here needs a new
`FORMAT` in `router.scorers.model_directory`.
"""

from __future__ import annotations

import math
import re
from zlib import crc32

from router.contracts import Features
from router.scorers.signs import Signs

READ_CHARACTERS = 4000  # pieces of words are taken from the start of a text only
PIECE_CHARACTERS = 4

#: The first LENGTH_SIGNS tell how long the request is; training starts from "longer is harder".
SIGN_NAMES = (
    "log_words",
    "log_characters",
    "log_numbers",
    "numbers_per_word",
    "log_sentences",
    "letters_per_word",
    "distinct_words",
    "capitals",
    "punctuation",
    "calculates",
    "reasoning",
    "code",
    "questions",
    "percent",
    "money",
    "lines",
    "routine",
    "log_turns",
    "log_conversation_tokens",
    "has_tools",
    "has_images",
    "wants_json",
)
LENGTH_SIGNS = 2
_SENTENCE_END = re.compile(r"[.?!](?:\s|$)")
_PUNCTUATION = re.compile(r"[^\w\s]|_")
_CAPITAL = re.compile(r"[A-Z]")
_DIGITS = re.compile(r"\d+")
_TOKEN = re.compile(r"[a-z]+|[^\sa-z]")


def sign_values(features: Features, signs: Signs) -> list[float]:
    """One number for each of SIGN_NAMES."""
    raw = features.text[:READ_CHARACTERS]
    size = max(1, len(raw))
    words = max(1, len(signs.words))
    return [
        math.log2(1 + features.words),
        math.log2(1 + len(features.text)),
        math.log2(1 + signs.numbers),
        signs.numbers / max(1, features.words),
        math.log2(1 + len(_SENTENCE_END.findall(raw))),
        sum(map(len, signs.words)) / words,
        signs.distinct_words / words,
        _capitals(raw) / size,
        len(_PUNCTUATION.findall(raw)) / size,
        float(signs.calculates),
        float(min(2, signs.reasoning)),
        float(signs.code),
        float(signs.questions),
        float("%" in raw),
        float("$" in raw),
        float(raw.count("\n")),
        float(signs.routine),
        math.log2(max(1, features.turns)),
        math.log2(max(1, features.conversation_tokens)),
        float(features.has_tools),
        float(features.has_images),
        float(features.wants_json),
    ]


def _capitals(text: str) -> int:
    return len(_CAPITAL.findall(text)) if text.isascii() else sum(map(str.isupper, text))


def tokens_of(signs: Signs) -> set[str]:
    """The different words and symbols of a text. Numbers count as one word."""
    return set(_TOKEN.findall(_DIGITS.sub("0", signs.text[:READ_CHARACTERS])))


def token_buckets(token: str, buckets: int) -> list[int]:
    """The different buckets of one word and its pieces, rising."""
    pieces = {"w" + token}
    if len(token) > 2:
        framed = f"<{token}>"
        pieces.update([framed[at : at + PIECE_CHARACTERS] for at in range(len(framed) - PIECE_CHARACTERS + 1)])
    return sorted({crc32(piece.encode("utf-8", "surrogatepass")) % buckets for piece in pieces})


def piece_buckets(signs: Signs, buckets: int) -> list[int]:
    """The buckets of all tokens. One that several tokens fall into is named as often: the serving side adds up tokens."""
    return [bucket for token in sorted(tokens_of(signs)) for bucket in token_buckets(token, buckets)]
