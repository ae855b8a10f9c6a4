"""Does a text hold a number that is somebody's: a bank account, a payment card, an identity number?

Where a number carries its own check, the check is done: most runs of digits are nobody's number. Every pattern begins at
a boundary and repeats a bounded number of times, so that no text takes longer than its length allows.
"""

from __future__ import annotations

import re

#: Country -> length of its IBANs. Source: the SWIFT registry of IBAN formats.
_IBANS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18"
    " FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LI21 LT20 LU20 LV21 MC27"
    " MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 SI19 SK24 SM27 TN24 TR26 UA29"
    " VA22 XK20"
)
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBANS.split()}
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_CARD = re.compile(
    r"(?<![\w.])(?:[2-6]\d{12,18}|[2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{1,7}|3\d{3}([ -])\d{6}\2\d{4,5})(?![\w-])"
)
_SSN = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")
_NINO = re.compile(r"(?<!\w)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)", re.IGNORECASE)
_NIR = re.compile(r"(?<!\w)[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d{2} ?\d{3} ?\d{3} ?\d{2}(?!\w)")
_DNI = re.compile(r"(?<!\w)([XYZ]-?\d{7}|\d{8})-?([A-Z])(?!\w)", re.IGNORECASE)
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_LETTER_VALUES = {chr(ord("A") + place): str(10 + place) for place in range(26)}


def has_iban(text: str) -> bool:
    """An international bank account number with the length of its country and a valid checksum (ISO 13616, mod 97)."""
    return any(_is_iban(found[0]) for found in _IBAN.finditer(text))


def _is_iban(candidate: str) -> bool:
    compact = candidate.replace(" ", "").replace("-", "").upper()
    length = _IBAN_LENGTHS.get(compact[:2])
    if length is None or len(compact) < length:
        return False
    number = compact[:length]  # what follows may be the next word
    digits = "".join(_LETTER_VALUES.get(character, character) for character in number[4:] + number[:4])
    return int(digits) % 97 == 1


def has_card_number(text: str) -> bool:
    """A payment card's number: 13 to 19 digits, alone or grouped as on a card, with a valid checksum (ISO/IEC 7812, Luhn)."""
    return any(_passes_luhn(found[0]) for found in _CARD.finditer(text))


def _passes_luhn(candidate: str) -> bool:
    digits = [int(character) for character in candidate if character.isdigit()][::-1]
    doubled = (digit * 2 for digit in digits[1::2])
    return (sum(digits[::2]) + sum(digit - 9 if digit > 9 else digit for digit in doubled)) % 10 == 0


def has_identity_number(text: str) -> bool:
    """A number of a register of persons: US social security, UK national insurance, French NIR, Spanish DNI or NIE."""
    return (
        _SSN.search(text) is not None
        or _NINO.search(text) is not None
        or any(_is_nir(found[0]) for found in _NIR.finditer(text))
        or any(_is_dni(found[1], found[2]) for found in _DNI.finditer(text))
    )


def _is_nir(candidate: str) -> bool:
    digits = candidate.replace(" ", "")
    return int(digits[13:]) == 97 - int(digits[:13]) % 97


def _is_dni(number: str, letter: str) -> bool:
    digits = number.upper().replace("-", "")
    if digits[0] in "XYZ":
        digits = str("XYZ".index(digits[0])) + digits[1:]
    return _DNI_LETTERS[int(digits) % 23] == letter.upper()
