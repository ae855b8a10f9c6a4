"""Which pages of the documentation are made from the code? `docs/configuration.md` and `docs/cli.md`: see `generate`."""
