"""What can go wrong on the shadow side, and what is the reader told to do about it?

    ShadowError
    ├── ConfigError                 the configuration, or the way a command was used, is wrong
    ├── RefusedError                a decision that may not be taken: by whom, in which state, or on which evidence
    └── StoreError                  the database can't be found, started or used
        └── DataDirectoryError      the directory that should hold our data can't

The message of each is one line that names the thing at fault and what to do. A foreign error is translated once, at the
adapter.
"""

from __future__ import annotations


class ShadowError(Exception):
    """Root of everything that the shadow side raises on purpose."""


class ConfigError(ShadowError):
    """The configuration is wrong: a missing file, an unknown key, a value out of range."""


class RefusedError(ShadowError):
    """A decision is refused: the wrong person, the wrong state, evidence that is stale or was tampered with."""


class StoreError(ShadowError):
    """The database can't be found, started, reached or used."""


class DataDirectoryError(StoreError):
    """The data directory can't be used: not writable, not a directory, in use, or of another PostgreSQL version."""
