"""What did a judge say in this recorded text? Import parsers, one per published format; each is pure and never guesses."""
