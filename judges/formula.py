"""What is this formula worth? LaTeX or plain mathematics read into a value at given places of its letters.

Two formulas that agree at several places are the same formula, for every purpose of a judge; that is quicker than algebra and
cannot run away. Source: Schwartz, Fast probabilistic algorithms for verification of polynomial identities, 1980.
"""

from __future__ import annotations

import cmath
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

_MAX_CHARS = 400
_MAX_DEPTH = 40
_HUGE = 1e15
_NAMED = {"pi": math.pi, "e": math.e, "i": 1j, "infty": math.inf}
_FUNCTIONS: dict[str, Callable[[complex], complex]] = {
    "sqrt": cmath.sqrt, "sin": cmath.sin, "cos": cmath.cos, "tan": cmath.tan, "exp": cmath.exp, "ln": cmath.log, "log": cmath.log,
    "cot": lambda z: 1 / cmath.tan(z), "sec": lambda z: 1 / cmath.cos(z), "csc": lambda z: 1 / cmath.sin(z),
    "arcsin": cmath.asin, "arccos": cmath.acos, "arctan": cmath.atan, "sinh": cmath.sinh, "cosh": cmath.cosh, "tanh": cmath.tanh,
    "arcsinh": cmath.asinh, "arccosh": cmath.acosh, "arctanh": cmath.atanh,
    "abs": lambda z: complex(abs(z)), "lfloor": lambda z: complex(math.floor(z.real)),
    "lceil": lambda z: complex(math.ceil(z.real)),
}  # fmt: skip
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?|\.\d+)|\\?(?P<word>(?<=\\)[a-zA-Z]+|"
    + "|".join(sorted(["pi", *_FUNCTIONS], key=len, reverse=True))
    + r")|(?P<letter>[a-zA-Z])|(?P<sign>[-+*/^!|(){}_,\[\]]))"
)
_WHOLE = re.compile(r"(\d{1,6})\^\{?(\d{1,5})\}?|(\d{1,5})!")
_MOST_FACTORS = 5_000
_COMMAND = re.compile(r"\\([a-zA-Z]+)")
_WORD = re.compile(r"[a-zA-Z]{3,}")


def _periodic(match: re.Match[str]) -> str:
    """`0.1\\overline{6}` as a fraction."""
    whole, fixed, again = match[1] or "0", match[2], match[3]
    below = (10 ** len(again) - 1) * 10 ** len(fixed)
    return f"({int(whole + fixed + again) - int(whole + fixed)}/{below})"


_DRESSING: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\\!"), ""),
    (re.compile(r"\\(?:left|right|displaystyle|bigl?|bigr|Bigl?|Bigr)(?![a-zA-Z])|\\[,;:! ]|~|\\quad|\\qquad"), " "),
    (re.compile(r"\\[dtc]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\\frac\s*(\d)\s*(\d)(?!\d)"), r"\\frac{\1}{\2}"),
    (re.compile(r"\\(?:cdot|times|ast)(?![a-zA-Z])|[×·⋅∙]"), "*"),
    (re.compile(r"\\div(?![a-zA-Z])|÷"), "/"),
    (re.compile(r"\*\*"), "^"),
    (re.compile(r"\\lvert|\\rvert|\\vert|\\mid"), "|"),
    (re.compile(r"\^\s*\{?\s*\\circ\s*\}?|°"), ""),
    (re.compile(r"(?<=\d)(?:,|\{,\})(?=\d{3}(?!\d))"), ""),
    (re.compile(r"(\d*)\.(\d*)\\(?:overline|bar|dot)\s*\{?(\d{1,12})\}?"), _periodic),
    (re.compile(r"√\s*(\d+|\([^()]{1,40}\)|[a-z])"), r"\\sqrt{\1}"),
    (re.compile(r"\\operatorname\s*\{([a-zA-Z]{1,12})\}"), r"\\\1 "),
    (re.compile("π"), r"\\pi "),
    (re.compile("∞"), r"\\infty "),
    (re.compile(r"−|–"), "-"),
    (re.compile("²"), "^2"),
    (re.compile("³"), "^3"),
)


