"""Does a message speak of money: amounts, payments, accounts?"""

from __future__ import annotations

import re

from router.mentions.identifiers import has_card_number, has_iban
from router.mentions.lexicon import Lexicon
from router.mentions.said import Said

LEXICON = Lexicon.of(
    certain="""
    money iban invoice invoices invoiced payment payments payroll salary salaries wage wages mortgage mortgages
    loan loans overdraft overdrawn creditor creditors debtor debtors refund refunds refunded reimbursement reimburse
    reimbursed chargeback paycheck paycheque payslip dividend dividends royalties pension pensions taxes taxed taxable
    vat irs budget budgets budgeting revenue revenues bitcoin cryptocurrency crypto bankruptcy bankrupt insolvency
    insolvent income incomes payday 401k mastercard paypal
    installment installments instalment instalments dollar dollars euro euros usd eur gbp chf cashback
    currency currencies banking finances financing cheque cheques
    geld konto kontos kontostand bankkonto girokonto sparkonto überweisung überweisen überwiesen lastschrift dauerauftrag
    kredit kredite kreditkarte darlehen hypothek zinsen zinssatz rechnung rechnungen rechnungsnummer gehalt lohn lohnzettel
    steuer steuern steuererklärung finanzamt mehrwertsteuer umsatzsteuer erstattung erstattet rückerstattung zahlung
    zahlungen bezahlen bezahlt mahnung bankverbindung kontonummer kosten guthaben rente abbuchung abgebucht
    argent banque banques bancaire bancaires virement virements prélèvement facture factures salaire salaires impôt impôts
    crédit emprunt hypothèque remboursement rembourser remboursé paiement paiements loyer tva découvert épargne
    dinero banco bancos bancaria bancario transferencia transferencias factura facturas sueldo salario impuesto impuestos
    préstamo préstamos hipoteca reembolso reembolsar pago pagos iva tarjeta dólares
    """,
    likely="""
    bank banks account accounts balance transfer transfers transferred card cards fee fees price prices pricing
    cost costs pay pays paid paying interest fund funds funding cash deposit deposits deposited withdraw withdrawal
    withdrawals withdrew atm bill bills billing billed credit debit debits saving savings invest
    invested investment investments investor stock stocks shares bond bonds tax owe owes owed debt debts income expense
    expenses profit profits earn earns earned spend spent rate exchange exchanged statement transaction
    transactions merchant purchase purchases purchased buy bought sell sold discount afford rent insurance premium cents
    bucks subscription checking contactless pin
    betrag preis preise gebühr gebühren karte kaufen gekauft verkaufen sparen schulden abrechnung miete
    compte comptes carte frais prix solde payer payé montant acheter vendre dette dettes
    cuenta cuentas precio precios saldo pagar pagado cobro cobrado comisión tasa deuda deudas ahorro ahorros gasto gastos
    """,
    phrases="""
    bank account
    my bank
    meine bank
    savings account
    checking account
    current account
    account number
    account balance
    credit card
    credit limit
    credit score
    debit card
    my card
    direct debit
    wire transfer
    bank transfer
    money transfer
    standing order
    interest rate
    interest rates
    exchange rate
    exchange rates
    sort code
    routing number
    income tax
    tax return
    new card
    lost card
    stolen card
    virtual card
    card number
    my transactions
    recent transactions
    transaction history
    last transaction
    i spent
    did i spend
    have i spent
    my spending
    a fee
    the fee
    rewards points
    reward points
    my rewards
    bill due
    the bill
    due on my
    account balances
    top up
    top ups
    charged for
    charged me
    charged twice
    extra charge
    annual percentage rate
    pay my
    pay for
    pay the
    paid for
    pay bill
    my bill
    my bills
    out of cash
    cash withdrawal
    stock market
    stock price
    share price
    net worth
    cash flow
    per share
    carte bleue
    carte bancaire
    compte courant
    compte bancaire
    taux d intérêt
    relevé de compte
    combien coûte
    cuenta bancaria
    cuánto cuesta
    tipo de interés
    tarjeta de crédito
    declaración de la renta
    wie viel kostet
    was kostet
    """,
    endings="konto rechnung zahlung überweisung kredit steuer gebühr gebühren zinsen kosten",
)

_NUMBER = r"\d++(?:[.,' ]\d{3})*+(?:[.,]\d{1,2})?+"
#: A sign before a number (not a shell's `$1`, a template's `${1}` or TeX's `$2x$`), or a currency after one.
_AMOUNT = re.compile(
    rf"(?:[€£¥₹₽₩₺]|(?<![\w$\\])(?:US|CA|AU|NZ|HK|S|R)?\$)\s?+{_NUMBER}(?:\s?+(?:k|m|mn|bn|b|million|billion)\b)?+(?![\w$^\\{{}}*=])"
    rf"|(?<![\w.]){_NUMBER}\s?+(?:[€£¥₹]|(?:usd|eur|gbp|chf|jpy|cad|aud|inr|euros?|dollars?|bucks|cents?|pesos?|rupees?|yen)\b)",
    re.IGNORECASE,
)


def found_in(said: Said) -> bool:
    """Whether it speaks of money. Cheapest first."""
    return LEXICON.found_in(said) or (
        said.has_digits and (_AMOUNT.search(said.text) is not None or has_iban(said.text) or has_card_number(said.text))
    )
