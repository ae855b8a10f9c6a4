"""Are law, money and personal data found in messages, in four languages, and not where they only seem to be?"""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.mentions.identifiers import has_card_number, has_iban, has_identity_number
from router.mentions.said import READ_CHARACTERS, Said
from router.mentions.subjects import DETECTORS

LEGAL = """
Can my landlord evict me without written notice in Ohio?
Review this contract and tell me which clauses are risky.
What is the statute of limitations for medical negligence?
We got a cease and desist letter about our logo, what now?
Draft an NDA between two startups.
Is it legal to record a phone call without telling the other person?
Summarise the plaintiff's main arguments.
Does the GDPR allow us to keep these logs?
Who is liable if a guest breaches the agreement?
Rewrite our terms of service in plain English.
My employer refuses to pay overtime, can I sue them?
What rights do I have under the law if I am arrested?
Explain force majeure to a supplier.
Darf mein Vermieter die Miete ohne Frist erhöhen? Welche Rechte habe ich?
Prüfe bitte diesen Mietvertrag auf unwirksame Klauseln.
Ich habe eine Abmahnung vom Anwalt bekommen.
Wie lange ist die Kündigungsfrist in der Probezeit?
Haftet der Verein, wenn sich ein Gast verletzt?
Que dit le code du travail sur le télétravail ?
Mon propriétaire veut résilier le bail, est-ce légal ?
Quel est le délai de préavis pour un licenciement ?
¿Puedo demandar a mi vecino por el ruido?
Revisa la cláusula quinta del contrato.
¿Es legal grabar una conversación sin permiso?
"""
MONEY = """
How do I get a refund for an order of $49.99?
What is the difference between a checking and a savings account?
Why was I charged twice on my card?
Calculate the monthly payment on a 30 year mortgage at 6 %.
Please send the invoice to our accounting team again.
He sold 12 apples for 3 euros each, how much did he get?
Transfer 200 EUR to DE89 3704 0044 0532 0130 00 please.
How much income tax do I owe as a freelancer?
My salary has not arrived yet.
The exchange rate looks wrong.
Is 2,500 dollars a good price for this used bike?
What happens to my pension if I change jobs?
I forgot the PIN of my debit card.
Profit rose to £3.2m while costs fell.
Wie hoch sind die Zinsen für einen Kredit über 10.000 €?
Ich möchte Geld ins Ausland überweisen.
Die Rechnung vom März ist falsch.
Was kostet die Kreditkarte im Jahr?
Comment faire un virement vers l'étranger ?
Je voudrais être remboursé pour ma commande de 30 €.
Combien d'impôts vais-je payer cette année ?
Quiero pedir un préstamo para comprar un coche.
¿Cuánto cuesta mantener la cuenta bancaria?
Mi tarjeta de crédito fue rechazada.
"""
PERSONAL = """
My email is jane.doe@example.com, please update my profile.
Call me at +44 20 7946 0958 after five.
You can reach her on (555) 123-4567.
His number is 555-867-5309.
My SSN is 078-05-1120.
The card is 4111 1111 1111 1111, exp 12/29.
Name: John Smith, date of birth: 4 May 1981.
Applicant was born 04/05/1981 in Leeds.
Please change my home address to 5 High Street.
How do I renew my passport?
What counts as personal data?
Pay to GB82 WEST 1234 5698 7654 32.
National insurance QQ 12 34 56 C belongs to another, mine is AB123456C.
Meine Handynummer ist 0171 2345678.
Geburtsdatum: 12.03.1975, Reisepass C01X00T47.
Wie beantrage ich einen Personalausweis?
Ruf mich unter +49 (0)30 1234567 an.
Mon numéro de téléphone est le 06 12 34 56 78.
Né le 12/03/1975 à Lyon, numéro de sécurité sociale à corriger.
Quelle est ma date de naissance dans le dossier ?
Mi DNI es 12345678Z.
Mi correo es ana@ejemplo.es, gracias.
Fecha de nacimiento: 3 de mayo de 1990.
The patient's medical record shows two admissions.
"""
NEITHER = """
Write a poem about the sea.
What is the capital of Australia?
Explain Newton's second law to a child.
The tennis court was wet after the storm.
Which muscles contract when I lift my arm?
Translate 'good morning' into Japanese.
def add(a, b): return a + b  # is this correct?
Why does awk '{print $1}' print the first column?
How do I keep my balance on a bike?
Solve 3x + 4 = 19 for x.
We sat on the bank of the river all afternoon.
Summarise the plot of Moby Dick in 50 words.
Recommend three films from 1994.
The train leaves at 10:45 from platform 12.
How far is it from Paris to Lyon?
git clone git@github.com:acme/tool.git fails, why?
What is 4711 times 1234?
Version 10.0.19045.3930 crashes when I open a file.
The order id is 1234567890123456, where is the parcel?
ISBN 978-3-16-148410-0 is the book I mean.
Who judges a cooking show?
Give me a recipe for lentil soup.
How tall is the Eiffel Tower?
Wie wird das Wetter morgen in Köln?
Welches Hauptgericht passt zu Riesling?
Erzähl mir einen Witz über Katzen.
Schreibe eine Funktion, die eine Liste sortiert.
Quelle est la capitale du Canada ?
Raconte-moi une histoire de dragons.
¿Qué tiempo hace en Sevilla?
Escribe un haiku sobre el otoño.
The electric charge of two charged particles is doubled.
Mozart was born in Salzburg in 1756.
"""