class NotAFormula(Exception):  # noqa: N818
    """The text is something else, or has no finite value here."""


def letters_of(text: str) -> frozenset[str]:
    """The variables of a formula; e and i are numbers. Raises: NotAFormula."""
    return frozenset(value for kind, value in _tokens(text) if kind == "letter" and value not in _NAMED)


def value_of(text: str, letters: Mapping[str, complex] | None = None) -> complex:
    """The value at these places of the letters. Raises: NotAFormula."""
    reader = _Reader(_tokens(text), letters or {})
    try:
        value = reader.sum(0)
    except (ArithmeticError, ValueError, IndexError, TypeError) as exc:
        raise NotAFormula(str(exc)) from exc
    if not reader.done or cmath.isnan(value):
        raise NotAFormula("something is left over")
    return value


def whole_value(text: str) -> int | None:
    """The exact value of a power of whole numbers or a factorial, however large: `2^{2024}`, `100!`; None for anything else."""
    found = _WHOLE.fullmatch(undressed(text).replace(" ", ""))
    if found is None:
        return None
    base, power, factorial = found.groups()
    if factorial is not None:
        return math.factorial(int(factorial)) if int(factorial) <= _MOST_FACTORS else None
    return int(base) ** int(power) if int(power) <= _MOST_FACTORS else None


@lru_cache(maxsize=256)
def undressed(text: str) -> str:
    """The formula without marks of layout."""
    for pattern, plain in _DRESSING:
        text = pattern.sub(plain, text)
    return text.strip()


def _tokens(text: str) -> list[tuple[str, str]]:
    text = undressed(text)
    if not text or len(text) > _MAX_CHARS:
        raise NotAFormula("empty or too long")
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        command = _COMMAND.match(text, place)
        if command is not None:
            found.append(("word", command[1]))
            place = command.end()
            continue
        if (said := _WORD.match(text, place)) and not _known(said[0]):
            raise NotAFormula(f"a word: {said[0]}")
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotAFormula(f"unknown sign {text[place]!r}")
        kind = str(match.lastgroup)
        found.append((kind, match[kind]))
        place = match.end()
    return found


def _known(word: str) -> bool:
    """Whether a run of letters is a function's name, maybe with letters around, or a product of two or three letters."""
    lowered = word.lower()
    return any(name in lowered for name in ("pi", *_FUNCTIONS)) or (len(word) <= 3 and not set("aeiou") & set(lowered))


