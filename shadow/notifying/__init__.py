"""How do people get to know? Messages of the outbox, sent to the configured channels."""