def lines(block):
    return [line for line in block.strip().splitlines() if line]


def found(subject, text):
    return DETECTORS[subject](Said(text))


@pytest.mark.parametrize(("subject", "block"), [("legal", LEGAL), ("money", MONEY), ("personal_data", PERSONAL)])
def test_what_speaks_of_a_subject_is_found(subject, block):
    missed = [line for line in lines(block) if not found(subject, line)]
    assert missed == []


@pytest.mark.parametrize("subject", ["legal", "money", "personal_data"])
def test_what_only_seems_to_is_not(subject):
    assert [line for line in lines(NEITHER) if found(subject, line)] == []


@pytest.mark.parametrize(
    ("subject", "others", "most"),
    [("legal", MONEY + PERSONAL, 1), ("money", LEGAL + PERSONAL, 6), ("personal_data", LEGAL + MONEY, 3)],
)
def test_subjects_are_told_apart(subject, others, most):
    """Some lines do speak of two: a card's number is money and personal data."""
    assert len([line for line in lines(others) if found(subject, line)]) <= most


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("GB82 WEST 1234 5698 7654 32", True),
        ("to de89370400440532013000, thanks", True),
        ("FR14-2004-1010-0505-0001-3M02-606 please pay", True),
        ("BE68 5390 0754 7034 PLEASE", True),
        ("GB82 WEST 1234 5698 7654 33", False),
        ("ZZ82 WEST 1234 5698 7654 32", False),
        ("DE89 3704 0044", False),
    ],
)
def test_an_iban_is_one_with_a_valid_checksum(text, holds):
    assert has_iban(text) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("4111111111111111", True),
        ("card 5500-0000-0000-0004.", True),
        ("3782 822463 10005", True),
        ("4111 1111 1111 1112", False),
        ("94111111111111111", False),
        ("0.4111111111111111", False),
        ("id-4111111111111111-7", False),
    ],
)
def test_a_card_number_is_one_that_passes_luhn(text, holds):
    assert has_card_number(text) is holds


@given(st.integers(2 * 10**14, 7 * 10**14 - 1))
def test_of_ten_last_digits_one_makes_a_card_number(number):
    assert sum(has_card_number(f"{number}{last}") for last in range(10)) == 1


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("219-09-9999", True),
        ("000-12-3456", False),
        ("666-12-3456", False),
        ("1 85 05 78 006 084 91", True),
        ("1 85 05 78 006 084 92", False),
        ("X1234567L", True),
        ("12345678A", False),
        ("AB 12 34 56 C", True),
    ],
)
def test_identity_numbers_are_checked_where_they_can_be(text, holds):
    assert has_identity_number(text) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("$5", True),
        ("US$ 1,200.50", True),
        ("$3M", True),
        ("12 USD", True),
        ("${1}", False),
        ("$2x$", False),
        ("$HOME", False),
    ],
)
def test_an_amount_is_not_a_variable(text, holds):
    assert found("money", text) is holds


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "1-", "12 34 ", "1111 ", "4111 1111 1111 1111 ", "DE89 ", "A1", "$1,", "$111 ", "a@", "a.b-c@d.", "+1 ", "(0",
     "0 1", "00", "é", "1 000 ", "born on ", "née 1", "AB12", "contract's ", "words and words ", "  ", "'", "a'"],
)  # fmt: skip
def test_no_text_takes_long(piece):
    """200 kB of the worst that comes to mind: half a second on a busy machine is many times what it takes."""
    text = (piece * (200_000 // len(piece) + 1))[:200_000]
    began = time.process_time()
    for subject in DETECTORS:
        found(subject, text)
    assert time.process_time() - began < 0.5


@given(st.text(max_size=300))
def test_any_text_can_be_read(text):
    assert {found(subject, text) for subject in DETECTORS} <= {True, False}


def test_of_a_huge_text_the_start_and_the_end_are_read():
    filling = "word " * READ_CHARACTERS
    assert found("legal", "lawsuit " + filling)
    assert found("legal", filling + " lawsuit")
    assert not found("legal", filling + " lawsuit " + filling)
