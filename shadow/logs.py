"""What do our logs look like? `noun.verb` events with ids, never message text; one line each, on stderr."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def configure_logs(role: str) -> None:
    """Lines for people on a terminal, JSON elsewhere. `SHADOW_LOG` sets the level (debug, info, warning, error)."""
    level = getattr(logging, os.environ.get("SHADOW_LOG", "info").upper(), logging.INFO)
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(role=role)
    # Libraries speak up only when something is wrong.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
