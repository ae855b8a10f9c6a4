"""What does this text say, once spelling, encoding and decoration no longer matter?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

#: Longest text that a judge looks at, in characters. A longer one keeps its beginning and its end, where answers are.
MAX_CHARS = 20_000
_MAX_SENTENCES = 400
_KEPT_TEXTS = 1024  # of at most MAX_CHARS mostly: what the judges of one comparison share

_PUNCTUATION = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f\u3000", " "),
        "\u00d7": "*",
        "\u22c5": "*",
        "\u00f7": "/",
        "\u2044": "/",
        "\u2026": "...",
    }
)
_DIGIT_GAP = re.compile("(?<=\\d)[\u00a0\u2007\u2009\u202f](?=\\d{3}(?!\\d))")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
#: Unicode categories Cc (but tab and line feed), Cf, Cs and Co.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]"
)
_SPACE = re.compile(r"\s+")
_NOT_WORD = re.compile(r"[\W_]+")
_BREAK = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[^\W_])|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|sr|jr|vs|no|prof|gen|col|sgt|inc|ltd|co|etc|e\.g|i\.e)|\b[a-z])\.$", re.I
)

_STOP_WORDS = """
    a about above after again all also am an and any are as at be because been before being below between both but by
    can could did do does doing down during each few for from further had has have having he her here hers him his how i if
    in into is it its itself just me more most my of off on once only or other our out over own same she should so some such
    than that the their them then there these they this those through to too under until up us very was we were what when
    where which while who whom whose why will with would you your one known called named name s t
"""
#: Words that carry no content of their own. Negations are left out on purpose: they do.
STOP_WORDS = frozenset(_STOP_WORDS.split())


def clip(text: str, limit: int = MAX_CHARS) -> str:
    """The text, or its first two thirds and last third where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    return text[:head] + "\n" + text[-(limit - head - 1) :]


@lru_cache(maxsize=_KEPT_TEXTS)
def clean(text: str) -> str:
    """The text without control, format and surrogate characters, with plain quotes, dashes, spaces; case and lines kept."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _DIGIT_GAP.sub("", text).translate(_PUNCTUATION))
    return _UNSEEN.sub("", text)


def fold(text: str) -> str:
    """One spelling for comparison: compatibility forms, accents and case folded."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def normalise(text: str) -> str:
    """The text as a line of folded words: two texts that are equal here differ in typography only."""
    return _NOT_WORD.sub(" ", fold(clean(text))).strip()


def same_text(one: str, other: str) -> bool:
    """Whether two texts are the same but for white space, case, quotes and a closing full stop.

    Signs inside stay: `-5` is not `5`, and `C++` is not `C`.
    """

    def line(text: str) -> str:
        return _SPACE.sub(" ", fold(clean(text))).strip().rstrip(".! ").strip("\"'")

    return line(one) == line(other) != ""


def words(text: str) -> list[str]:
    """Folded words in order, numbers included, punctuation dropped. The last few texts are kept: every judge asks for them."""
    return list(_said(text))


@lru_cache(maxsize=_KEPT_TEXTS)
def _said(text: str) -> tuple[str, ...]:
    folded = fold(clean(text))
    found = _WORD.findall(folded)
    return tuple(w.replace("'", "") for w in found) if "'" in folded else tuple(found)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A crude common root of English word forms, so that `movies` meets `movie` and `played` meets `play`."""
    for ending, keep in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", ""), ("ly", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word[: -len(ending)] + keep
    return word


def content_words(text_words: Iterable[str]) -> list[str]:
    """The words that are not function words."""
    return [w for w in text_words if w not in STOP_WORDS]


def sentences(text: str) -> list[str]:
    """Sentences in order, at most 400; a line break ends one, an abbreviation or initial does not."""
    return list(_sentences(text))


@lru_cache(maxsize=_KEPT_TEXTS)
def _sentences(text: str) -> tuple[str, ...]:
    found: list[str] = []
    start = 0
    for gap in _BREAK.finditer(text):
        piece = text[start : gap.start()].strip()
        if "\n" not in gap.group() and _ABBREVIATION.search(piece[-6:]):
            continue
        if piece:
            found.append(piece)
        start = gap.end()
        if len(found) >= _MAX_SENTENCES:
            return tuple(found)
    tail = text[start:].strip()
    return (*found, tail) if tail else tuple(found)
