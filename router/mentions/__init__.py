"""Which subjects does a message speak of?

Law, money and personal data are the subjects for which a wrong answer is dear, so that a rule may ask for them. They are
found by word lists in English, German, French and Spanish, by patterns and by checksums: no model, no network, and a time
that grows with the length of the text and no faster.
"""
