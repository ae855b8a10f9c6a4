"""How far may the thresholds be lowered? Evidence from the store, a certificate, and proposals that can be taken back."""