class _Reader:
    """Recursive descent over tokens; every level checks how deep it is."""

    def __init__(self, tokens: list[tuple[str, str]], letters: Mapping[str, complex]) -> None:
        self._tokens = tokens
        self._letters = letters
        self._place = 0

    @property
    def done(self) -> bool:
        return self._place == len(self._tokens)

    def sum(self, depth: int) -> complex:
        if depth > _MAX_DEPTH:
            raise NotAFormula("nested too deep")
        negative = self._sign() < 0
        value = self._product(depth)
        value = -value if negative else value
        while self._next() in ("+", "-"):
            sign = self._sign()
            value += sign * self._product(depth)
        return value

    def _sign(self) -> int:
        sign = 1
        while self._next() in ("+", "-"):
            sign = -sign if self._take() == "-" else sign
        return sign

    def _product(self, depth: int) -> complex:
        value = self._power(depth)
        while (sign := self._next()) is not None:
            if sign == "*":
                self._take()
                value *= self._sign() * self._power(depth)
            elif sign == "/":
                self._take()
                value /= self._sign() * self._power(depth)
            elif self._opens():
                following = self._power(depth)
                value *= following
            else:
                break
        return value

    def _opens(self) -> bool:
        """Whether a factor follows without a sign between: `2x`, `3(4)`, `2\\sqrt{3}`."""
        if self.done:
            return False
        kind, value = self._tokens[self._place]
        return kind in ("letter", "word", "number") or (kind == "sign" and value in "({")

    def _power(self, depth: int) -> complex:
        mixed = self._mixed()
        if mixed is not None:
            return mixed
        value = self._factor(depth + 1)
        while self._next() == "!":
            self._take()
            if value.imag or not 0 <= value.real <= 20 or value.real % 1:
                raise NotAFormula("factorial of that")
            value = complex(math.factorial(int(value.real)))
        if self._next() == "^":
            self._take()
            sign = self._sign()
            exponent = sign * self._power(depth + 1)
            if abs(value) > _HUGE or abs(exponent) > 2_000:
                raise NotAFormula("too large")
            value = value**exponent
        return value

    def _mixed(self) -> complex | None:
        """`3\\frac{1}{2}`: a whole number right before a fraction of numbers is added to it."""
        here = self._tokens[self._place : self._place + 8]
        kinds = [f"{k}:{v}" if k != "number" else "n" for k, v in here]
        if kinds == ["n", "word:frac", "sign:{", "n", "sign:}", "sign:{", "n", "sign:}"] and "." not in here[0][1]:
            whole, above, below = (float(here[i][1]) for i in (0, 3, 6))
            if above < below:
                self._place += 8
                return complex(whole + above / below)
        return None

    def _factor(self, depth: int) -> complex:
        if depth > _MAX_DEPTH:
            raise NotAFormula("nested too deep")
        kind, value = self._tokens[self._place]
        self._place += 1
        if kind == "number":
            return complex(float(value))
        if kind == "letter":
            if value in self._letters:
                return self._letters[value]
            if value in _NAMED:
                return complex(_NAMED[value])
            raise NotAFormula(f"no value for {value}")
        if kind == "word":
            return self._word(value, depth)
        if value in "({|":
            inner = self.sum(depth + 1)
            self._close({"(": ")", "{": "}", "|": "|"}[value])
            return complex(abs(inner)) if value == "|" else inner
        raise NotAFormula(f"{value!r} out of place")

    def _word(self, word: str, depth: int) -> complex:
        if word in _NAMED:
            return complex(_NAMED[word])
        if word == "frac":
            above = self._argument(depth)
            return above / self._argument(depth)
        if word in ("binom", "tbinom", "dbinom"):
            n, k = self._argument(depth).real, self._argument(depth).real
            if not 0 <= k <= n <= 1_000 or n % 1 or k % 1:
                raise NotAFormula("binomial of that")
            return complex(math.comb(int(n), int(k)))
        if word not in _FUNCTIONS:
            raise NotAFormula(f"unknown word {word}")
        return self._function(word, depth)

    def _function(self, word: str, depth: int) -> complex:
        root = base = None
        power = 1.0 + 0j
        if word == "sqrt" and self._next() == "[":
            self._take()
            root = self.sum(depth + 1)
            self._close("]")
        if word == "log" and self._next() == "_":
            self._take()
            base = self._argument(depth)
        if word != "sqrt" and self._next() == "^":
            self._take()
            power = self._argument(depth)
            if power == -1 and word in ("sin", "cos", "tan", "sinh", "cosh", "tanh"):
                word, power = f"arc{word}", 1.0 + 0j
        bracketed = self._next() in ("(", "{", "|")
        inside = self._argument(depth) if bracketed or word == "sqrt" else self._power(depth + 1)
        if word in ("lfloor", "lceil"):
            self._take()
        if root is not None:
            return complex(inside ** (1 / root))
        value = _FUNCTIONS[word](inside)
        return complex((value / cmath.log(base) if base is not None else value) ** power)

    def _argument(self, depth: int) -> complex:
        """A bracketed part, or the one digit or sign that LaTeX takes without brackets: `\\frac12`."""
        if self.done:
            raise NotAFormula("an argument is missing")
        kind, value = self._tokens[self._place]
        if kind == "number" and len(value) > 1 and "." not in value:
            self._tokens[self._place] = (kind, value[1:])
            return complex(float(value[0]))
        return self._factor(depth + 1)

    def _next(self) -> str | None:
        if self.done:
            return None
        kind, value = self._tokens[self._place]
        return value if kind == "sign" else ""

    def _take(self) -> str:
        self._place += 1
        return self._tokens[self._place - 1][1]

    def _close(self, sign: str) -> None:
        if self._next() != sign:
            raise NotAFormula(f"{sign!r} is missing")
        self._place += 1
