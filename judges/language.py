"""Is this answer in another language than it should be?"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from judges.text import words

_FUNCTION_WORDS = {
    "English": "the of and to in is that it was for on are with as his they at be this from have or had by",
    "German": "der die das und ist von zu den mit für auf ein eine nicht sich des dem auch als wie im wird sind oder",
    "French": "le la les des et est un une du dans que qui pour pas sur au avec ce il par plus ne sont cette",
    "Spanish": "el la los las de y en que es un una por con para se del al lo como más pero sus le ya",
    "Italian": "il la le di e che un una per non con del della sono è si come più ma al anche nel alla gli",
    "Portuguese": "o a os as de e que em um uma para com não por mais dos como mas foi ao ele das tem à",
    "Dutch": "de het een en van ik te dat die in is niet op zijn met voor er aan ook als maar om dan zou",
}
_SETS = {name: frozenset(said.split()) for name, said in _FUNCTION_WORDS.items()}
_ABOUT_LANGUAGE = re.compile(
    r"\b(?:translat\w*|language|in (?:english|german|french|spanish|italian|portuguese|dutch)"
    r"|in (?:russian|chinese|japanese|korean|arabic|hindi)"
    r"|auf deutsch|en français|en español|übersetz\w*|tradu\w*)\b",
    re.IGNORECASE,
)
_MIN_WORDS = 12
_MIN_LETTERS = 20
_READ = 800  # characters: enough to tell
_CLEAR = 1.8  # how many times as many function words as any other language


def wrong_language(answer: str, prompt: str, reference: str | None) -> str | None:
    """The answer's language where it is clearly neither the prompt's nor the reference's; None otherwise, and in doubt."""
    if _ABOUT_LANGUAGE.search(prompt[:4_000]):
        return None
    said = language_of(answer[:_READ])
    if said is None:
        return None
    expected = {language_of(t[-_READ:]) for t in (prompt, reference or "")} - {None}
    return said if expected and said not in expected else None


def language_of(text: str) -> str | None:
    """The language of a text in Latin letters, the script of another one; None where it is too short or mixed."""
    scripts = Counter({"LATIN": len(text)}) if text.isascii() else Counter(_script(c) for c in text if c.isalpha())
    if not scripts or sum(scripts.values()) < _MIN_LETTERS:
        return None
    script, count = scripts.most_common(1)[0]
    if count < 0.8 * sum(scripts.values()):
        return None
    if script != "LATIN":
        return "Japanese" if script in ("HIRAGANA", "KATAKANA") else script.capitalize()
    said = re.findall(r"[^\W\d_]+", text.lower())
    if len(said) < _MIN_WORDS or not words(text):
        return None
    hits = sorted(((sum(w in known for w in said), name) for name, known in _SETS.items()), reverse=True)
    most, second = hits[0][0], hits[1][0]
    return hits[0][1] if most >= 4 and most >= 0.12 * len(said) and most >= _CLEAR * second else None


def _script(letter: str) -> str:
    return "LATIN" if letter.isascii() else unicodedata.name(letter, "UNKNOWN").partition(" ")[0]
