"""Does a message hold personal data, or speak of them: addresses, numbers, documents, dates of birth?"""

from __future__ import annotations

import re

from router.mentions.identifiers import has_card_number, has_iban, has_identity_number
from router.mentions.lexicon import Lexicon
from router.mentions.said import Said

LEXICON = Lexicon.of(
    certain="""
    passport passports ssn dob gdpr pii iban birthdate
    reisepass reisepasses personalausweis personalausweisnummer ausweisnummer geburtsdatum geburtsort wohnadresse
    steuernummer steueridentifikationsnummer sozialversicherungsnummer krankenversicherungsnummer dsgvo
    führerscheinnummer telefonnummer handynummer privatadresse
    passeport passeports rgpd
    pasaporte pasaportes dni curp
    """,
    phrases="""
    date of birth
    birth date
    place of birth
    social security number
    national insurance number
    national id
    identity card
    identity document
    id card number
    driver s license number
    drivers license number
    driver license number
    driving licence number
    personal data
    personal information
    personally identifiable
    personal details
    home address
    my address
    her address
    his address
    their address
    billing address
    mailing address
    postal address
    my phone number
    phone number is
    mobile number is
    my email
    email address is
    her email
    his email
    patient name
    medical record
    medical records
    medical history
    maiden name
    full name
    personenbezogene daten
    personenbezogenen daten
    persönliche daten
    meine adresse
    meine anschrift
    meine e mail
    meine nummer
    geboren am
    date de naissance
    lieu de naissance
    carte d identité
    numéro de sécurité sociale
    données personnelles
    mon adresse
    mon numéro
    numéro de téléphone
    fecha de nacimiento
    lugar de nacimiento
    documento de identidad
    carné de identidad
    número de seguridad social
    datos personales
    mi dirección
    mi número
    mi correo
    número de teléfono
    """,
)

#: From the sign at on, so that nothing is tried twice; `git@host` is a repository.
_EMAIL = re.compile(r"(?<=[\w.+%-])(?<!\bgit)@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![\w@])")
_PHONE = re.compile(
    r"(?<![\w.,+/-])(?:"
    r"(?:\+|00)[1-9]\d{0,2}(?:[ .()/-]{0,3}\d){6,12}"  # international
    r"|\(\d{3}\) ?\d{3}[ .-]\d{4}"  # North American
    r"|\d{3}([.-])\d{3}\1\d{4}"
    r"|0\d(?:([ .])\d{2}){4}"  # French
    r"|0\d{2,5}[ /-]{1,3}\d{3,5}(?:[ -]?\d{2,4}){1,2}"  # German, British
    r")(?![\w-])"
)
_BORN = re.compile(
    r"\b(?:born|née?|nacid[oa]|nací|geb(?:oren)?\.?)\s(?:on\s|the\s|am\s|le\s|el\s)?\s?"
    r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2})",
    re.IGNORECASE,
)


def found_in(said: Said) -> bool:
    """Whether it holds personal data or speaks of them. Cheapest first."""
    text = said.text
    return (
        ("@" in text and _EMAIL.search(text) is not None)
        or LEXICON.found_in(said)
        or (
            said.has_digits
            and (
                _PHONE.search(text) is not None
                or has_identity_number(text)
                or has_card_number(text)
                or has_iban(text)
                or _BORN.search(text) is not None
            )
        )
    )
